import pandas as pd
import pytest

from demand.sources.mapping_starter import guess_columns, kind_of, starter_mapping


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["2024-03-04", "2024-03-05"], "date"),
        (["03/04/2024 10:15", "05/06/2024 09:00"], "date"),
        (["20240304"], "date"),
        (["1", "2.5", "-1,234.5"], "number"),
        (["12345678", "20240399"], "number"),
        (["A-1", "7"], "text"),
        (["", None], "empty"),
    ],
)
def test_the_kind_of_a_column_is_told_from_its_values(values, kind):
    assert kind_of(pd.Series(values)) == kind


def test_columns_are_guessed_by_name_and_kind_and_none_twice():
    frame = pd.DataFrame(
        {
            "Sales Date": ["2024-03-04"],
            "store_id": ["7"],
            "store_name": ["Main"],
            "sku": ["a"],
            "units": ["3"],
            "unit_price": ["2.50"],
        }
    )
    assert guess_columns(frame) == {
        "store": "store_id",
        "product": "sku",
        "date": "Sales Date",
        "quantity": "units",
        "price": "unit_price",
    }


def test_a_date_is_found_by_its_values_where_no_name_tells_it():
    assert guess_columns(pd.DataFrame({"T1": ["x"], "T2": ["04.03.2024"]})) == {"date": "T2"}


def test_a_starter_marks_what_it_could_not_guess_and_quotes_names():
    frame = pd.DataFrame({'shop "A"': ["7"], "when": ["03/04/2024"]})
    assert starter_mapping(frame).splitlines()[:7] == [
        "[columns]",
        'store = "shop \\"A\\""',
        'product = "?"',
        'date = "when"',
        'quantity = "?"',
        "",
        "[file]",
    ]
    assert 'date_format = "%d/%m/%Y"' in starter_mapping(frame)
