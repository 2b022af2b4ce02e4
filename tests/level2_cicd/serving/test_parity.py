"""REST gives what batch scoring gives, segment by segment; a difference is found, and found where it is."""

from dataclasses import replace

import pytest

from demand.bundle import PARITY_LIMIT, read_snapshot
from demand.errors import IntegrityError
from demand.scoring import read_bundle
from level2_cicd.serving import engine
from level2_cicd.serving.engine import Engine, Rows
from level2_cicd.serving.parity import rest_parity

Known = list[engine.Series | None] | None


def test_every_segment_answers_as_batch_scoring_does(served, service):
    found = rest_parity(served)
    bundle = read_bundle(served / "bundle" / service.reloader.now.release.version)
    assert {segment.name for segment in (*bundle.entries, *bundle.manifest.failed)} == set(found)
    assert sum(each["rows"] for each in found.values()) == len(read_snapshot(bundle))
    assert max(each["difference"] for each in found.values()) <= PARITY_LIMIT


def test_a_bundle_that_nothing_points_at_is_compared_too(served, service, releases):
    made = releases("local", promoted=1)
    found = rest_parity(made.environment.store, made.versions[3])
    assert max(each["difference"] for each in found.values()) <= PARITY_LIMIT


def test_a_difference_in_one_segment_is_found_there(served, monkeypatch):
    answer = Engine.answer

    def off(self: Engine, rows: Rows, known: Known = None) -> engine.Answers:
        found = answer(self, rows, known)
        numbers = found.numbers.copy()
        of = [(self.series.get(each) or self.look_up(each)).graph for each in rows.names]
        numbers[:, [graph is not None and graph.name == "R01-small-fast" for graph in of]] *= 1.001
        return replace(found, numbers=numbers)

    monkeypatch.setattr(Engine, "answer", off)
    found = rest_parity(served)
    assert {name for name, each in found.items() if each["difference"] > PARITY_LIMIT} == {"R01-small-fast"}
    assert found["R01-small-fast"]["difference"] == pytest.approx(1e-3, rel=0.01)


def test_an_answer_without_numbers_where_batch_has_some_is_a_difference(served, monkeypatch):
    absent = Engine.answer

    def nothing(self: Engine, rows: Rows, known: Known = None) -> engine.Answers:
        found = absent(self, rows, known)
        return replace(found, told=[self.absent] * len(rows))

    def good(_release: object, _rows: int) -> None:
        """The self-test would stop it before."""

    monkeypatch.setattr("level2_cicd.serving.reload.self_test", good)
    monkeypatch.setattr(Engine, "answer", nothing)
    assert min(each["difference"] for each in rest_parity(served).values()) > 1.0


def test_a_service_that_refuses_its_own_snapshot_is_told(served, monkeypatch):
    monkeypatch.setattr("level2_cicd.serving.parity.KEYS", ["region", "store_id", "product_id", "category"])
    with pytest.raises(IntegrityError, match="status 422"):
        rest_parity(served)
