"""A message for its next leg: other ids and addresses in its header, another Reply, another version of the envelope."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from lxml import etree

from gateway.message.building import reply_element
from gateway.message.envelope import Property, Reply
from gateway.message.namespaces import SOAP_NAMESPACES, EnvelopeVersion
from gateway.message.places import local_name, tag_of
from gateway.message.verbs import EVENT_OF, REQUEST_VERBS, MessageKind, Verb

_ORDER: Final = (
    *("Verb", "Noun", "Revision", "ReplayDetection", "Context", "Timestamp", "Source", "AsyncReplyFlag"),
    *("ReplyAddress", "AckRequired", "User", "MessageID", "CorrelationID", "Comment", "Property"),
)
_LATER: Final = {name: frozenset(_ORDER[place + 1 :]) for place, name in enumerate(_ORDER)}


def readdress(
    root: etree._Element,
    *,
    message_id: str,
    correlation_id: str,
    reply_address: str | None = None,
    verb: str | None = None,
) -> None:
    """Give a message other ids, in place; without a `correlation_id` it has none. `reply_address` None leaves its own.

    The message is valid before and after: elements that were missing are put where the schema has them.
    """
    header = header_of(root)
    if header is None:
        return
    texts: dict[str, str | None] = {"MessageID": message_id, "CorrelationID": correlation_id or None}
    if reply_address is not None:
        texts["ReplyAddress"] = reply_address
    if verb is not None:
        texts["Verb"] = verb
    write_header(header, texts)


def header_of(root: etree._Element) -> etree._Element | None:
    """Give the header of a message in whatever namespace, in a SOAP envelope too; None where it has none."""
    namespace, _, local = tag_of(root)[1:].rpartition("}")
    if local == "Envelope" and namespace in SOAP_NAMESPACES:
        body = root.find(f"{{{namespace}}}Body")
        return header_of(body[0]) if body is not None and len(body) else None
    return root.find(f"{{{namespace}}}Header" if namespace else "Header")


def write_header(header: etree._Element, texts: Mapping[str, str | None], prop: Property | None = None) -> None:
    """Write elements of a header in place, by their names: None takes one away. A Property replaces its namesake."""
    prefix = tag_of(header).removesuffix("Header")
    for name, text in texts.items():
        _write(header, prefix, name, text)
    if prop is None:
        return
    for element in header.findall(prefix + "Property"):
        if element.findtext(prefix + "Name") == prop.name:
            header.remove(element)
    made = etree.Element(prefix + "Property", nsmap=header.nsmap)
    _place(header, prefix, "Property", made)
    etree.SubElement(made, prefix + "Name").text = prop.name
    etree.SubElement(made, prefix + "Value").text = prop.value


def write_replay_time(header: etree._Element, written: Callable[[str], str]) -> None:
    """Write when the nonce of ReplayDetection was made, in place, where it says so."""
    prefix = tag_of(header).removesuffix("Header")
    created = header.find(f"{prefix}ReplayDetection/{prefix}Created")
    if created is not None:
        created.text = written(created.text or "")


def unaddressed(root: etree._Element) -> bytes:
    """Give what stays the same on every leg of a message's way, as canonical XML: all but ids and reply address."""
    kept = copy.deepcopy(root)
    prefix = f"{{{tag_of(kept)[1:].partition('}')[0]}}}"
    for header in kept.findall(prefix + "Header"):
        for name in ("ReplyAddress", "MessageID", "CorrelationID"):
            for element in header.findall(prefix + name):
                header.remove(element)
    return etree.tostring(kept, method="c14n")


def _write(header: etree._Element, prefix: str, name: str, text: str | None) -> None:
    element = header.find(prefix + name)
    if text is None:
        if element is not None:
            header.remove(element)
        return
    if element is None:
        element = etree.Element(prefix + name, nsmap=header.nsmap)
        _place(header, prefix, name, element)
    element.text = text


def _place(header: etree._Element, prefix: str, name: str, element: etree._Element) -> None:
    following = next((child for child in header if not _stands_before(child, prefix, name)), None)
    if following is None:
        header.append(element)
    else:
        following.addprevious(element)


def _stands_before(child: etree._Element, prefix: str, name: str) -> bool:
    tag = tag_of(child)
    return tag.startswith(prefix) and tag.removeprefix(prefix) not in _LATER[name]


def replace_reply(root: etree._Element, version: EnvelopeVersion, reply: Reply) -> None:
    """Put another Reply in the place of a message's own."""
    own = root.find(f"{{{version.namespace}}}Reply")
    new = reply_element(reply, version)
    if own is None:
        root.insert(1, new)
    else:
        root.replace(own, new)


def convert(root: etree._Element, version: EnvelopeVersion) -> None:
    """Write the envelope in another version, in place, without what the draft cannot say: attributes and ids of errors.

    The draft's User wants an Organization, so an empty one is put in where it is not known.
    """
    theirs = f"{{{version.namespace}}}"
    for element in list(_own(root)):
        element.tag = theirs + local_name(element)
        if version is EnvelopeVersion.DRAFT and local_name(element) in ("ID", "relatedID"):
            above = element.getparent()
            if above is not None and local_name(above) == "Error":
                above.remove(element)
            else:
                element.attrib.clear()
    if version is EnvelopeVersion.DRAFT:
        for user in root.iter(theirs + "User"):
            if user.find(theirs + "Organization") is None:
                etree.SubElement(user, theirs + "Organization").text = ""
    etree.cleanup_namespaces(root)


def _own(root: etree._Element) -> Iterator[etree._Element]:
    """Give the elements of the envelope itself: what stands inside a payload belongs to the payload."""
    prefix = f"{{{tag_of(root)[1:].partition('}')[0]}}}"
    yield root
    waiting: Sequence[etree._Element] = list(root)
    while waiting:
        found = [element for element in waiting if tag_of(element).startswith(prefix)]
        yield from found
        waiting = [child for element in found for child in element]


def serialized(root: etree._Element) -> bytes:
    """Give the bytes of a message."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", with_tail=False)


def past_tense(root: etree._Element, verb: str, operations: Sequence[int] = ()) -> None:
    """Turn a request into the event that follows it, in place: the root, the verb, and no word of replies.

    Of an OperationSet only the `operations` stay (all, where none is named), their verbs in the past tense too.
    """
    prefix = f"{{{tag_of(root)[1:].partition('}')[0]}}}"
    root.tag = prefix + MessageKind.EVENT.value
    for name in ("Request", "Reply"):
        for part in root.findall(prefix + name):
            root.remove(part)
    header = root.find(prefix + "Header")
    if header is not None:
        _write(header, prefix, "Verb", verb)
        for name in ("AsyncReplyFlag", "ReplyAddress", "AckRequired", "ReplayDetection"):
            _write(header, prefix, name, None)
    for operation in root.findall(f"{prefix}Payload/{prefix}OperationSet/{prefix}Operation"):
        above = operation.getparent()
        number, own = operation.findtext(prefix + "operationId", ""), operation.find(prefix + "verb")
        if above is not None and operations and int(number) not in operations:
            above.remove(operation)
        elif own is not None and (own.text or "") in REQUEST_VERBS:
            own.text = EVENT_OF.get(Verb(own.text or ""), own.text)
