import json

import pytest

from gateway.codes import Level
from gateway.conversations import Asker, BadDocument, Mode, from_json, open_request, to_json
from gateway.conversations.values import Target
from gateway.message import EnvelopeVersion
from gateway.message.envelope import Identifier, IdKind, ReplyError
from gateway.message.speech import NamespaceMap, Speech
from tests.conversations.talking import Talk, ask, ids


def test_a_conversation_survives_the_store_with_everything_in_it() -> None:
    speech = Speech(NamespaceMap((("a", "b"),)), (("MeterReading", "MeterReadings"),), typed="t", soap="s")
    asker = Asker("CIS", "M", "C", "queue:cis", "cis", asynchronous=True, version=EnvelopeVersion.DRAFT, speech=speech)
    talk = Talk(
        *open_request(
            asker, "get", "MeterReadings", [Target("MDM", "queue:mdm"), Target("MS")],
            at=1.5, deadline=9.0, new_id=ids(), entry="e", mode=Mode.AGGREGATE,
        ),
        ids(),
    )  # fmt: skip
    error = ReplyError("2.15", level=Level.WARNING, id=Identifier("7", IdKind.TRANSACTION), operation_id=3)
    talk.reply(0, "PARTIAL", errors=(error,), ids=(Identifier("x"),), has_payload=True, root="{n}r")
    assert talk.conversation.legs[0].errors == (error,)
    assert from_json(to_json(talk.conversation)) == talk.conversation


def test_a_fresh_conversation_takes_little_room() -> None:
    assert len(to_json(ask().conversation)) < 400


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "unknown": 2}'])
def test_what_is_no_conversation_is_refused(text: str) -> None:
    with pytest.raises(BadDocument):
        from_json(text)


def test_a_document_of_another_version_is_refused_by_its_version() -> None:
    document = json.loads(to_json(ask().conversation)) | {"version": 99}
    with pytest.raises(BadDocument, match="version 99"):
        from_json(json.dumps(document))
