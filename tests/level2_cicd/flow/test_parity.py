import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from demand.bundle import read_bundle
from level1_pipeline import store
from level1_pipeline.errors import GateRefused
from level2_cicd import parity
from level2_cicd.validation import Candidate, validate_scoring


@pytest.fixture
def content(candidate: Candidate) -> dict[str, Any]:
    return parity.certificate_of(candidate.bundle, candidate.forecasts)


@pytest.fixture
def place(ready: Callable[..., Any]) -> Any:
    made = ready()
    return made.environment.store, made.version


def test_scoring_a_candidate_changes_nothing_in_its_store(
    candidate: Candidate, release_template: tuple[Path, list[str]]
) -> None:
    assert not (release_template[0] / store.CURRENT).exists()
    assert not (release_template[0] / store.FORECASTS).exists()
    assert len(candidate.forecasts) == 256


@pytest.fixture
def complete(content: dict[str, Any]) -> dict[str, Any]:
    """The certificate with a service's answers in it."""
    rest = {"rows": 64, "difference": 0.0}
    segments = {name: {**each, "batch_rest": rest} for name, each in content["segments"].items()}
    return {**content, "segments": segments}


def test_every_segment_has_both_comparisons_within_the_limit(content: dict[str, Any]) -> None:
    assert len(content["segments"]) == 8
    for name, each in content["segments"].items():
        assert each["native_onnx"]["rows"] == 100, name  # 32 rows of the data, 68 of edge cases
        assert each["onnx_batch"]["rows"] == 32, name
        assert max(each["native_onnx"]["difference"], each["onnx_batch"]["difference"]) <= 1e-4
        assert each["batch_rest"] is None


def test_batch_forecasts_that_differ_are_found_in_their_segment(
    candidate: Candidate, place: tuple[Path, str]
) -> None:
    spoilt = candidate.forecasts.assign(
        units=candidate.forecasts["units"].where(candidate.forecasts.index > 0, lambda units: units * 1.01)
    )
    content = parity.certificate_of(candidate.bundle, spoilt)
    bad = [name for name, each in content["segments"].items() if each["onnx_batch"]["difference"] > 1e-4]
    assert len(bad) == 1
    parity.write_certificate(place[0], content)
    with pytest.raises(GateRefused, match=f"{bad[0]}: onnx_batch differ by 0.0"):
        parity.require(*place)


def test_a_complete_certificate_is_given_back(complete: dict[str, Any], place: tuple[Path, str]) -> None:
    parity.write_certificate(place[0], complete)
    assert parity.require(*place) == complete


def test_a_certificate_without_the_answers_of_a_service_is_refused(
    content: dict[str, Any], place: tuple[Path, str]
) -> None:
    parity.write_certificate(place[0], content)
    with pytest.raises(GateRefused, match="R01-large-fast has no batch_rest"):
        parity.require(*place)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda c: c["segments"].pop("R01-large-fast"), "R01-large-fast is missing"),
        (lambda c: c["segments"]["R01-large-fast"].update(native_onnx=None), "has no native_onnx"),
        (lambda c: c["segments"]["R01-large-fast"].update(onnx_batch=None), "has no onnx_batch"),
        (
            lambda c: c["segments"]["R01-large-fast"]["native_onnx"].update(difference=2e-4),
            "differ by 0.0002",
        ),
        (lambda c: c.update(manifest_sha256="0" * 64), "of another bundle"),
        (lambda c: c.update(limit=1.0), None),
        (lambda c: c.update(format=2), "there is none"),
    ],
)
def test_a_certificate_that_is_not_complete_is_refused(
    complete: dict[str, Any], place: tuple[Path, str], change: Callable[[Any], Any], fault: str | None
) -> None:
    spoilt = json.loads(json.dumps(complete))
    change(spoilt)
    parity.write_certificate(place[0], spoilt)
    if fault is None:  # a limit of its own that is wider does not count
        spoilt["segments"]["R01-large-fast"]["onnx_batch"]["difference"] = 0.5
        parity.write_certificate(place[0], spoilt)
        fault = "onnx_batch differ by 0.5"
    with pytest.raises(GateRefused, match=fault):
        parity.require(*place)


def test_no_certificate_is_refused(place: tuple[Path, str]) -> None:
    with pytest.raises(GateRefused, match="there is none"):
        parity.require(*place)


def test_a_service_joins_the_certificate_and_can_spoil_it(
    content: dict[str, Any], place: tuple[Path, str]
) -> None:
    parity.write_certificate(place[0], content)
    names = list(content["segments"])
    parity.join_rest(*place, {name: {"rows": 4, "difference": 0.0} for name in names})
    assert parity.require(*place)["segments"][names[0]]["batch_rest"] == {"rows": 4, "difference": 0.0}
    parity.join_rest(*place, {names[1]: {"rows": 4, "difference": 0.1}})
    with pytest.raises(GateRefused, match=f"{names[1]}: batch_rest differ by 0.1"):
        parity.require(*place)


def test_forecasts_are_looked_at(candidate: Candidate) -> None:
    assert {each.result.value for each in validate_scoring(candidate)} == {"ok"}


@pytest.mark.parametrize(
    ("change", "name", "result"),
    [
        (
            lambda f: f.assign(units=f["units"].where(f.index > 0)),
            "numbers finite and not negative",
            "failed",
        ),
        (lambda f: f.assign(lower=f["upper"] + 1), "lower <= units <= upper", "failed"),
        (lambda f: f.iloc[1:], "an answer for every live series and week", "partly"),
        (
            lambda f: pd.concat([f, f.iloc[:1].assign(store_id="nowhere")]),
            "an answer for every live series and week",
            "failed",
        ),
        (lambda f: f.assign(source="baseline"), "a model rather than an average", "failed"),
        (lambda f: f.drop(columns="reason"), "contract of the forecasts", "failed"),
    ],
)
def test_each_fault_of_forecasts_fails_its_own_check(
    candidate: Candidate, change: Callable[[pd.DataFrame], pd.DataFrame], name: str, result: str
) -> None:
    spoilt = Candidate(candidate.bundle, candidate.scored, change(candidate.forecasts))
    assert {each.name: each.result.value for each in validate_scoring(spoilt)}[name] == result


def test_a_bundle_of_the_template_is_whole(release_template: tuple[Path, list[str]]) -> None:
    folder, versions = release_template
    assert len(read_bundle(store.bundle_folder(folder, versions[0])).entries) == 8
