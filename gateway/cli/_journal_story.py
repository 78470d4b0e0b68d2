"""The story of one message: what it was, what became of it, and all that belongs to it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree
from rich.table import Table
from rich.text import Text

from gateway.cli._excerpt import lines_of
from gateway.cli._journal_list import show_table
from gateway.cli._journal_words import (
    OPERATOR,
    attempts,
    in_bytes,
    is_bad,
    is_imported,
    kept,
    outcome_of,
    outcome_sentence,
    sender,
    to_do,
    what,
)
from gateway.cli._journals import passage_id, short
from gateway.cli._replies import meaning
from gateway.cli._shared import CommandError, ExitCode, counted, out, printable, show_indented
from gateway.cli._times import full
from gateway.codes import BadCode, EventType
from gateway.durations import lasted
from gateway.message import Unreadable
from gateway.message.parsing import parse
from gateway.store.journal import JournalSearch, Passage
from gateway.validation import READING_RULES, RULES, WAY_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.store.journal import Journal

_NEAREST: Final = 100
"""So many that share an id are told, before and after each."""
_MOST_DEVICES: Final = 5
_MOST_EVENTS: Final = 3
_CONSTRAINT: Final = "cvc-"


@dataclass(frozen=True, slots=True)
class Story:
    """A message with its body, and what shares its ids or its conversation, oldest first. `more` is not told."""

    subject: Passage
    others: tuple[Passage, ...]
    more: bool = False

    @property
    def again(self) -> list[Passage]:
        """Give the other messages with its MessageID: it came again, was retried or replayed."""
        return [one for one in self.others if self._has_its_id(one) and one.kind != OPERATOR and one.direction == "in"]

    @property
    def by_hand(self) -> list[Passage]:
        """Give what operators did about it."""
        return [one for one in self.others if one.kind == OPERATOR and self._has_its_id(one)]

    def _has_its_id(self, other: Passage) -> bool:
        subject = self.subject
        if subject.message_id is not None:
            return other.message_id == subject.message_id
        return subject.correlation_id is not None and other.correlation_id == subject.correlation_id


async def told(journal: "Journal", named: str) -> Story:
    """Find a message by the id of its passage, a MessageID or a CorrelationID. Raises `CommandError`."""
    subject = await _subject(journal, named.strip())
    found: dict[int, Passage] = {}
    more = False
    for search in _related(subject):
        before = await journal.find(search, _NEAREST + 1, after=subject.id)
        later = await journal.find(search, _NEAREST + 1, after=subject.id, oldest_first=True)
        more = more or max(len(before), len(later)) > _NEAREST
        found |= {one.id: one for one in (*before[:_NEAREST], *later[:_NEAREST])}
    return Story(subject, tuple(found[id_] for id_ in sorted(found)), more)


async def _subject(journal: "Journal", named: str) -> Passage:
    id_ = passage_id(named)
    passage = await journal.get(id_) if id_ is not None else None
    if passage is None and named:
        by_message = await journal.find(JournalSearch(message_id=named), _NEAREST, oldest_first=True)
        by_correlation = await journal.find(JournalSearch(correlation_id=named), _NEAREST, oldest_first=True)
        # What a person asks for by an id is the message that first came with it, not what was said of it later.
        candidates = sorted([*by_message, *by_correlation], key=lambda one: _rank(one, named))
        passage = await journal.get(candidates[0].id) if candidates else None
    if passage is None:
        raise CommandError(
            f"No message in the journal has the id {named!r}, nor that as a MessageID or CorrelationID.",
            "`cimgate journal list --since 1h` shows what passed; `--device` and `--source` narrow it. Messages are "
            "removed after a while. What has not come to the gateway yet waits on the broker.",
            ExitCode.NOT_FINE,
        )
    return passage


def _rank(one: Passage, named: str) -> tuple[bool, bool, bool, bool, int]:
    repeated = outcome_of(one) == "duplicate"
    return one.kind == OPERATOR, one.message_id != named, one.direction != "in", repeated, one.id


def _related(subject: Passage) -> "Iterator[JournalSearch]":
    if subject.conversation:
        yield JournalSearch(conversation=subject.conversation)
    for id_ in dict.fromkeys((subject.message_id, subject.correlation_id)):
        if id_:
            yield JournalSearch(message_id=id_)
            yield JournalSearch(correlation_id=id_)


def show_story(story: Story, now: float) -> None:
    """Print a story: what it is, where it came from, why it was refused, who got it, what belongs to it."""
    subject = story.subject
    told = printable(f"{what(subject)} from {sender(subject)}")
    out.print(Text.assemble((told, "bold"), f"  {short(subject.id)}"), soft_wrap=True)
    for label, text in _head_lines(story):
        style = "bold red" if label == "outcome" and is_bad(subject) else ""
        show_indented(text, indent=2, label=label, style=style)
    _show_refusal(subject)
    _show_deliveries(subject)
    _show_later(story)
    if {one.id for one in story.others} - {one.id for one in (*story.by_hand, *story.again)}:
        out.print(Text("\nWhat shares its ids or its conversation, and itself (>)", style="bold"))
        everything = sorted([*story.others, subject], key=lambda one: one.id)
        show_table(everything, now, exact=True, marked=subject.id)
        if story.more:
            show_indented("There is more than is told here: `cimgate journal list --id ID` has all.", indent=0)
    if subject.conversation and not is_imported(subject):
        show_indented(f"As a diagram: cimgate conversations show {subject.conversation}", indent=0, style="dim")


def _head_lines(story: Story) -> "Iterator[tuple[str, str]]":
    subject = story.subject
    if is_imported(subject):
        yield "imported", "from a file: it passed another gateway, or this one at another time"
    key = f", routing key {subject.routing_key}" if subject.routing_key else ""
    if subject.kind == OPERATOR:
        yield "done", full(subject.at)
    elif subject.direction == "out":
        yield "made", f"{full(subject.at)} by the gateway, for {subject.system or 'nobody that is known'}{key}"
    else:
        yield "came", f"{full(subject.at)}{key}"
    ids = [("MessageID", subject.message_id), ("CorrelationID", subject.correlation_id)]
    yield "ids", ", ".join(f"{name} {value}" for name, value in ids if value) or "none"
    if subject.context:
        yield "context", subject.context
    if about := _about(subject):
        yield "about", about
    if subject.kind != OPERATOR:
        yield "body", f"{in_bytes(subject.size)}; kept is {kept(subject)}"
        yield (
            "verdict",
            {"ok": "in order", "refused": "refused", "unreadable": "not readable"}.get(
                subject.verdict, subject.verdict or "not judged"
            ),
        )
    took = "" if subject.seconds is None else f" (worked at for {lasted(subject.seconds)})"
    yield "outcome", f"{outcome_sentence(subject)}{took}"
    if not {*subject.routes} <= {one.route for one in subject.deliveries}:
        yield "routes", "; ".join(subject.routes)
    if subject.redelivered:
        yield "repeated", f"the broker had given it out {counted(subject.redelivered, 'time')} before"
    if subject.kind == OPERATOR and subject.reason:
        yield "note", subject.reason


def _about(subject: Passage) -> str:
    parts = []
    if subject.devices:
        shown = ", ".join(subject.devices[:_MOST_DEVICES])
        more = len(subject.devices) - _MOST_DEVICES
        parts.append(f"devices {shown}{f' and {more:,} more' if more > 0 else ''}")
    if subject.events:
        shown = ", ".join(_event(one) for one in subject.events[:_MOST_EVENTS])
        more = len(subject.events) - _MOST_EVENTS
        parts.append(f"events {shown}{f' and {more:,} more' if more > 0 else ''}")
    return "; ".join(parts)


def _event(written: str) -> str:
    try:
        return f"{written} ({EventType.parse(written).meaning})"
    except BadCode:
        return written


def _show_refusal(subject: Passage) -> None:
    if subject.kind == OPERATOR or not (subject.rule or subject.reason or to_do(subject)):
        return
    out.print(Text("\nWhy", style="bold"))
    if subject.reason:
        show_indented(subject.reason, indent=2)
    if subject.rule:
        show_indented(rule_in_words(subject.rule), indent=2, label="rule")
    if subject.code:
        show_indented(meaning(subject.code), indent=2, label="code")
    if advice := to_do(subject):
        show_indented(advice, indent=2, label="to do", style="bold")


def rule_in_words(rule: str) -> str:
    """Say what a rule demands, and mark what is our reading."""
    if rule.startswith(_CONSTRAINT):
        return f"{rule}: a constraint of XML Schema; the message is not valid by the schema of its envelope or payload"
    found = next((one for one in (*READING_RULES, *RULES, *WAY_RULES) if one.id == rule), None)
    if found is None:
        return rule
    return f"{rule}: {found.summary}{' [inferred]' if found.inferred else ''}"


def _show_deliveries(subject: Passage) -> None:
    if not subject.deliveries:
        return
    out.print(Text("\nDeliveries", style="bold"))
    rows = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        rows.add_column(overflow="fold")
    for one in subject.deliveries:
        confirmed = "not confirmed by the broker" if one.seconds is None else f"confirmed after {lasted(one.seconds)}"
        route = f", by route {one.route}" if one.route else ""
        said = printable(f"{confirmed}, {attempts(one.attempts)}{route}")
        place = printable(f"{one.place}")
        rows.add_row(f"  {printable(one.system)}", place, Text(said, style="bold red" if one.seconds is None else ""))
    out.print(rows)


def _show_later(story: Story) -> None:
    if not story.by_hand and not story.again:
        return
    out.print(Text("\nWhat operators did, and the same MessageID again", style="bold"))
    for one in sorted([*story.by_hand, *story.again], key=lambda one: one.id):
        if one.kind == OPERATOR:
            note = f": {one.reason}" if one.reason else ""
            said = f"{full(one.at)}  {one.source or 'somebody'} {outcome_of(one)} it{note}"
        else:
            word = "came again" if one.id > story.subject.id else "had come before"
            said = f"{full(one.at)}  {word} ({short(one.id)}): {outcome_sentence(one)}"
        show_indented(said, indent=2)


def show_body(subject: Passage, *, as_is: bool) -> None:
    """Print the message itself, laid out for reading or as it is."""
    out.print(Text(f"\nBody: {kept(subject)}", style="bold"))
    if subject.body is None:
        return
    for line in lines_of(subject.body) if as_is else _laid_out(subject.body):
        out.print(Text(printable(line)), soft_wrap=True)


def _laid_out(body: bytes) -> list[str]:
    """Give the lines of a message indented by its elements; as it is where it cannot be read."""
    try:
        root = parse(body)
    except Unreadable:
        return lines_of(body)
    etree.indent(root, space="  ")
    return etree.tostring(root, encoding="unicode").splitlines()
