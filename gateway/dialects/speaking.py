"""Writes to a partner as it writes itself: the reverse of what was translated and undone when it was read."""

from lxml import etree

from gateway.dialects.typed import make_typed
from gateway.message import EnvelopeVersion
from gateway.message.namespaces import BY_NAMESPACE
from gateway.message.nouns import OPERATION_SET, get_profile
from gateway.message.parsing import parse
from gateway.message.places import local_name, tag_of
from gateway.message.speech import CANONICAL, Speech
from gateway.message.verbs import MessageKind
from gateway.validation.wording import local, namespace


def spoken_version(version: EnvelopeVersion, speech: Speech, noun: str) -> EnvelopeVersion:
    """Give the version of the envelope in which a partner writes what we read in `version`, if it is one we know.

    Of a set it is `version` itself: the draft has none, so who asks for one in its namespace writes the final form.
    """
    if noun == OPERATION_SET:
        return version
    return BY_NAMESPACE.get(speech.namespaces.theirs(version.namespace) or "", version)


def speak(body: bytes, speech: Speech) -> bytes:
    """Write a message of ours as the partner would; the same bytes where it writes as the standard has it.

    Raises `Unreadable` for what is no XML, which a message of the gateway's own and one that was checked never are.
    """
    if speech == CANONICAL:
        return body
    root = parse(body)
    envelope = namespace(tag_of(root))
    _nouns(root, envelope, dict(reversed([(ours, theirs) for theirs, ours in speech.nouns])))
    if speech.typed and local_name(root) != MessageKind.GENERIC:
        make_typed(root, speech.typed)
    for element in root.iter():
        tag = tag_of(element)
        theirs = speech.namespaces.theirs(namespace(tag))
        if theirs is not None:
            element.tag = f"{{{theirs}}}{local(tag)}"
    etree.cleanup_namespaces(root)
    if speech.soap:
        wrapped: etree._Element = etree.Element(f"{{{speech.soap}}}Envelope", nsmap={"soap": speech.soap})
        etree.SubElement(wrapped, f"{{{speech.soap}}}Body").append(root)
        root = wrapped
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", with_tail=False)


def _nouns(root: etree._Element, envelope: str, theirs_of: dict[str, str]) -> None:
    """Write our nouns as theirs: in the header, in operations, and as the roots of payloads and Get profiles."""
    if not theirs_of:
        return
    own = f"{{{envelope}}}"
    for element in root.iter(own + "Noun", own + "noun"):
        element.text = theirs_of.get(element.text or "", element.text)
    profiles = {get_profile(ours): get_profile(theirs) for ours, theirs in theirs_of.items()}
    for element in root.iter(own + "Payload", own + "Operation", own + "Request"):
        for child in element:
            tag = tag_of(child)
            name = {**theirs_of, **profiles}.get(local(tag))
            if name is not None and not tag.startswith(own):
                child.tag = f"{{{namespace(tag)}}}{name}"
