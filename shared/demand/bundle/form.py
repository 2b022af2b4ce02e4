"""What the graphs of a bundle read, as JSON: the features, their names in order, and the known categories."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from demand.errors import IntegrityError
from demand.features import CATEGORIES, FeatureSpec
from demand.models.encoding import Vocabulary


@dataclass(frozen=True)
class InputForm:
    """The inputs of every graph of a bundle.

    spec: how features are built. names: of the columns of `features`. vocabulary: known categories.
    """

    spec: FeatureSpec
    names: tuple[str, ...]
    vocabulary: Vocabulary


def encode_form(form: InputForm) -> bytes:
    """The form as JSON, the same bytes for the same form."""
    content = {
        "spec": asdict(form.spec),
        "names": form.names,
        "vocabulary": dict(zip(CATEGORIES, form.vocabulary.values, strict=True)),
    }
    return (json.dumps(content, indent=1, default=_plain) + "\n").encode()


def decode_form(content: bytes, origin: str) -> InputForm:
    """The form of such JSON; raises IntegrityError naming `origin` where a field is missing or not known."""
    try:
        found = _frozen(json.loads(content))
        _expect(set(found), {"spec", "names", "vocabulary"})
        _expect(set(found["spec"]), {field.name for field in fields(FeatureSpec)})
        _expect(set(found["vocabulary"]), set(CATEGORIES))
        vocabulary = Vocabulary(tuple(found["vocabulary"][name] for name in CATEGORIES))
        return InputForm(FeatureSpec(**found["spec"]), found["names"], vocabulary)
    except (ValueError, TypeError) as error:
        raise IntegrityError(
            f"{origin}: expected the inputs of a bundle of this version; got {error}. Export it again."
        ) from error


def _expect(got: set[str], expected: set[str]) -> None:
    if got != expected:
        raise ValueError(f"the fields {sorted(got)} instead of {sorted(expected)}")


def _plain(value: object) -> object:
    """A numpy scalar as the Python value JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"JSON has no form for {type(value).__name__}")


def _frozen(value: Any) -> Any:
    """Lists as tuples, at any depth."""
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    if isinstance(value, dict):
        return {key: _frozen(each) for key, each in value.items()}
    return value
