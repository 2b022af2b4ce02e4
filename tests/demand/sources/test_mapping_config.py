import re
from dataclasses import fields
from typing import get_type_hints

import pytest

from demand.errors import UsageError
from demand.sources.mapping_config import ColumnNames, FileFormat, Options, TableMapping, Units, load_mapping


@pytest.fixture
def mapping(tmp_path):
    def load(text):
        path = tmp_path / "m.toml"
        path.write_text(text, encoding="utf-8")
        return load_mapping(path)

    return load


def test_what_a_mapping_leaves_out_keeps_its_default(mapping):
    units = '[units]\nquantity = "dollars"\ndollars_per_unit = 10\n'
    text = '[columns]\nstore = "S"\n' + units + '[options]\ngrain = "daily"\n'
    assert mapping(text) == TableMapping(
        columns=ColumnNames(store="S"),
        file=FileFormat(),
        units=Units(quantity="dollars", dollars_per_unit=10),
        options=Options(grain="daily"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[column]\nstore = "S"',
            r"m.toml: the sections: \['column'\] not known; allowed: columns, file, units, options",
        ),
        (
            '[columns]\nshop = "S"',
            r"m.toml: \[columns\]: \['shop'\] not known; allowed: store, product, date, quantity",
        ),
        ("[columns]\nstore = 3", r"\[columns\] store: expected a text in quotes, got 3"),
        (
            '[units]\nquantity = "boxes"',
            r"\[units\] quantity: expected one of 'each', 'log', 'dollars', got 'boxes'",
        ),
        ("[units]\ndollars_per_unit = true", r"dollars_per_unit: expected a number, got True"),
        ("[units]\ndollars_per_unit = 0", r"dollars_per_unit: expected a number above 0, got 0"),
        ('[options]\nweek_begins = "Mon"', r"week_begins: expected one of .*, got 'Mon'"),
        ('[file]\ndecimal = ","\nthousands = ","', r"decimal and thousands are both ','"),
        ("columns = 3", r"\[columns\]: expected a section of settings, got 3"),
        ("[columns\n", r"m.toml: expected readable TOML, got"),
    ],
)
def test_a_mapping_that_is_wrong_in_itself_is_refused(mapping, text, message):
    with pytest.raises(UsageError, match=message):
        mapping(text)


def test_a_mapping_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml: expected readable TOML"):
        load_mapping(tmp_path / "none.toml")


def test_the_documentation_lists_every_key(root):
    text = (root / "docs" / "your-own-data.md").read_text(encoding="utf-8").split("<!-- keys -->")[1]
    listed = {
        (s, key)
        for s, keys in re.findall(r"^\| (\w+) \| ([\w, ]+) \|", text, re.MULTILINE)
        for key in keys.split(", ")
    }
    sections = get_type_hints(TableMapping)
    assert listed - {("section", "key")} == {
        (s, each.name) for s, kind in sections.items() for each in fields(kind)
    }
