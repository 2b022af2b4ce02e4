import json
from dataclasses import replace

import numpy as np
import pytest
from ensembles import drawn_ensemble

from demand.bundle import InputForm, decode_form, encode_form
from demand.errors import IntegrityError


@pytest.fixture
def form():
    encoder = drawn_ensemble().encoder
    return InputForm(encoder.spec, encoder.names, encoder.vocabulary)


def test_a_form_comes_back_from_json_as_it_was(form):
    assert form.spec.shelves  # the nested part of a FeatureSpec is there to be lost
    found = decode_form(encode_form(form), "encoder.json")
    assert found == form
    assert hash(found.spec.horizons + found.spec.events + found.names)  # tuples again, not lists


def test_numpy_truth_values_become_json_ones(form):
    spec = replace(form.spec, weather=np.bool_(True))
    assert json.loads(encode_form(replace(form, spec=spec)))["spec"]["weather"] is True


def test_names_in_any_alphabet_come_back(form):
    values = (("Zürich", "北京"), *form.vocabulary.values[1:])
    foreign = replace(form, vocabulary=replace(form.vocabulary, values=values))
    assert decode_form(encode_form(foreign), "encoder.json") == foreign


def test_a_value_json_has_no_form_for_is_refused(form):
    with pytest.raises(TypeError, match="JSON has no form for complex"):
        encode_form(replace(form, names=(1j,)))


@pytest.mark.parametrize("spoil", ["drop", "add", "text"])
def test_a_form_of_other_fields_is_refused_by_name(form, spoil):
    content = json.loads(encode_form(form))
    if spoil == "drop":
        del content["spec"]["shelves"]
    elif spoil == "add":
        content["spec"]["unheard_of"] = 1
    spoiled = b"{" if spoil == "text" else json.dumps(content).encode()
    with pytest.raises(IntegrityError, match=r"b/encoder.json: expected the inputs of a bundle"):
        decode_form(spoiled, "b/encoder.json")
