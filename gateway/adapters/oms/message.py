"""The message that an outage management system gets: created(EndDeviceEvents), an event for each report of a batch."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lxml import etree

from gateway.adapters.oms.report import Report
from gateway.codes import CodeKind
from gateway.message import Envelope, EnvelopeVersion, Header, MessageKind, Verb, build
from gateway.message.envelope import Payload
from gateway.message.instants import from_microseconds
from gateway.message.nouns import profile_namespace
from gateway.outages import DeviceName, What

NOUN = "EndDeviceEvents"


def batch_message(
    batch: Sequence[Report], header: Header, ids: Iterator[str], version: EnvelopeVersion = EnvelopeVersion.FINAL
) -> bytes:
    """Write a batch as one message, valid by our schemas. Verb and noun of the header are set here.

    Each event keeps its type, its severity, its time (that of arrival where its own could not be right) and its mRID;
    `ids` give one where it had none. Raises `NotExpressible` as `build` does.
    """
    space = f"{{{profile_namespace(NOUN)}}}"
    root: etree._Element = etree.Element(f"{space}{NOUN}", nsmap={None: profile_namespace(NOUN)})
    for report in batch:
        _event(root, space, report, report.event_id or next(ids))
    envelope = Envelope(
        MessageKind.EVENT, replace(header, verb=Verb.CREATED.value, noun=NOUN), payload=Payload(content=(root,))
    )
    return build(envelope, version)


def _event(root: etree._Element, space: str, report: Report, mrid: str) -> None:
    event = etree.SubElement(root, f"{space}EndDeviceEvent")
    device = report.device
    _text(event, f"{space}mRID", mrid)
    at = from_microseconds(report.at).replace(tzinfo=None)
    _text(
        event, f"{space}createdDateTime", f"{at.isoformat(timespec='milliseconds' if at.microsecond else 'seconds')}Z"
    )
    if reason := _REASONS.get(report.what):
        _text(event, f"{space}reason", reason)
    _text(event, f"{space}severity", report.severity)
    if device.mrid or device.names:
        _named(etree.SubElement(event, f"{space}Assets"), space, device.mrid, device.names)
    etree.SubElement(event, f"{space}{CodeKind.EVENT.element}", ref=report.code)
    if device.point_mrid or device.point_names:
        _named(etree.SubElement(event, f"{space}UsagePoint"), space, device.point_mrid, device.point_names)


_REASONS = {What.MOMENTARY: "momentary", What.PARTLY_RESTORED: "a phase is still without power"}
"""What the type of an event does not say, in the words of the outage view."""


def _named(element: etree._Element, space: str, mrid: str, names: Sequence[DeviceName]) -> None:
    _text(element, f"{space}mRID", mrid)
    for name in names:
        group = etree.SubElement(element, f"{space}Names")
        etree.SubElement(group, f"{space}name").text = name.name
        if name.name_type:
            kind = etree.SubElement(group, f"{space}NameType")
            etree.SubElement(kind, f"{space}name").text = name.name_type
            if name.authority:
                authority = etree.SubElement(kind, f"{space}NameTypeAuthority")
                etree.SubElement(authority, f"{space}name").text = name.authority


def _text(parent: etree._Element, name: str, text: str) -> None:
    if text:
        etree.SubElement(parent, name).text = text
