"""The demo's day: which messages are sent, what must become of each, and whether it did."""

import tomllib
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli._shared import CommandError
from gateway.codes import Result
from gateway.message import Envelope, Header, Message, MessageKind, Reply, Unreadable, build, read
from gateway.message.parts import reply_of
from gateway.message.readdressing import readdress, serialized, unaddressed

if TYPE_CHECKING:
    from gateway.broker.partner import Arrival


@dataclass(frozen=True, slots=True)
class Step:
    """One message of the day with what must become of it: receivers, or a dead letter with code and rule.

    `reply` is the Result that its sender must hear; `answer` the message with which a system answers it, where it is
    not a mere OK.
    """

    file: str
    body: bytes
    message: Message | None
    to: tuple[str, ...]
    dead: tuple[str, str] | None
    reply: str
    answer: bytes

    @property
    def expected(self) -> Counter[str]:
        """The outcomes, each once."""
        outcomes = [f"to {system}" for system in self.to]
        if self.dead is not None:
            outcomes.append(f"dead {self.dead[0]} {self.dead[1]}")
        if self.reply:
            outcomes.append(f"reply {self.reply}")
        return Counter(outcomes)

    @property
    def title(self) -> str:
        """Who says what: `HES-NORTH: created(MeterReadings)`."""
        if self.message is None:
            return "(unreadable)"
        header = self.message.header
        return f"{header.source or '?'}: {header.verb}({header.noun})"


@dataclass(slots=True)
class Became:
    """What was seen of one message, and the dead letter's words for a person."""

    outcomes: Counter[str] = field(default_factory=Counter)
    text: str = ""
    advice: str = ""


def load_day(folder: Path) -> list[Step]:
    """Read `day.toml` and the messages it names. Raises `CommandError` where one is missing."""
    try:
        day = tomllib.loads((folder / "day.toml").read_text(encoding="utf-8"))
        return [_step(folder, entry) for entry in day["message"]]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise CommandError(f"The examples in {folder} cannot be read: {error}.") from error


def _step(folder: Path, entry: Mapping[str, object]) -> Step:
    file = str(entry["file"])
    body = (folder / file).read_bytes()
    try:
        message = read(body)
    except Unreadable:
        message = None
    to, dead = entry.get("to", []), entry.get("dead")
    return Step(
        file=file,
        body=body,
        message=message,
        to=tuple(str(system) for system in to) if isinstance(to, list) else (),
        dead=(str(dead["code"]), str(dead["rule"])) if isinstance(dead, dict) else None,
        reply=str(entry.get("reply", "")),
        answer=(folder / str(entry["answer"])).read_bytes() if "answer" in entry else b"",
    )


class Ledger:
    """Books every arrival on the message it belongs to; what belongs to none is a stray."""

    def __init__(self, steps: Sequence[Step], systems: Mapping[str, str], dead_queue: str) -> None:
        self._steps = steps
        self._systems = systems
        self._dead_queue = dead_queue
        self._by_body = {step.body: step for step in steps}
        self._by_content = {unaddressed(step.message.root): step for step in steps if step.message is not None}
        self.became = {step.file: Became() for step in steps}
        self.strays: list[str] = []

    def book(self, arrival: "Arrival") -> bytes:
        """Book one arrival; gives the answer of the system that it reached, where that has to answer."""
        step = self._by_body.get(arrival.body)
        message = None
        if step is None:
            message = read(arrival.body)
            step = self._by_content.get(unaddressed(message.root))
        if step is None:
            self._book_reply(arrival)
            return b""
        became = self.became[step.file]
        if arrival.queue == self._dead_queue:
            became.outcomes[f"dead {arrival.headers.get('code')} {arrival.headers.get('rule')}"] += 1
            became.text = str(arrival.headers.get("text", ""))
            became.advice = str(arrival.headers.get("advice", ""))
        else:
            became.outcomes[f"to {self._systems.get(arrival.queue, arrival.queue)}"] += 1
        if message is None or message.kind is not MessageKind.REQUEST:
            return b""
        return _answer(message, step.answer, self._systems.get(arrival.queue, arrival.queue))

    def _book_reply(self, arrival: "Arrival") -> None:
        asked = [
            step
            for step in self._steps
            if step.message is not None and step.message.kind is MessageKind.REQUEST and arrival.correlation_id
            and step.message.header.echoed_id == arrival.correlation_id
        ]  # fmt: skip
        if arrival.type.startswith("reply.") and len(asked) == 1:
            reply = reply_of(read(arrival.body))
            self.became[asked[0].file].outcomes[f"reply {reply.result if reply else '?'}"] += 1
        else:
            self.strays.append(f"{arrival.type or 'a message'} in {arrival.queue}")

    def complete(self, step: Step) -> bool:
        """Tell whether everything expected of a message has been seen."""
        return not step.expected - self.became[step.file].outcomes

    def right(self, step: Step) -> bool:
        """Tell whether exactly what is expected has been seen."""
        return step.expected == self.became[step.file].outcomes


def _answer(asked: Message, written: bytes, system: str) -> bytes:
    """Answer a request as a system does: with its id as CorrelationID; OK, where no answer is written down for it."""
    leg, message_id = asked.header.echoed_id or "", str(uuid.uuid4())
    if written:
        answer = read(written)
        readdress(answer.root, message_id=message_id, correlation_id=leg)
        return serialized(answer.root)
    header = Header(
        "reply", asked.header.noun, context=asked.header.context, source=system, message_id=message_id,
        correlation_id=leg,
    )  # fmt: skip
    return build(Envelope(MessageKind.RESPONSE, header, reply=Reply(Result.OK)), asked.version)
