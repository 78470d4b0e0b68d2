"""How conversations look: in a list, told as a story, and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from gateway.cli._progress import ALARM, leg_in_words, state_in_words, state_name, waiting
from gateway.cli._replies import meaning, message_of, reply_in
from gateway.cli._sequence import ASCII, UNICODE, rows_of
from gateway.cli._shared import counted, out, printable, show_indented
from gateway.cli._story import Moment, Said, Tone, last_word, story_of
from gateway.cli._times import clock, full, lasted, roughly

if TYPE_CHECKING:
    from gateway.cli._story import Story
    from gateway.conversations import Conversation, State
    from gateway.message import ReplyError
    from gateway.store import Entry, Stored

_SHORTEST_ID: Final = 8
_MOST_NAMES: Final = 3
_MOST_REASONS: Final = 3
_STYLES: Final = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.DOUBTFUL: "yellow",
    Tone.FAINT: "dim",
}
_STATES: Final = {
    "done": "green",
    "failed": "bold red",
    "timed_out": "bold red",
    "cancelled": "yellow",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation with all that was said in it; `at` is the time of looking."""

    stored: "Stored"
    conversation: "Conversation"
    entries: "Sequence[Entry]"
    at: float

    @property
    def took(self) -> float | None:
        """Seconds until the asker had the last answer; None while it has not."""
        ended = last_word(self.conversation, self.entries)
        return None if ended is None else ended - self.conversation.opened

    @property
    def story(self) -> "Story":
        """The story that is told."""
        return story_of(self.conversation, self.entries, self.at)

    @property
    def title(self) -> str:
        """What was asked, and by whom."""
        now = self.conversation
        return printable(f"{now.verb}({now.noun}) asked by {now.asker.source or 'somebody without a Source'}")


def show_list(told: Sequence[Told]) -> None:
    """Print a line each; long requests are cut and systems folded where the screen is narrow."""
    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for name in ("opened", "id", "asker", "request"):
        rows.add_column(name, no_wrap=True, overflow="ellipsis", min_width=0 if name != "request" else 18)
    rows.add_column("answered", overflow="fold")
    words = [word for one in told for word in state_name(one.conversation).split()]
    rows.add_column("state", overflow="fold", min_width=max(map(len, words), default=0))
    rows.add_column("took", no_wrap=True)
    length = telling_apart([one.conversation.id for one in told])
    for one in told:
        now, took = one.conversation, one.took
        state = Text(state_name(now), style=_style(now.state))
        if now.alarm:
            state.append(" ALARM", style="bold red")
        rows.add_row(
            clock(now.opened, one.at),
            now.id[:length],
            printable(now.asker.source),
            printable(f"{now.verb}({now.noun})"),
            _answered(now),
            state,
            roughly(took) if took is not None else "" if now.final else f"{roughly(one.at - now.opened)} ...",
        )
    out.print(rows)


def telling_apart(ids: Sequence[str]) -> int:
    """Give how much of each id is to be shown: ids made at the same time begin alike."""
    ordered = sorted(set(ids))
    return max((_SHORTEST_ID, *(_alike(*pair) + 1 for pair in pairwise(ordered))))


def _alike(one: str, other: str) -> int:
    return next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))


def show_story(told: Told) -> None:
    """Print one conversation: what it is, who said what when, what the codes mean, what is waited for."""
    now = told.conversation
    out.print(Text.assemble((told.title, "bold"), f"  {now.id}"), soft_wrap=True)
    for label, text in header_lines(told):
        show_indented(text, indent=2, label=label, style=_style(now.state) if label == "state" else "")
    out.print()
    glyphs = ASCII if out.options.ascii_only else UNICODE
    story = told.story
    for row in rows_of(story, out.width, glyphs):
        style = "bold" if row.head else _STYLES[row.tone]
        line = Text.assemble((row.time, "dim"), (row.lines, "bold" if row.head else ""), (row.words, style))
        line.rstrip()
        out.print(line, soft_wrap=True)
    out.print()
    _show_legs(told)
    _show_codes(told, story.codes)
    _show_waiting(told)


def header_lines(told: Told) -> list[tuple[str, str]]:
    """Give what is to be known of a conversation at once, a label and a text each."""
    now, asker = told.conversation, told.conversation.asker
    ids = [f"MessageID {asker.message_id}"] if asker.message_id else []
    if asker.echoed_id and asker.echoed_id != asker.message_id:
        ids.append(f"CorrelationID {asker.echoed_id}")
    address = asker.reply_address or (f"queue:{asker.reply_to} (AMQP reply_to)" if asker.reply_to else "")
    limit = "" if now.deadline == now.opened else f", {lasted(now.deadline - now.opened)} after it was opened"
    alarm = f"; {ALARM}{now.alarm}" if now.alarm else ""
    lines = [
        ("state", f"{state_in_words(now, told.took)}{alarm}"),
        ("opened", full(now.opened)),
        ("deadline", full(now.deadline) + limit),
        ("ids", ", ".join(ids) or "none: replies can be matched by the gateway only"),
        ("answer", f"to {address}" if address else "to where the source reads its messages, if that is known"),
    ]
    if now.kind != "request":
        lines.insert(1, ("kind", now.kind))
    return [(label, printable(text)) for label, text in lines]


def as_json(told: Told) -> dict[str, object]:
    """Give all of it for programs: times as text with their offset and as seconds, bodies left out."""
    now = told.conversation
    story = told.story
    return {
        **summary(told),
        "deadline": full(now.deadline),
        "reply_address": now.asker.reply_address or None,
        "reply_to": now.asker.reply_to or None,
        "mode": now.mode.value,
        "legs": [
            {
                "id": leg.id,
                "system": leg.system,
                "verb": leg.verb,
                "noun": leg.noun,
                "outcome": leg.outcome,
                "acknowledged": leg.acknowledged,
                "parts": leg.parts,
                "operation_id": leg.operation_id,
                "role": leg.role.value,
                "in_words": leg_in_words(leg),
            }
            for leg in now.legs
        ],
        "lifelines": [{"name": one.name, "role": one.role} for one in story.lifelines],
        "happenings": [_happening(story, one) for one in story.happenings],
        "codes": {code: meaning(code).partition("  ")[2] for code in story.codes},
        "reasons": reasons_of(told),
        "unconfirmed": list(now.outbox),
        "waiting": waiting(now, told.at),
    }


def summary(told: Told) -> dict[str, object]:
    """Give what the list shows, for programs."""
    now, asker = told.conversation, told.conversation.asker
    return {
        "id": now.id,
        "opened": full(now.opened),
        "source": asker.source,
        "message_id": asker.message_id or None,
        "correlation_id": asker.echoed_id or None,
        "kind": now.kind.value,
        "verb": now.verb,
        "noun": now.noun,
        "systems": list(dict.fromkeys(leg.system for leg in now.legs)),
        "state": now.state.value,
        "result": now.result,
        "final": now.final,
        "alarm": now.alarm or None,
        "took": told.took,
        "open_for": None if now.final else told.at - now.opened,
    }


def _happening(story: "Story", one: Said | Moment) -> dict[str, object]:
    if isinstance(one, Moment):
        return {"offset": one.offset, "moment": one.text}
    return {
        "offset": one.offset,
        "from": story.lifelines[one.sender].name,
        "to": story.lifelines[one.receiver].name,
        "what": one.what,
        "result": one.result or None,
        "codes": list(one.codes),
        "after": one.after,
        "notes": list(one.notes),
        "message_id": one.message_id or None,
        "correlation_id": one.correlation_id or None,
    }


def _answered(now: "Conversation") -> str:
    """Say how many of which systems have given their last reply, and how many parts came where they are more."""
    ended = sum(not leg.open for leg in now.legs)
    parts = sum(leg.parts for leg in now.legs)
    names = list(dict.fromkeys(leg.system for leg in now.legs))
    more = f" +{len(names) - _MOST_NAMES}" if len(names) > _MOST_NAMES else ""
    told = printable(f"{ended}/{len(now.legs)} {' '.join(names[:_MOST_NAMES])}{more}") if names else ""
    return f"{told}, {parts} parts" if parts > max(1, ended) else told


def _style(state: "State") -> str:
    return _STATES.get(state.value, "yellow")


def _show_legs(told: Told) -> None:
    if not told.conversation.legs:
        return
    out.print(Text("Systems asked (the id is MessageID and CorrelationID of the request to each)", style="bold"))
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True, style="dim")
    rows.add_column(overflow="fold")
    for leg in told.conversation.legs:
        rows.add_row(f"  {printable(leg.system)}", leg.id, Text(printable(leg_in_words(leg))))
    out.print(rows)


def _show_waiting(told: Told) -> None:
    said = waiting(told.conversation, told.at)
    if not said:
        return
    out.print(Text("Not settled", style="bold"))
    for sentence in said:
        show_indented(sentence, indent=2, style="bold red" if sentence.startswith(ALARM) else "yellow")
    if told.conversation.alarm:
        show_indented(f"When it is mended: cimgate conversations close {told.conversation.id}", indent=2, style="dim")


def _show_codes(told: Told, codes: Sequence[str]) -> None:
    if not codes:
        return
    out.print(Text("Codes, and the reasons given with them", style="bold"))
    reasons = reasons_of(told)
    for code in sorted(codes):
        show_indented(meaning(code), indent=2)
        given = reasons.get(code, ())
        for reason in given[:_MOST_REASONS]:
            show_indented(reason, indent=7, style="dim")
        if len(given) > _MOST_REASONS:
            out.print(Text(f"       and {counted(len(given) - _MOST_REASONS, 'other reason')}", style="dim"))


def reasons_of(told: Told) -> dict[str, tuple[str, ...]]:
    """Give, for each code, who said why: read from the replies that are kept and from the gateway's own answers."""
    found: dict[str, dict[str, None]] = {}
    for entry in told.entries:
        reply = reply_in(message_of(entry.body)) if entry.body is not None and entry.codes else None
        for error in reply.errors if reply is not None else ():
            _add_reason(found, entry.system or "?", error)
    for answer in told.conversation.answers:
        for error in answer.errors:
            _add_reason(found, "cimgate", error)
    return {code: tuple(reasons) for code, reasons in found.items()}


def _add_reason(found: dict[str, dict[str, None]], by: str, error: "ReplyError") -> None:
    """Note a reason once; what only repeats the meaning of its code says nothing."""
    said = ": ".join(part.strip() for part in (error.reason, error.details) if part and part.strip())
    code = error.code.strip()
    if said and said not in meaning(code):
        found.setdefault(code, {})[printable(f"{by}: {said}")] = None
