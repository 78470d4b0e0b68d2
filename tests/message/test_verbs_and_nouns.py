import pytest
from lxml import etree

from gateway.message import MessageKind, Verb
from gateway.message.nouns import PART9_NOUNS, agrees_with, get_profile, profile_namespace
from gateway.message.verbs import DEPRECATED, EVENT_OF, OPERATION_VERBS, REQUEST_OF, VERBS_OF


def test_every_verb_belongs_to_exactly_one_kind_of_message() -> None:
    kinds = (MessageKind.REQUEST, MessageKind.RESPONSE, MessageKind.EVENT)
    assert sorted(verb for kind in kinds for verb in VERBS_OF[kind]) == sorted(Verb)


def test_every_transaction_has_its_event_and_get_has_none() -> None:
    assert {REQUEST_OF[event] for event in EVENT_OF.values()} == set(EVENT_OF)
    assert Verb.GET not in EVENT_OF


def test_operations_come_in_both_tenses() -> None:
    assert {EVENT_OF.get(verb, verb) for verb in OPERATION_VERBS} == {Verb.CREATED, Verb.CHANGED, Verb.DELETED}


def test_no_verb_in_use_is_deprecated() -> None:
    assert DEPRECATED.keys().isdisjoint(Verb)


@pytest.mark.parametrize("noun", sorted(PART9_NOUNS))
def test_a_noun_agrees_with_the_root_of_its_profile_alone(noun: str) -> None:
    assert agrees_with(noun, etree.QName(profile_namespace(noun), noun))
    assert not agrees_with(noun, etree.QName(profile_namespace(noun), get_profile(noun)))
    assert not agrees_with(noun, etree.QName("urn:x", noun))
    assert not agrees_with(noun, etree.QName(noun))
