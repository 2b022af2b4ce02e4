from datetime import date

import pandas as pd
import pytest

from demand.errors import DataError
from demand.sources.mapping import import_table

COLUMNS = '[columns]\nstore = "Store Nbr"\nproduct = "Item"\ndate = "Date"\nquantity = "Qty"\n'


@pytest.fixture
def imported(tmp_path):
    """Imports a text file with the columns mapping and whatever is appended to it."""

    def run(text, more="", name="sales.csv"):
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        (tmp_path / "mapping.toml").write_text(COLUMNS + more, encoding="utf-8")
        return import_table(tmp_path / name, tmp_path / "mapping.toml")

    return run


def rows(frame):
    """The values of a frame as tuples, Mondays as ISO dates."""
    return [
        tuple(f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value for value in row)
        for row in frame.itertuples(index=False)
    ]


def daily(first="2024-03-04", days=14, store="7", quantity=1):
    """One row a day from a Monday on."""
    return "".join(f"{store},a,{day:%Y-%m-%d},{quantity}\n" for day in pd.date_range(first, periods=days))


def test_daily_rows_are_added_up_to_monday_weeks(imported):
    raw, notes = imported("Store Nbr,Item,Date,Qty\n" + daily() + daily(store="08", quantity=2.5))
    assert rows(raw.shipments) == [
        ("08", "a", "2024-03-04", 17.5),
        ("08", "a", "2024-03-11", 17.5),
        ("7", "a", "2024-03-04", 7.0),
        ("7", "a", "2024-03-11", 7.0),
    ]
    assert (raw.name, raw.as_of, raw.absent_week) == ("sales", date(2024, 3, 11), "zero")
    assert raw.stores[["store_id", "region", "format"]].to_numpy().tolist() == [
        ["08", "all", "large"],
        ["7", "all", "small"],
    ]
    assert raw.products[["product_id", "category"]].to_numpy().tolist() == [["a", "all"]]
    assert raw.returns is raw.prices is raw.events is raw.weather_history is raw.shopper_demographics is None
    assert notes == ("grain: daily; weeks from 2024-03-04 to 2024-03-11",)


def test_an_incomplete_first_and_last_week_are_left_out_and_said_so(imported):
    raw, notes = imported("Store Nbr,Item,Date,Qty\n" + daily("2024-03-06", 20))  # Wednesday to Monday
    assert rows(raw.shipments) == [("7", "a", "2024-03-11", 7.0), ("7", "a", "2024-03-18", 7.0)]
    assert notes[1:] == (
        "week of 2024-03-04 is incomplete: its 5 rows are left out",
        "week of 2024-03-25 is incomplete: its 1 rows are left out",
    )


def test_a_week_is_complete_when_its_last_trading_day_is_there(imported):
    closed_on_sundays = "".join(line for line in daily(days=13).splitlines(True) if "2024-03-10" not in line)
    raw, notes = imported("Store Nbr,Item,Date,Qty\n" + closed_on_sundays)  # ends on Saturday the 16th
    assert raw.shipments["units_shipped"].tolist() == [6.0, 6.0]
    assert len(notes) == 1


def test_incomplete_weeks_are_kept_on_request(imported):
    text = "Store Nbr,Item,Date,Qty\n" + daily("2024-03-06", 6)
    raw, _ = imported(text, '[options]\nincomplete_weeks = "keep"\n')
    assert raw.shipments["units_shipped"].tolist() == [5.0, 1.0]


def test_weeks_may_begin_on_another_day(imported):
    text = "Store Nbr,Item,Date,Qty\n" + daily("2024-03-02", 14)  # Saturday to Friday, twice
    raw, _ = imported(text, '[options]\nweek_begins = "saturday"\n')
    assert rows(raw.shipments) == [("7", "a", "2024-03-04", 7.0), ("7", "a", "2024-03-11", 7.0)]


RECEIPTS = """Store Nbr,Item,Date,Qty
1,a,2024-03-04,5
1,a,2024-03-04,3
1,a,2024-03-10,-2
1,a,2024-03-11,1
1,a,2024-03-12,-4
1,a,2024-03-17,0
1,b,2024-03-05,-1
1,b,2024-03-13,6
"""


def test_negative_receipts_are_returns_of_their_week_or_of_the_latest_week_that_can_take_them(imported):
    raw, notes = imported(RECEIPTS)
    assert rows(raw.shipments) == [
        ("1", "a", "2024-03-04", 8.0),
        ("1", "a", "2024-03-11", 1.0),
        ("1", "b", "2024-03-04", 0.0),
        ("1", "b", "2024-03-11", 6.0),
    ]
    # of the 4 that came back in the second week 1 fits there; 3 join the 2 of the first week
    assert rows(raw.returns) == [("1", "a", "2024-03-04", 5.0), ("1", "a", "2024-03-11", 1.0)]
    assert "1 units came back before the file saw any go out: left out" in notes


def test_a_weekly_workbook_is_read_with_its_own_dates_and_numbers(tmp_path, imported):
    table = pd.DataFrame(
        {
            "Store Nbr": [12, 12, 12],
            "Item": ["a", "a", "b"],
            "Date": pd.to_datetime(["2024-03-08", "2024-03-15", "2024-03-15"]),  # Fridays
            "Qty": [1.5, -0.5, 20],
        }
    )
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"note": ["see next sheet"]}).to_excel(book, sheet_name="Read me", index=False)
        table.to_excel(book, sheet_name="Sales", index=False)
    content = (tmp_path / "book.xlsx").read_bytes()
    more = '[file]\nsheet = "Sales"\n[options]\nname = "shops"\nabsent_week = "unknown"\n'
    raw, notes = imported(content, more, "weekly.xlsx")
    assert rows(raw.shipments) == [
        ("12", "a", "2024-03-04", 1.5),
        ("12", "a", "2024-03-11", 0.0),
        ("12", "b", "2024-03-11", 20.0),
    ]
    assert rows(raw.returns) == [("12", "a", "2024-03-04", 0.5)]
    assert (raw.name, raw.absent_week) == ("shops", "unknown")
    assert notes == (
        "grain: weekly; weeks from 2024-03-04 to 2024-03-11",
        "weekly dates fall on a Friday: each is taken as the Monday to Sunday that holds it",
    )


def test_a_parquet_file_brings_region_format_category_price_and_promotion(tmp_path, imported):
    pd.DataFrame(
        {
            "Store Nbr": [1, 1, 2, 2],
            "Item": [10, 10, 10, 10],
            "Date": pd.to_datetime(["2024-03-04", "2024-03-09", "2024-03-04", "2024-03-10"]),
            "Qty": [3, 1, 0, 0],
            "Area": ["north", "north", "south", "south"],
            "Kind": ["Large", "Large", "Small", "Small"],
            "Class": ["dairy"] * 4,
            "Price": [1.0, 2.0, 4.0, None],
            "Ad": [True, False, False, False],
        }
    ).to_parquet(tmp_path / "in.parquet")
    more = 'region = "Area"\nformat = "Kind"\ncategory = "Class"\nprice = "Price"\nfeature = "Ad"\n'
    raw, _ = imported((tmp_path / "in.parquet").read_bytes(), more, "s.parquet")
    assert raw.stores[["store_id", "region", "format"]].to_numpy().tolist() == [
        ["1", "north", "large"],
        ["2", "south", "small"],
    ]
    assert raw.products[["product_id", "category"]].to_numpy().tolist() == [["10", "dairy"]]
    # (3 x 1.00 + 1 x 2.00) / 4 = 1.25, one of two rows on an ad; unsold: the plain mean price
    assert rows(raw.prices) == [
        ("1", "10", "2024-03-04", 1.25, 0.5, 0.0),
        ("2", "10", "2024-03-04", 4.0, 0.0, 0.0),
    ]


def test_a_promotion_without_a_price_gets_a_price_of_one_and_a_note(imported):
    lines = daily(days=7).splitlines()
    deals = "".join(f"{line},{'yes' if i < 3 else ''}\n" for i, line in enumerate(lines))
    text = "Store Nbr,Item,Date,Qty,Deal\n" + deals
    raw, notes = imported(text, 'deal = "Deal"\n')
    assert rows(raw.prices) == [("7", "a", "2024-03-04", 1.0, 0.0, pytest.approx(3 / 7))]
    assert notes[-1] == "no price in the file: a price of 1 stands for it in every week"


@pytest.mark.parametrize(
    ("units", "value", "expected"),
    [
        ('quantity = "log"', "0", 7.0),
        ('quantity = "dollars"\ndollars_per_unit = 4', "8", 14.0),
        ('quantity = "each"', "8", 56.0),
    ],
)
def test_quantities_may_be_logarithms_or_dollars(imported, units, value, expected):
    raw, _ = imported("Store Nbr,Item,Date,Qty\n" + daily(days=7, quantity=value), f"[units]\n{units}\n")
    assert raw.shipments["units_shipped"].tolist() == [expected]


def test_marks_and_separators_of_other_countries_are_read_as_told(imported):
    text = "Store Nbr;Item;Date;Qty\n1;a;04.03.2024;1.234,5\n1;a;10.03.2024;6\n"
    raw, _ = imported(text, '[file]\ndecimal = ","\nthousands = "."\n')
    assert raw.shipments["units_shipped"].tolist() == [1240.5]


def test_another_encoding_is_read_as_told(imported):
    text = "Store Nbr\tItem\tDate\tQty\nKöln\ta\t2024-03-04\t1\nKöln\ta\t2024-03-10\t1\n".encode("cp1252")
    raw, _ = imported(text, '[file]\nencoding = "cp1252"\n', "s.tsv")
    assert raw.stores["store_id"].tolist() == ["Köln"]
    with pytest.raises(DataError, match="in utf-8; got"):
        imported(text, "", "s.tsv")


def with_last(line):
    return "Store Nbr,Item,Date,Qty\n" + daily() + line + "\n"


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        (
            with_last('7,b,2024-03-05,"1,234"'),
            "",
            r"'Qty': expected a finite number such as 1234.5; for other marks.*row 16: '1,234'",
        ),
        (with_last("7,b,2024-03-05,NaN"), "", r"1 of 15 rows.*row 16: 'NaN'"),
        (with_last("7,b,2024-03-05,-inf"), "", r"row 16: '-inf'"),
        (with_last("7,b,2024-03-05,"), "", r"'Qty'.*row 16: ''"),
        (with_last("7,b,2024-03-05,12,5"), "", r"expected one header and as many values.*got 5"),
        (
            with_last("7,b,2024-03-32,1"),
            "",
            r"'Date': expected a date written as %Y-%m-%d.*row 16: '2024-03-32'",
        ),
        (with_last(",b,2024-03-05,1"), "", r"'Store Nbr': expected an id, not an empty value.*row 16: ''"),
        (
            with_last('7,b,2024-03-05,"1,5"'),
            '[file]\ndecimal = "."\nthousands = ","\n',
            r"expected a finite number such as 1,234.5, got 1 of 15.*row 16: '1,5'",
        ),
        (
            "Store Nbr,Item,Date,Qty\n1,a,03/04/2024,1\n1,a,05/06/2024,1\n",
            "",
            r"'Date': expected dates that read one way.*%d/%m/%Y and as %m/%d/%Y.*date_format = \"%d/%m/%Y\"",
        ),
        (
            "Store Nbr,Item,Date,Qty\n1,a,2024-03-04,1\n1,a,2024-03-11,1\n1,a,2024-03-11,1\n",
            "",
            r'one row per store, product and week \(or \[options\] grain = "transaction".*row 4: .2024-03-11',
        ),
        (
            "Store Nbr,Item,Date,Qty,Area\n1,a,2024-03-04,1,north\n1,a,2024-03-05,1,south\n",
            'region = "Area"\n',
            r"region: expected one value per store_id, got several for 1 \(1: north, south\)",
        ),
        (
            "Store Nbr,Item,Date,Qty,Ad\n1,a,2024-03-04,1,2\n",
            'feature = "Ad"\n',
            r"'Ad': expected yes, no or a share from 0 to 1.*row 2: '2'",
        ),
        (
            "Store Nbr,Item,Date,Qty,Kind\n1,a,2024-03-04,1,huge\n",
            'format = "Kind"\n',
            r"column format: expected one of large, small",
        ),
        (
            "Store Nbr,Item,Date,Qty\n1,a,2024-03-07,1\n1,a,2024-03-10,1\n1,a,2024-03-11,1\n",
            "",
            r"sales.csv: expected at least one complete week from 2024-03-07 to 2024-03-11, got none",
        ),
    ],
)
def test_values_that_are_not_what_their_column_holds_are_refused_with_rows_and_counts(
    imported, text, more, message
):
    with pytest.raises(DataError, match=message):
        imported(text, more)


FOREIGN = "Filiale;SKU;Beleg Datum;Menge;VK Preis\n0012;M-1;04.03.2024;1,5;0,99\n0012;M-1;17.03.2024;2;0,99\n"


def test_a_file_that_does_not_fit_shows_its_columns_and_a_mapping_that_works(tmp_path, imported):
    with pytest.raises(DataError) as refusal:
        imported(FOREIGN)
    message = str(refusal.value)
    assert message.startswith(
        "sales.csv: expected the columns of the mapping, "
        "got no store = 'Store Nbr', product = 'Item', date = 'Date', quantity = 'Qty'.\n\n"
        "The file has 2 rows and these columns:\n"
        "  Filiale      number  0012\n"
        "  SKU          text    M-1\n"
        "  Beleg Datum  date    04.03.2024, 17.03.2024\n"
        "  Menge        number  1,5, 2\n"
        "  VK Preis     number  0,99\n"
    )
    starter = tmp_path / "starter.toml"
    starter.write_text(message.split("(check every line):\n\n")[1], encoding="utf-8")
    raw, _ = import_table(tmp_path / "sales.csv", starter)
    assert rows(raw.shipments) == [("0012", "M-1", "2024-03-04", 1.5), ("0012", "M-1", "2024-03-11", 2.0)]
    assert raw.prices["price_usd"].tolist() == [0.99, 0.99]


def test_without_a_mapping_the_refusal_gives_one_to_start_from(tmp_path):
    (tmp_path / "sales.csv").write_text(FOREIGN, encoding="utf-8")
    with pytest.raises(
        DataError,
        match=r"names the columns for store, product, date, quantity, got none(.|\n)*store = \"Filiale\"",
    ):
        import_table(tmp_path / "sales.csv", None)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"Store Nbr,Item", "s.doc", r"s.doc: expected a file ending in .csv.*got .doc"),
        (b"", "s.csv", r"s.csv: expected a header and rows, got an empty file"),
        (b"<!DOCTYPE html><p>gone</p>", "s.csv", r"expected a table in utf-8 text \(the file is a web page"),
        ("Store Nbr,Item,Date,Qty\n".encode("utf-16"), "s.csv", r"UTF-16"),
        (b"PAR1 cut", "s.parquet", r"s.parquet: expected a Parquet file, got"),
        (b"not a zip", "s.xlsx", r"s.xlsx: expected an Excel workbook, got"),
        (b"Qty,Item,Date,Qty\n1,a,2024-03-04,1\n", "s.csv", r"\['Qty'\] repeated or empty"),
    ],
)
def test_a_file_that_is_no_table_is_refused(imported, content, name, message):
    with pytest.raises(DataError, match=message):
        imported(content, "", name)


def test_a_workbook_without_the_sheet_is_refused_by_its_sheets(tmp_path, imported):
    pd.DataFrame({"a": [1]}).to_excel(tmp_path / "in.xlsx", sheet_name="Only", index=False)
    with pytest.raises(DataError, match=r"expected the sheet 'Sales', got \['Only'\]"):
        imported((tmp_path / "in.xlsx").read_bytes(), '[file]\nsheet = "Sales"\n', "s.xlsx")


def test_numbers_that_a_file_stores_as_numbers_need_no_marks(tmp_path, imported):
    days = pd.to_datetime(["2024-03-04", "2024-03-05"])
    table = pd.DataFrame({"Store Nbr": ["a", "a"], "Item": [1.0, 1.0], "Date": days, "Qty": [1.5, 2.25]})
    table.to_excel(tmp_path / "in.xlsx", index=False)
    raw, _ = imported(
        (tmp_path / "in.xlsx").read_bytes(), '[file]\ndecimal = ","\nthousands = "."\n', "s.xlsx"
    )
    assert rows(raw.shipments) == [("a", "1", "2024-03-04", 3.75)]


def test_a_parquet_file_that_does_not_fit_shows_its_dates_as_dates_and_its_own_rows(tmp_path, imported):
    table = pd.DataFrame({"Shop": [1], "Day": pd.to_datetime(["2024-03-04"]), "Qty": [float("nan")]})
    table.to_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"Day   date    2024-03-04\n"):
        imported((tmp_path / "in.parquet").read_bytes(), "", "s.parquet")
    table.set_axis(["Store Nbr", "Date", "Qty"], axis=1).assign(Item="a").to_parquet(tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"'Qty': expected a finite number.*1 of 1 rows.*\(row 1: 'nan'\)"):
        imported((tmp_path / "in.parquet").read_bytes(), "", "s.parquet")
