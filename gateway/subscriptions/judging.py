"""The whole judgement: whether an event is one that a filter takes."""

from collections.abc import Iterable

from gateway.codes import CodeKind, parse_pattern
from gateway.codes.patterns import compile_patterns
from gateway.message import Header
from gateway.message.subjects import MOST_NAMES, Subjects
from gateway.subscriptions.filters import Filter
from gateway.subscriptions.selecting import Judged, Selection, domain_of, selection
from gateway.subscriptions.values import Subscription


class Judge:
    """Judges events by one filter."""

    def __init__(self, wanted: Filter) -> None:
        self._nouns = frozenset(wanted.nouns)
        self._verbs = frozenset(wanted.verbs)
        self._sources = frozenset(wanted.sources)
        self._devices = frozenset(wanted.devices)
        self._severities = frozenset(map(str.casefold, wanted.severities))
        self._domains = frozenset(filter(None, map(domain_of, wanted.events)))
        patterns = [parse_pattern(CodeKind.EVENT, event) for event in wanted.events]
        self._event = compile_patterns(patterns).fullmatch if patterns else None

    def takes(self, header: Header, subjects: Subjects) -> bool:
        """Tell whether an event is taken.

        One that names more devices than are kept of it is taken by a filter for devices: rather one too many.
        """
        return (
            (not self._nouns or header.noun in self._nouns)
            and (not self._verbs or header.verb in self._verbs)
            and (not self._sources or header.source in self._sources)
            and (self._event is None or any(self._takes_code(*code) for code in subjects.codes))
            and (not self._devices or self._takes_devices(subjects.names))
            and (not self._severities or any(said.casefold() in self._severities for said in subjects.severities))
        )

    def _takes_code(self, kind: CodeKind, code: str) -> bool:
        if not kind.well_formed(code):
            return False
        if kind is CodeKind.EVENT and self._event is not None and self._event(code):
            return True
        return bool(self._domains) and code.split(".")[1] in self._domains

    def _takes_devices(self, names: tuple[str, ...]) -> bool:
        return len(names) >= MOST_NAMES or not self._devices.isdisjoint(names)


class Marker:
    """Judges an event for all subscriptions whose filters headers alone cannot judge."""

    def __init__(self, subscriptions: Iterable[Subscription] = ()) -> None:
        self._judged: list[tuple[Selection, Judge]] = []
        for subscription in subscriptions:
            selected = selection(subscription)
            if selected.judged is not Judged.NEVER:
                self._judged.append((selected, Judge(subscription.filter)))

    def marks(self, header: Header, subjects: Subjects, *, more: bool) -> dict[str, str]:
        """Give the headers that mark an event for those that take it.

        `more` tells that it has more types or domains than its other headers say.
        """
        return dict(
            selected.mark
            for selected, judge in self._judged
            if (more or selected.judged is Judged.ALWAYS) and judge.takes(header, subjects)
        )
