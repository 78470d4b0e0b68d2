"""How grave a rule is for whom: a site may make a rule an error, a warning, or silent, for all sources or for one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from gateway.message import Finding, Severity
from gateway.validation.outside import READING_RULES, WAY_RULES
from gateway.validation.registry import RULES
from gateway.validation.wording import listed, nearest, shortened

EVERY_SOURCE: Final = "*"
"""The key of what holds for all sources."""

LEVELS: Final[Mapping[str, Severity | None]] = MappingProxyType(
    {"error": Severity.ERROR, "warning": Severity.WARNING, "off": None}
)
"""The words by which a site sets a severity."""

_RULES: Final = {rule.id: rule for rule in (*RULES, *READING_RULES, *WAY_RULES)}
_NOTHING: Final[Mapping[str, Severity | None]] = MappingProxyType({})


class BadLevels(ValueError):  # noqa: N818 - says what the levels are
    """Levels that cannot be set: an unknown rule or word, or a rule whose severity is fixed. One fault a line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Severities:
    """Severities by source (Header.Source) and rule; None switches a rule off.

    What `*` says holds for every source, except where the source's own entry says otherwise of the same rule. A
    message without a source has what `*` says.
    """

    by_source: Mapping[str, Mapping[str, Severity | None]] = field(default_factory=dict)
    _merged: Mapping[str, Mapping[str, Severity | None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for_all = self.by_source.get(EVERY_SOURCE, _NOTHING)
        merged = {source: MappingProxyType({**for_all, **own}) for source, own in self.by_source.items()}
        object.__setattr__(self, "_merged", merged)

    @classmethod
    def read(cls, levels: Mapping[str, Mapping[str, str]]) -> "Severities":
        """Read levels as a site writes them: `error`, `warning` or `off`, by source and rule. Raises `BadLevels`."""
        problems = [problem for source, words in levels.items() for problem in problems_of(words, source)]
        if problems:
            raise BadLevels(problems)
        return cls({source: {rule: LEVELS[word] for rule, word in words.items()} for source, words in levels.items()})

    def of(self, source: str | None) -> Mapping[str, Severity | None]:
        """Give the severities that a site has set for a source; rules that are not in it keep their own."""
        own = self._merged.get((source or "").strip())
        return self._merged.get(EVERY_SOURCE, _NOTHING) if own is None else own


AS_DECLARED: Final = Severities()
"""The severities that the rules themselves declare."""


def applied(findings: Iterable[Finding], levels: Mapping[str, Severity | None]) -> list[Finding]:
    """Give the findings as they count where these severities are set."""
    return [_at(finding, levels) for finding in findings if levels.get(finding.rule, finding.severity) is not None]


def problems_of(levels: Mapping[str, str], source: str = EVERY_SOURCE) -> list[str]:
    """Tell what is wrong with the levels of one source; an empty list where nothing is."""
    return [problem for rule, word in levels.items() if (problem := _problem(rule, word, source))]


def _problem(rule: str, word: str, source: str) -> str:
    where = f"'{shortened(rule)}'" if source == EVERY_SOURCE else f"'{shortened(rule)}' (source '{shortened(source)}')"
    known = _RULES.get(rule)
    if known is None and rule.startswith("cvc-"):
        return f"{where} is a constraint of XML Schema; only cimgate's own rules can be set, see `cimgate rules`"
    if known is None:
        close = nearest(rule, _RULES)
        return f"{where} is no rule; " + (f"did you mean '{close}'?" if close else "`cimgate rules` lists them")
    if known.fixed:
        return f"{where} cannot be set: {known.fixed}"
    if word not in LEVELS:
        return f"{where} is '{shortened(word)}', which is not {listed(tuple(LEVELS), 'or')}"
    return ""


def _at(finding: Finding, levels: Mapping[str, Severity | None]) -> Finding:
    severity = levels.get(finding.rule, finding.severity)
    if severity is None or severity is finding.severity:
        return finding
    return replace(finding, severity=severity)
