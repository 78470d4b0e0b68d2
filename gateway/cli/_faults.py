"""A finding as a block that a person can act on."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from gateway.cli._excerpt import Excerpt, excerpt
from gateway.cli._shared import out, printable, show_indented
from gateway.message import Finding, Severity

_LONGEST_VALUE: Final = 300
_LONGEST_TEXT: Final = 1000
_ATTRIBUTE_RULES: Final = ("cvc-type.3.1.1", "cvc-complex-type.3.2.1", "cvc-complex-type.3.2.2")
_STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.REPAIRED: "bold cyan"}


def show_finding(finding: Finding, lines: Sequence[str]) -> None:
    """Print one finding: place, source line, what is wrong, found and allowed, what to do, rule and code.

    `lines` are those of the message.
    """
    out.print(Text("  ").append_text(_heading(finding)), soft_wrap=True)
    if finding.line is not None:
        gutter = len(str(finding.line))
        room = max(20, out.width - gutter - 8)
        source = excerpt(
            lines,
            finding.line,
            element=finding.element,
            attribute=_foreign_attribute(finding),
            found=finding.found,
            column=finding.column,
            width=room,
        )
        if source is not None:
            _show_source(source, gutter)
    show_indented(_short(finding.text, _LONGEST_TEXT), style="bold")
    if finding.found and finding.found not in finding.text:
        show_indented(_short(finding.found), label="found")
    if finding.allowed and not all(word in finding.text for word in finding.allowed):
        show_indented(_short(", ".join(finding.allowed)), label="allowed")
    if finding.advice:
        show_indented(finding.advice, label="to do")
    show_indented(f"{finding.rule}; reply code {finding.code} ({finding.code.meaning})", label="rule")
    out.print()


def _foreign_attribute(finding: Finding) -> str:
    """Give the name of the attribute where the name is the fault, not the value."""
    return finding.xpath.rpartition("/@")[2] if finding.rule in _ATTRIBUTE_RULES else ""


def _heading(finding: Finding) -> Text:
    heading = Text(finding.severity.value, style=_STYLES[finding.severity])
    place = [f"line {finding.line}"] if finding.line is not None else []
    place += [printable(finding.xpath)] if finding.xpath else []
    if place:
        heading.append(" at ", style="default not bold").append(", ".join(place), style="default not bold")
    return heading


def _show_source(source: Excerpt, gutter: int) -> None:
    margin = f"    {source.number:>{gutter}} | "
    blank = " " * (len(margin) - 2) + "| "
    out.print(Text.assemble((margin, "dim"), source.text), soft_wrap=True)
    out.print(Text.assemble((blank, "dim"), (source.marker, "red")), soft_wrap=True)


def _short(text: str, longest: int = _LONGEST_VALUE) -> str:
    return text if len(text) <= longest else text[:longest] + "..."
