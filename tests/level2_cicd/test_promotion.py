import json
import shutil
import threading

import pytest

from demand.bundle import MANIFEST, PARITY, encode_manifest, file_entry, read_manifest
from demand.errors import IntegrityError, UsageError
from level1_pipeline import store
from level1_pipeline.errors import GateRefused
from level2_cicd import promotion
from level2_cicd.ledger import open_ledger
from level2_cicd.mirrors import settle
from level2_cicd.promotion import await_promotion, promote


def kinds(made):
    return [(row.kind, row.version) for row in open_ledger(made.environment).rows()]


def current(made):
    return store.current_bundle(made.environment.store).name


def manifest_of(made, version):
    return store.bundle_folder(made.environment.store, version) / MANIFEST


def test_the_first_promotion_serves_and_keeps_who_and_why(releases):
    made = releases("prod")
    a = made.versions[0]
    done = promote(made.environment, a, approver="Ada", reason="June release")
    assert (done.previous, done.again, len(done.moved), done.kept, done.failed) == (None, False, 8, {}, {})
    assert (done.row.seq, done.row.actor, done.row.reason) == (1, "Ada", "June release")
    assert current(made) == a
    evidence = done.row.evidence
    assert evidence["manifest_sha256"] == store.sha256_of(manifest_of(made, a))
    assert [line["segment"] for line in evidence["segments"]][:2] == ["R01-large-fast", "R01-large-slow"]
    first = evidence["segments"][0]
    assert (first["source"], first["version"], first["gate"]["decision"]) == ("champion", a, "passed")
    assert first["mape"] > 0


def test_segments_that_lost_the_gate_keep_the_champions_model(releases, cli):
    made = releases("prod", promoted=1)
    a, b = made.versions[:2]
    outcome = cli("promote", b, *made.options, "--approver", "Ada", "--reason", "partial")
    assert outcome.code == 0
    assert f"{b} now serves, in place of {a}." in outcome.out
    assert "7 segments with a new model, 1 keep that of before, 0 are left" in outcome.out
    assert "R01-large-slow" in outcome.out and "4.1 % worse than the champion" in outcome.out
    lines = open_ledger(made.environment).head().evidence["segments"]
    assert [(each["segment"], each["version"]) for each in lines if each["source"] == "previous"] == [
        ("R01-large-slow", a)
    ]


def test_what_serves_is_not_promoted_again(releases, cli):
    made = releases("prod", promoted=1)
    outcome = cli("promote", made.versions[0], *made.options, "--approver", "Eve", "--reason", "again")
    assert outcome.code == 0
    assert "serves already, by row 1; no row was added." in outcome.out
    assert kinds(made) == [("promoted", made.versions[0])]


@pytest.mark.parametrize(("promoted", "which", "words"), [
    (0, 1, "judged against no model, which serves; it was judged against"),
    (2, 2, "Train it again (--await-promotion --fresh)"),
    (2, 0, "it was judged against no model. Nothing was promoted."),
])  # fmt: skip
def test_a_bundle_judged_against_another_than_serves_is_refused(promoted, which, words, releases, cli):
    made = releases("prod", promoted=promoted)
    before = kinds(made)
    outcome = cli("promote", made.versions[which], *made.options, "--approver", "Ada", "--reason", "x")
    assert outcome.code == 3
    assert words in outcome.err
    assert kinds(made) == before


@pytest.mark.parametrize("file", ["R01-large-fast.onnx", "baseline.parquet", "parity.json", MANIFEST])
def test_a_flipped_byte_in_a_bundle_is_refused_before_anything_is_entered(file, releases, cli):
    made = releases("prod")
    path = manifest_of(made, made.versions[0]).with_name(file)
    content = path.read_bytes()
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    outcome = cli("promote", made.versions[0], *made.options, "--approver", "Ada", "--reason", "x")
    assert outcome.code == 4
    assert file in outcome.err
    assert (kinds(made), store.pointed_at(made.environment.store)) == ([], None)


def test_a_bundle_without_a_parity_certificate_is_refused(releases):
    made = releases("prod")
    path = manifest_of(made, made.versions[0])
    parity = json.loads(path.with_name(PARITY).read_bytes())
    del parity["segments"]["R02-small-slow"]
    content = json.dumps(parity).encode()
    path.with_name(PARITY).write_bytes(content)
    manifest = read_manifest(path.parent)
    manifest.files[PARITY].update(file_entry(content))
    path.write_bytes(encode_manifest(manifest))
    with pytest.raises(IntegrityError, match="expected a certificate of R02-small-slow within"):
        promote(made.environment, made.versions[0], approver="Ada", reason="x")
    assert kinds(made) == []


@pytest.mark.parametrize("version", ["../bundle", "", "a\\b", "nothere"])
def test_a_version_that_is_nowhere_is_wrong_usage(version, releases):
    made = releases("prod")
    with pytest.raises(UsageError, match=r"expected (the name of a bundle|a version whose bundle is)"):
        promote(made.environment, version, approver="Ada", reason="x")


def test_a_bundle_under_another_versions_name_is_refused(releases):
    made = releases("prod")
    a, b = made.versions[:2]
    folder = made.environment.store / "bundle"
    shutil.rmtree(folder / a)
    (folder / b).rename(folder / a)
    with pytest.raises(IntegrityError, match=f"expected the bundle of {a}; got that of {b}"):
        promote(made.environment, a, approver="Ada", reason="x")


def test_a_bundle_awaits_promotion_by_one_row_and_must_stay_the_same(releases):
    made = releases("prod")
    a = made.versions[0]
    row = await_promotion(made.environment, a, actor="CI", reason="commit 1")
    assert await_promotion(made.environment, a, actor="CI", reason="the job ran again") == row
    assert (kinds(made), store.pointed_at(made.environment.store)) == ([("registered", a)], None)
    manifest = read_manifest(manifest_of(made, a).parent)
    config = {**manifest.meta.config, "forecast": {}}
    changed = type(manifest)(
        type(manifest.meta)(**{**vars(manifest.meta), "config": config}), manifest.files, manifest.entries
    )
    manifest_of(made, a).write_bytes(encode_manifest(changed))
    with pytest.raises(IntegrityError, match="expected the manifest that the ledger knows"):
        promote(made.environment, a, approver="Ada", reason="x")
    assert await_promotion(made.environment, a, actor="CI", reason="trained afresh").seq == 2
    assert promote(made.environment, a, approver="Ada", reason="x").row.seq == 3


def test_a_bundle_that_waits_waits_on_whatever_else_was_entered_of_it(releases):
    made = releases("prod")
    a = made.versions[0]
    row = await_promotion(made.environment, a, actor="CI", reason="commit 1")
    open_ledger(made.environment).note("refused", a, {"reason": "an error"}, "CI", "it did not work")
    assert await_promotion(made.environment, a, actor="CI", reason="once more") == row
    assert kinds(made) == [("registered", a), ("refused", a)]


def test_a_promotion_that_was_killed_before_its_mirrors_is_ended_by_the_next_command(
    releases, cli, monkeypatch
):
    made = releases("prod", promoted=1)
    b = made.versions[1]

    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(promotion, "follow_ledger", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(made.environment, b, approver="Ada", reason="x")
    assert (kinds(made)[-1], current(made)) == (("promoted", b), made.versions[0])
    outcome = cli("status", *made.options)
    assert f"current.json now names {b}, as row 2 of the ledger says." in outcome.err
    assert current(made) == b
    assert settle(made.environment) == []


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"format": 1, "model_version": "x", "manifest_sha256": "y"}']
)
def test_a_pointer_that_was_changed_follows_the_ledger_again(content, releases):
    made = releases("prod", promoted=1)
    (made.environment.store / store.CURRENT).write_bytes(content)
    assert settle(made.environment) == [
        f"current.json now names {made.versions[0]}, as row 1 of the ledger says."
    ]
    assert current(made) == made.versions[0]


def test_a_pointer_is_not_led_to_a_bundle_that_was_changed(releases):
    made = releases("prod", promoted=1)
    (made.environment.store / store.CURRENT).unlink()
    path = manifest_of(made, made.versions[0])
    path.write_bytes(path.read_bytes() + b" ")
    assert "restore it, or roll back" in settle(made.environment)[0]
    assert not (made.environment.store / store.CURRENT).exists()


def test_of_promotions_at_once_one_wins_and_the_ledger_is_whole(releases):
    made = releases("prod", promoted=1)
    _, b, c, _ = made.versions
    won, refused = [], []

    def run(version):
        try:
            won.append(promote(made.environment, version, approver="Ada", reason="race"))
        except GateRefused:
            refused.append(version)

    threads = [threading.Thread(target=run, args=(version,)) for version in (b, c, b, c)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.again for each in won].count(False) == 1
    assert len(won) == len(refused) == 2
    assert kinds(made)[1:] == [("promoted", won[0].version)]
    assert current(made) == won[0].version
