"""Conversations for tests: ids count up, time is a number, and the state goes through JSON at every step."""

from dataclasses import replace
from itertools import count

from gateway.codes import Result
from gateway.conversations import (
    Answer,
    Asker,
    Confirmed,
    Conversation,
    Effect,
    HandOn,
    Input,
    NewId,
    OperationFacts,
    Receiver,
    ReplyArrived,
    ReplyFacts,
    SetFacts,
    Target,
    from_json,
    open_request,
    open_set,
    step,
    to_json,
)
from gateway.message.envelope import ReplyError

DEADLINE = 100.0


def ids() -> NewId:
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def facts(result: str = "OK", *codes: str, body: str = "", message_id: str = "", **more: object) -> ReplyFacts:
    """Give facts of a reply; `body` is the id of its body, and tells replies apart where there is no MessageID."""
    errors = tuple(ReplyError(code) for code in codes)
    return replace(
        ReplyFacts(Result(result), digest=f"digest of {body}", message_id=message_id, errors=errors),
        **more,  # type: ignore[arg-type]
    )


class Talk:
    """A conversation under test, with all that was done in it."""

    def __init__(self, conversation: Conversation, effects: tuple[Effect, ...], new_id: NewId) -> None:
        self.now = conversation.opened
        self.conversation = conversation
        self.effects = list(effects)
        self.new_id = new_id
        self._bodies = count(1)

    def feed(self, given: Input) -> tuple[Effect, ...]:
        self.conversation, effects = step(from_json(to_json(self.conversation)), given, self.new_id)
        self.effects += effects
        return effects

    def reply(
        self, leg: int = 0, result: str = "OK", *codes: str, redelivered: bool = False, **more: object
    ) -> tuple[Effect, ...]:
        body = str(more.pop("body", None) or f"body-{next(self._bodies)}")
        given = facts(result, *codes, body=body, **more)  # type: ignore[arg-type]
        return self.feed(ReplyArrived(self.now, self.conversation.legs[leg].id, body, given, redelivered))

    def confirm(self) -> None:
        self.feed(Confirmed(self.now, self.conversation.outbox))

    @property
    def told(self) -> list[HandOn | Answer]:
        """What the asker was told, without repeats and acknowledgements."""
        return [
            effect
            for effect in self.effects
            if isinstance(effect, Answer) or (isinstance(effect, HandOn) and not effect.acknowledgement)
            if not effect.repeated
        ]


def ask(
    *systems: str, verb: str = "get", noun: str = "MeterReadings", asynchronous: bool = False, **more: object
) -> Talk:
    new_id = ids()
    asker = Asker("CIS", message_id="M-1", echoed_id="C-1", asynchronous=asynchronous)
    conversation, effects = open_request(
        asker,
        verb,
        noun,
        [Target(system) for system in systems or ("MDM",)],
        at=0.0,
        deadline=DEADLINE,
        new_id=new_id,
        **more,  # type: ignore[arg-type]
    )
    return Talk(conversation, effects, new_id)


METER_AND_LINK = (
    OperationFacts(1, "create", "UsagePointConfig"),
    OperationFacts(2, "create", "MeterConfig"),
    OperationFacts(3, "create", "MasterDataLinkageConfig"),
)


def execute(
    *operations: OperationFacts,
    sequence: bool = False,
    integrity: bool = False,
    reads: bool = False,
    systems: tuple[str, ...] = ("MDM",),
    whole: tuple[str, ...] = (),
    **more: object,
) -> Talk:
    """Open the conversation of an OperationSet whose operations all go to the same systems."""
    new_id = ids()
    asked = SetFacts(operations or METER_AND_LINK, sequence, integrity)
    receivers = [Receiver(system, reads=reads) for system in systems]
    conversation, effects = open_set(
        Asker("CIS", "M-1", "C-1"),
        asked,
        [Target(system) for system in whole],
        {operation.id: receivers for operation in asked.operations},
        at=0.0,
        deadline=DEADLINE,
        new_id=new_id,
        **more,  # type: ignore[arg-type]
    )
    return Talk(conversation, effects, new_id)
