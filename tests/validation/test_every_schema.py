"""Every noun and Get profile: instances at random pass both validators, single mutations are refused and placed.

A thousand of each are tried by `make fuzz`, which writes benchmarks/FUZZ.md.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from gateway.validation import SchemaSet
from tests.validation.mutations import Mutation
from tests.validation.trials import Profile

_INSTANCES = 20
_NAMES = sorted(
    path.stem for path in (Path(__file__).parents[2] / "schemas").glob("*.xsd") if not path.stem.startswith("message-")
)
_ALWAYS_POSSIBLE = {Mutation.DROP, Mutation.SWAP, Mutation.EXTRA, Mutation.NAMESPACE}


@pytest.mark.parametrize("name", _NAMES)
def test_instances_are_accepted_and_mutations_refused_with_their_place(
    schemas: SchemaSet, sources: Mapping[str, bytes], name: str
) -> None:
    profile = Profile(name, schemas, sources)
    outcomes = [profile.trial(str(seed)) for seed in range(_INSTANCES)]
    assert [problem for outcome in outcomes for problem in outcome.problems] == []
    tried = Counter(mutation for outcome in outcomes for mutation in outcome.mutations)
    assert set(tried) >= _ALWAYS_POSSIBLE
    assert (Mutation.TYPE in tried) == profile.has_typed_values
    assert (Mutation.ENUMERATION in tried) == profile.has_enumerations


def test_no_noun_is_left_out(schemas: SchemaSet) -> None:
    assert set(_NAMES) == schemas.nouns | schemas.profiles


@pytest.mark.parametrize(
    ("builtin", "text", "lxml_accepts", "xmlschema_accepts"),
    [
        # libxml2 takes an exponent without digits; XML Schema does not.
        ("float", "1e", True, False),
        ("float", "1E+", True, False),
        # libxml2 takes a point without digits beside it in the seconds of a duration; XML Schema does not.
        ("duration", "PT.5S", True, False),
        ("duration", "PT5.S", True, False),
        # XML Schema strips blanks around these before it looks; libxml2 does not.
        ("dateTime", " 2024-03-01T14:30:00Z ", False, True),
        ("date", "2024-03-01 ", False, True),
        ("time", " 14:30:00 ", False, True),
        # xmlschema takes what Python's int() takes; XML Schema knows the digits 0 to 9 alone.
        ("integer", "1_0", False, True),
        ("integer", "\u0663", False, True),
    ],
)
def test_the_validators_disagree_on_these_forms_alone(
    builtin: str, text: str, lxml_accepts: bool, xmlschema_accepts: bool
) -> None:
    schema = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:element name="value" type="xs:{builtin}"/></xs:schema>'
    )
    value = etree.Element("value")
    value.text = text
    assert etree.XMLSchema(etree.fromstring(schema)).validate(value) == lxml_accepts
    assert xmlschema.XMLSchema10(schema).is_valid(etree.tostring(value, encoding="unicode")) == xmlschema_accepts
