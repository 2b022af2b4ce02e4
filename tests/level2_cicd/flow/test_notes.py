import json

from level2_cicd.ledger import Row
from level2_cicd.notes import notes

KIND_OF = {1: "promoted", 2: "scored", 3: "promoted", 4: "scored"}


def row(seq, version, mape):
    facts = {
        "as_of": "2026-06-15",
        "data_hash": "b" * 64,
        "trained_at": "2026-06-22T04:10:25",
        "previous": "",
    }
    segment = {"segment": "R01-large-fast", "source": "champion", "mape": mape, "baseline_mape": 60.0}
    scored = {"rows": 256, "as_of": "2026-06-15", "sha256": "c" * 64}
    content = scored if KIND_OF[seq] == "scored" else {**facts, "segments": [segment]}
    told = (json.dumps(content), "2026-06-22T05:00:00+00:00", "Ada", "June release", "a" * 64, "d" * 64)
    return Row(seq, "prod", KIND_OF[seq], version, *told)


def test_a_second_release_is_held_against_the_promotion_before_it_not_its_forecasts():
    rows = [row(1, "first", 40.0), row(2, "first", 0.0), row(3, "second", 36.0), row(4, "second", 0.0)]
    lines = [each for each in notes(rows, rows[2], "tiny", {}, []).splitlines() if "R01-large-fast" in each]
    assert len(lines) == 1
    assert [each.strip() for each in lines[0].split("|")[3:6]] == ["36", "40", "-4.0"]


def test_a_first_release_has_nothing_before_it():
    told = notes([row(1, "first", 40.0), row(2, "first", 0.0)], row(1, "first", 40.0), "tiny", {}, [])
    assert "there is no version to go back to" in told
