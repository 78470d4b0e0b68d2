"""A message larger than the gateway takes: judged all the same, part by part, without reading it into memory."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.cli._inputs import Chunks
from gateway.message import Finding, Limits, Message, Severity, Unreadable
from gateway.message.feeding import begin
from gateway.message.parsing import too_large
from gateway.validation.streaming import stream_check

if TYPE_CHECKING:
    from gateway.dialects import Interpreter
    from gateway.validation import Checker

_LIMITS: Final = "Or raise max_message_bytes in the settings of the gateway; the broker may have a limit of its own."


def judge_large(
    document: Chunks, interpreter: "Interpreter", checker: "Checker", limits: Limits
) -> tuple[Message | None, tuple[Finding, ...]]:
    """Judge a message of more than `limits.message_bytes`: the message, where it could be read, and what was found.

    The first finding warns of its size.
    """
    refusal = too_large(sum(len(chunk) for chunk in document()), limits).finding
    warning = replace(
        refusal,
        severity=Severity.WARNING,
        text=f"{refusal.text} The gateway would refuse it for that. Its content was judged all the same, in a stream.",
        advice=f"{refusal.advice} {_LIMITS}",
        found="",
    )
    try:
        beginning = begin(document, limits)
        if interpreter.has_dialect(beginning.document):
            advice = "A message in the dialect of its source is read as a whole; only others are judged in a stream."
            return None, (replace(refusal, advice=f"{refusal.advice} {advice}"),)
        streamed = stream_check(checker, document, limits)
    except Unreadable as error:
        return None, ((error.finding,) if error.finding.rule == refusal.rule else (warning, error.finding))
    return streamed.message, (warning, *streamed.verdict.findings)
