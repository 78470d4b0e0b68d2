"""Replies: whether the result, the errors and their codes tell one story."""

import re
from typing import Final

from lxml import etree

from gateway.codes import Level, ReplyCode, Result
from gateway.message import Finding, Message
from gateway.validation.registry import FAILED_WITHOUT_ERROR, RESULT_AND_CODES
from gateway.validation.rules.site import NOTHING, Site
from gateway.validation.wording import listed

_STANDARD: Final = re.compile(r"\d\.\d+", re.ASCII)
"""How the codes of the standard are written; partners' private codes are not, and say nothing here."""
_PARTIAL: Final = (ReplyCode.PARTIAL_RESULT_MORE_IN_SEPARATE_MESSAGES, ReplyCode.PARTIAL_RESULT_FINAL)
_MILD: Final = (Level.INFORM, Level.WARNING)


def reply_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Warn of a reply FAILED that names no error, and of a result that its own codes deny."""
    reply = message.reply
    if reply is None:
        return NOTHING
    prefix = message.version.prefix
    error_tag, result = prefix + "Error", None
    errors: list[etree._Element] = []
    for child in reply:
        if child.tag == error_tag:
            errors.append(child)
        elif child.tag == prefix + "Result":
            result = child.text
    if result == Result.FAILED and not errors:
        text = "The reply says FAILED and names no error."
        return (FAILED_WITHOUT_ERROR.finding(reply, text, "Write at least one Error with its code after Result."),)
    if result == Result.OK and errors:
        return _denied(errors, prefix)
    if result == Result.FAILED and all(_code(error, prefix).startswith("0.") for error in errors):
        code = _code(errors[0], prefix)
        text = f"The reply says FAILED, but its codes ({code}{', ...' if len(errors) > 1 else ''}) tell of success."
        advice = "Write what went wrong as the code of an Error, or OK or PARTIAL as the Result."
        return (RESULT_AND_CODES.finding(errors[0], text, advice, found=code),)
    return NOTHING


def _denied(errors: list[etree._Element], prefix: str) -> tuple[Finding, ...]:
    """Tell of the first error that does not go with OK; an OK may have codes of success, and mild remarks."""
    for error in errors:
        code = _code(error, prefix)
        if code in _PARTIAL:
            text = f"The reply says OK, but the code {code} says that it is partial."
            advice = f"Write PARTIAL as the Result: {listed(_PARTIAL)} go with it. Leave the code out if all is there."
            return (RESULT_AND_CODES.finding(error, text, advice, found=code, allowed=(Result.PARTIAL,)),)
        if code.startswith("0.") or not _STANDARD.fullmatch(code):
            continue
        if error.findtext(prefix + "level") not in _MILD:
            text = f"The reply says OK, but names an error with the code {code}."
            advice = "Write FAILED or PARTIAL as the Result; or the level INFORM or WARNING, if all was done."
            return (RESULT_AND_CODES.finding(error, text, advice, found=code, allowed=(Result.FAILED, Result.PARTIAL)),)
    return NOTHING


def _code(error: etree._Element, prefix: str) -> str:
    return error.findtext(prefix + "code", "").strip()
