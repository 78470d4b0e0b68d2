"""Dead letters as a person reads them, and as JSON."""

from collections.abc import Sequence
from typing import Any, Final

from rich.text import Text

from gateway.broker.letter import Letter
from gateway.cli._dead_choice import Group
from gateway.cli._excerpt import lines_of
from gateway.cli._faults import show_finding
from gateway.cli._replies import meaning
from gateway.cli._shared import counted, out, printable, show_indented
from gateway.cli._times import clock, full
from gateway.codes import ReplyCode
from gateway.message import Finding
from gateway.pipeline.dead_letter import MASKED, RETRIED
from gateway.pipeline.retrial import NowhereToGo, destination, place_of

_MEANINGS: Final = {
    "unreadable": "no message, or no usable header",
    "invalid": "refused by a schema or a rule",
    "foreign-context": "for another context than this gateway's",
    "unbound": "published with a routing key that nothing binds",
    "unroutable": "no route takes it",
    "no-conversation": "a reply to nothing that was asked",
    "undeliverable": "a receiver's place does not take it",
    "internal-error": "the gateway failed on it",
}
_NOUNS: Final = 3
_LABEL: Final = 15


def letters_of(number: int) -> str:
    """Give `1 dead letter`, `2,000 dead letters`."""
    return "1 dead letter" if number == 1 else f"{number:,} dead letters"


def show_groups(groups: Sequence[Group], now: float) -> None:
    """Print what is wrong, the most frequent first."""
    for group in groups:
        nouns = ", ".join(
            noun if len(group.nouns) == 1 else f"{noun} {n}" for noun, n in group.nouns.most_common(_NOUNS)
        )
        more = f" and {len(group.nouns) - _NOUNS} more" if len(group.nouns) > _NOUNS else ""
        head = Text.assemble((f"{group.letters:>7,}  ", "bold"), (printable(group.reason), "bold red"))
        head.append(printable(f"  {group.rule}, reply code {group.code}"))
        out.print(head, soft_wrap=True)
        show_indented(f"{when(group.first, group.latest, now)}: {nouns}{more}", indent=9, style="dim")
        show_indented(group.text, indent=9)


def when(first: float, latest: float, now: float) -> str:
    """Say from when to when."""
    start, end = clock(first, now), clock(latest, now)
    return start if start == end else f"{start} to {end}"


def show_line(letter: Letter, now: float) -> None:
    """Print one letter in a list."""
    head = Text.assemble((f"{letter.position:>7}  ", "bold"), f"{clock(letter.first_seen, now)}  ")
    head.append(printable(letter.text("reason")), style="red")
    head.append(printable(f"  {letter.text('rule')}, {letter.text('code')}"))
    if line := letter.number("line"):
        head.append(f", line {line:,}")
    if retried := letter.number(RETRIED):
        head.append(f"  retried {times(retried)}", style="yellow")
    out.print(head, soft_wrap=True)
    what = f"{letter.verb}({letter.noun})" if letter.noun else "no readable header"
    receiver = f" to {letter.text('receiver')}" if letter.text("receiver") else ""
    id_ = f"MessageID {letter.message_id}" if letter.message_id else f"letter {letter.id}"
    show_indented(f"{what} from {letter.source or '(no Source)'}{receiver}, {id_}", indent=9, style="dim")


def times(number: int) -> str:
    """Give `once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def show_whole(letter: Letter) -> None:
    """Print all that is known of one letter, with the place in the message that it is about."""
    what = f"{letter.verb}({letter.noun})" if letter.noun else "a message without a readable header"
    reason = letter.text("reason")
    head = Text.assemble((f"{letter.position}  ", "bold"), (printable(reason), "bold red"), f"  {printable(what)}")
    out.print(head, soft_wrap=True)
    out.print()
    finding = _finding(letter)
    if finding is not None:
        show_finding(finding, lines_of(letter.body))
    else:
        show_indented(letter.text("text"), style="bold")
        show_indented(letter.text("advice"), label="to do")
        show_indented(f"{letter.text('rule')}; reply code {meaning(letter.text('code'))}", label="rule")
        out.print()
    for label, text in _facts(letter):
        for number, line in enumerate(Text(printable(text)).wrap(out, max(20, out.width - _LABEL - 2))):
            line.rstrip()
            out.print(Text.assemble((f"  {label if number == 0 else '':<{_LABEL}}", "dim"), line), soft_wrap=True)
    out.print()
    for hint in _hints(letter):
        out.print(Text(printable(hint), style="dim"), soft_wrap=True)


def _finding(letter: Letter) -> Finding | None:
    try:
        code = ReplyCode(letter.text("code"))
    except ValueError:
        return None
    xpath = letter.text("xpath")
    step = xpath.rpartition("/")[2].partition("[")[0].rpartition(":")[2]
    return Finding(
        letter.text("rule"),
        code,
        letter.text("text"),
        letter.text("advice"),
        xpath=xpath,
        line=letter.number("line") or None,
        element="" if step.startswith("@") else step,
    )


def _facts(letter: Letter) -> list[tuple[str, str]]:
    reason = letter.text("reason")
    text = letter.text
    came = f"exchange {text('exchange') or '(default)'}, routing key {text('routing_key') or '(none)'}"
    deliveries = letter.number("attempts")
    facts = [
        ("reason", f"{reason}: {_MEANINGS.get(reason, 'a reason of another release')}"),
        ("source", letter.source),
        ("MessageID", letter.message_id),
        ("CorrelationID", letter.correlation_id),
        ("conversation", text("conversation")),
        ("first seen", full(letter.first_seen)),
        ("retried", f"{times(letter.number(RETRIED))}; the latest try ended {full(letter.written)}"),
        ("came with", came + (f", delivered {times(deliveries)} by the broker" if deliveries > 1 else "")),
        ("not taken by", text("receiver") + (f" (endpoint {text('endpoint')})" if text("endpoint") else "")),
        ("posted", f"{times(letter.number('posts'))}, last HTTP status {text('status') or '(no answer)'}"),
        ("repaired", text("cim-repairs")),
        ("masked", "personal data was taken out of it: it is not the message as it came"),
        ("its sender", _told(text("answered"))),
        ("reply to", letter.reply_to),
        ("goes to", _goes_to(letter)),
        ("size", counted(len(letter.body), "byte")),
        ("letter", letter.id),
    ]
    without = {
        "retried": letter.number(RETRIED) == 0,
        "posted": not text("endpoint"),
        "masked": letter.headers.get(MASKED) is not True,
    }
    return [(label, told) for label, told in facts if told and not without.get(label, False)]


def _told(answered: str) -> str:
    if answered.startswith(("queue:", "topic:", "http")):
        return f"was told so at {answered}; if a retry succeeds it gets a second answer"
    if not answered:
        return ""
    return "was not told: no answer was due" if answered == "not due" else f"was not told: {answered}"


def _goes_to(letter: Letter) -> str:
    try:
        return f"{place_of(destination(letter))}, when it is retried"
    except NowhereToGo as error:
        return f"nowhere by itself. {error}"


def _hints(letter: Letter) -> list[str]:
    id_ = letter.message_id or letter.correlation_id
    named = letter.message_id or letter.id
    hints = [f"its story   cimgate journal show {id_}"] if id_ else []
    if letter.text("conversation"):
        hints.append(f"            cimgate conversations show {letter.text('conversation')}")
    return [
        *hints,
        f"try again   cimgate dead retry {named}",
        f"mend it     cimgate dead edit-and-retry {named}",
        f'give it up  cimgate dead discard {named} --note "why"',
    ]


def as_json(letter: Letter) -> dict[str, Any]:
    """Give a letter as JSON has it."""
    try:
        goes_to = place_of(destination(letter))
    except NowhereToGo:
        goes_to = None
    names = (
        "reason", "rule", "code", "text", "advice", "xpath", "exchange", "routing_key", "receiver", "endpoint",
        "conversation", "answered",
    )  # fmt: skip
    return {
        "number": letter.position,
        "letter": letter.id,
        "first_seen": full(letter.first_seen),
        "verb": letter.verb or None,
        "noun": letter.noun or None,
        "source": letter.source or None,
        "message_id": letter.message_id or None,
        "correlation_id": letter.correlation_id or None,
        **{name: letter.text(name) or None for name in names},
        "line": letter.number("line") or None,
        "retried": letter.number(RETRIED),
        "masked": letter.headers.get(MASKED) is True,
        "goes_to": goes_to,
        "bytes": len(letter.body),
    }
