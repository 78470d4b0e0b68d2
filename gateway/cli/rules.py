"""`cimgate rules`: what messages are checked for, beyond their schemas."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from gateway.cli._rule_examples import EXAMPLES
from gateway.cli._shared import CommandError, ExitCode, app, command, out, show_indented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.validation import Rule

_CONSTRAINT: Final = "cvc-"
_STYLES: Final = {"error": "red", "warning": "yellow"}
_LEGEND: Final = (
    "[inferred]: our reading or our policy, not read from a source. level fixed: a site cannot set it; the others it "
    "can. `cimgate rules RULE` explains one. Rules that begin with cvc- are constraints of XML Schema."
)
_XSD: Final = (
    "{} is a constraint of XML Schema (W3C): a message that breaks it is not valid by the schema of its envelope or of "
    "what it carries. Always an error; `cimgate noun` shows what a schema allows."
)


@command(app)
def rules(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Explain this rule, with an example.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a rule, on a line of its own.")] = False,
) -> None:
    """List the rules: level, reply code, what each demands and what it rests on; or explain one.

    An error refuses a message, with a warning it passes. [inferred] marks what is our reading, or a policy of ours.
    Exit status: 0, or 1 if there is no such rule.
    """
    from gateway.validation import READING_RULES, RULES, WAY_RULES  # noqa: PLC0415 - heavy

    groups = {
        "Of reading: broken, no other rule is asked": READING_RULES,
        "Of messages": RULES,
        "Of the way through the gateway": WAY_RULES,
    }
    everything = [each for group in groups.values() for each in group]
    chosen = everything if not rule else [_found(rule, everything)] if not rule.startswith(_CONSTRAINT) else []
    if as_json:
        for each in chosen:
            typer.echo(json.dumps(_as_json(each)))
        if not chosen:
            typer.echo(json.dumps({"rule": rule, "level": "error", "demands": _XSD.format(rule)}))
    elif rule and not chosen:
        show_indented(_XSD.format(rule), indent=0)
    elif rule:
        _explain(chosen[0])
    else:
        for title, group in groups.items():
            out.print(Text(f"{title}\n", style="bold"))
            for each in group:
                _list(each)
            out.print()
        show_indented(_LEGEND, indent=0)


def _found(name: str, everything: "Sequence[Rule]") -> "Rule":
    from gateway.validation.wording import nearest, shortened  # noqa: PLC0415 - heavy

    by_id = {each.id: each for each in everything}
    if name in by_id:
        return by_id[name]
    close = nearest(name, by_id)
    advice = f"Did you mean {close}?" if close is not None else "`cimgate rules` lists all."
    raise CommandError(f"There is no rule '{shortened(name)}'.", advice, ExitCode.NOT_FINE)


def _list(rule: "Rule") -> None:
    line = Text.assemble("  ", (f"{rule.id:<24}", "bold"), "  ", (f"{rule.severity:<7}", _STYLES[rule.severity]))
    line.append(f"  {_codes(rule)}" + ("  level fixed" if rule.fixed else ""), style="dim")
    out.print(line, soft_wrap=True)
    show_indented(rule.summary)
    show_indented(f"rests on {_basis(rule)}", style="dim")


def _explain(rule: "Rule") -> None:
    out.print(Text.assemble((rule.id, "bold"), "  ", (rule.severity.value, _STYLES[rule.severity])), soft_wrap=True)
    show_indented(rule.summary, label="demands")
    for code in (rule.code, *rule.other_codes):
        show_indented(f"{code} ({code.meaning})", label="code")
    show_indented(_basis(rule), label="rests on")
    show_indented(f"fixed: {rule.fixed}" if rule.fixed else "can be set, for all sources or for one:", label="level")
    if not rule.fixed:
        other = "warning" if rule.severity == "error" else "error"
        for text in ("[[sources]]", 'name = "*"', f'rules = {{ {rule.id} = "{other}" }}  # or "off"'):
            out.print(Text(f"               {text}"), soft_wrap=True)
    example = EXAMPLES.get(rule.id)
    if example is not None:
        for title, text in (("breaks it", example.wrong), ("does not", example.right)):
            out.print(Text(f"\n    {title} (in {example.noun}):", style="dim"))
            for row in text.splitlines():
                out.print(Text(f"      {row}"), soft_wrap=True)


def _codes(rule: "Rule") -> str:
    return " or ".join((rule.code, *rule.other_codes))


def _basis(rule: "Rule") -> str:
    return rule.source + (" [inferred]" if rule.inferred else "")


def _as_json(rule: "Rule") -> dict[str, Any]:
    example = EXAMPLES.get(rule.id)
    return {
        "rule": rule.id,
        "level": rule.severity,
        "codes": [rule.code, *rule.other_codes],
        "demands": rule.summary,
        "rests_on": rule.source,
        "inferred": rule.inferred,
        "level_fixed": rule.fixed or None,
        "example": example and {"noun": example.noun, "breaks_it": example.wrong, "does_not": example.right},
    }
