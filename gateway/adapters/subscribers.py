"""Everyone who binds a queue to `cim.out`: each event goes there once, with headers that say what it is about.

The headers begin with `cim-`, which no partner's own can: what comes in with such a name does not travel on.

`cim-source`, `cim-noun`, `cim-verb` are the header's own. `cim-event:3.26.0.85` and `cim-control:3.31.0.23` are true
for each type in the payload, `cim-domain:26` for each domain of those; of each at most 20, and `cim-more` is true
where there are more, or where a type is no code but a name or an id. `cim-devices` counts the devices that are named,
usage points where no device is. `cim-severity` is there where all that say one say the same. `cim-sub:NAME` marks what
the gateway has judged for a subscription.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from gateway.adapters.adapter import properties_of, repairs_of
from gateway.codes.patterns import CodeKind
from gateway.endpoints import AmqpAddress, Publication
from gateway.endpoints.amqp import OUT_EXCHANGE, HeaderValue
from gateway.message import Finding, Message, MessageKind
from gateway.message.subjects import NOTHING, Subjects
from gateway.subscriptions import Marker

_MOST: Final = 20
_LONGEST: Final = 1_000
_MORE: Final = "cim-more"
_NO_MARKS: Final = Marker()
_PREFIXES: Final = {CodeKind.EVENT: "cim-event:", CodeKind.CONTROL: "cim-control:"}


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Whoever has bound a queue to `cim.out`, taken together. They hear `all_events`, or those of the gateway alone.

    `marker` judges for the subscriptions whose filters headers cannot judge.
    """

    context: str
    all_events: bool = True
    marker: Marker = _NO_MARKS

    def hear(self, message: Message, *, follows: bool) -> bool:
        """Tell whether a message is published for them; `follows` marks an event that the gateway itself publishes."""
        return message.kind is MessageKind.EVENT and (self.all_events or follows)

    def publication(
        self,
        message: Message,
        subjects: Subjects,
        *,
        passed_on: Mapping[str, HeaderValue],
        repeated: bool,
        unwanted: Callable[[], Finding] | None,
    ) -> Publication:
        """Give what is to be published of an event, with the ids it has, never to be answered.

        Where `unwanted` is given somebody must take it; else it is no harm that nobody is bound.
        """
        header = message.header
        about = event_headers(message, subjects)
        marks = self.marker.marks(header, subjects if message.payload is not None else NOTHING, more=_MORE in about)
        headers = {**passed_on, **repairs_of(message), **about, **marks}
        return Publication(
            AmqpAddress(OUT_EXCHANGE, f"{self.context}.EVENTS.{header.noun}.{header.verb}"),
            message.raw,
            properties_of(header, headers=headers, repeated=repeated),
            header,
            mandatory=unwanted is not None,
            unwanted=unwanted,
        )


def event_headers(message: Message, subjects: Subjects) -> dict[str, HeaderValue]:
    """Give the AMQP headers that tell what an event is about (see the module)."""
    header = message.header
    headers: dict[str, HeaderValue] = {"cim-noun": header.noun, "cim-verb": header.verb}
    if header.source:
        headers["cim-source"] = header.source[:_LONGEST]
    if message.payload is None:
        return headers
    headers["cim-devices"] = subjects.devices or subjects.points
    if subjects.codes:
        _add_codes(headers, subjects.codes)
    if len(subjects.severities) == 1:
        headers["cim-severity"] = next(iter(subjects.severities))[:_LONGEST]
    return headers


def _add_codes(headers: dict[str, HeaderValue], codes: AbstractSet[tuple[CodeKind, str]]) -> None:
    names: dict[str, set[str]] = {}
    more = False
    for kind, code in codes:
        more = more or bool(code and not kind.well_formed(code))
        if kind.well_formed(code):  # an AMQP name is short, and a stranger's text need not be
            prefix = _PREFIXES[kind]
            names.setdefault(prefix, set()).add(prefix + code)
            names.setdefault("cim-domain:", set()).add("cim-domain:" + code.split(".")[1])
    for found in names.values():
        headers.update(dict.fromkeys(sorted(found)[:_MOST], True))
    if more or any(len(found) > _MOST for found in names.values()):
        headers[_MORE] = True
