from datetime import date

import pytest

from demand.errors import DataError, UsageError
from level1_pipeline.deliveries import open_delivery, read_public_set, recognise


def test_a_raw_folder_is_opened_by_its_manifest(tiny_raw_folder):
    delivery = open_delivery(tiny_raw_folder)
    assert (delivery.name, delivery.as_of) == ("synthetic-tiny", date(2026, 6, 15))
    assert delivery.regions == ["R01", "R02"]
    assert delivery.read("R01").shipments["store_id"].nunique() == 4
    assert len(delivery.data_hash) == 64


def test_a_delivery_as_of_a_date_knows_no_later_shipment(tiny_raw_folder):
    delivery = open_delivery(tiny_raw_folder, date(2026, 1, 8))
    raw = delivery.read("R01")
    assert delivery.as_of == raw.as_of == date(2026, 1, 5)
    assert raw.shipments["week"].max() == raw.returns["week"].max() == date_of("2026-01-05")
    assert raw.weather_history["date"].max() == date_of("2026-01-11")
    assert raw.weather_forecast["date"].min() == date_of("2026-01-12")
    assert raw.prices["week"].max() > date_of("2026-06-15")
    assert delivery.data_hash != open_delivery(tiny_raw_folder).data_hash


def test_a_folder_of_neither_kind_is_refused_by_what_it_holds(tmp_path):
    with pytest.raises(DataError, match=r"walmart: train.csv, stores.csv, features.csv; .* got nothing"):
        recognise(tmp_path)


@pytest.mark.parametrize(("file", "name"), [("train.csv", "walmart"), ("yx.csv", "orange-juice")])
def test_public_sets_are_recognised_by_their_files(tmp_path, file, name):
    (tmp_path / file).write_text("")
    assert recognise(tmp_path) == name


def test_a_raw_folder_is_not_imported_again(tiny_raw_folder):
    with pytest.raises(UsageError, match="it is a raw folder already"):
        read_public_set(tiny_raw_folder, None)


@pytest.mark.gate
@pytest.mark.parametrize(
    ("folder", "name", "regions"),
    [("walmart", "walmart", ["walmart"]), ("dominicks_oj", "orange_juice", ["chicago"])],
)
def test_original_files_are_a_delivery(real_data, folder, name, regions):
    delivery = open_delivery(real_data / folder)
    assert (delivery.name, delivery.regions) == (name, regions)
    assert len(delivery.read(regions[0]).shipments) > 100_000
    assert read_public_set(real_data / folder, None).name == name


def date_of(text):
    import pandas as pd

    return pd.Timestamp(text)
