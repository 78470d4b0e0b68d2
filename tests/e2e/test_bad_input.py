"""Bad input, each kind sent between good messages: a clear reason in the dead letters, and the neighbours unharmed."""

import base64
import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.broker.partner import Arrival
from tests.e2e.harness import SYSTEMS, account, depth, drain, make_queue, running, send_all, until
from tests.e2e.traffic import Sample, parts, payload_of, readings

KEY = "TESTING.EVENTS.MeterReadings.created"
EVENT = parts("MeterReadings", "created").xml()


def _event(payload: str) -> bytes:
    made = parts("MeterReadings", "created")
    made.payload = payload
    return made.xml()


def _compressed(text: str) -> bytes:
    return _event(f"  <Payload><Compressed>{text}</Compressed></Payload>\n")


def _doctype(declaration: str, reference: str) -> bytes:
    body = parts("MeterReadings", "created").xml().decode()
    head, _, rest = body.partition("\n")
    return f"{head}\n<!DOCTYPE EventMessage [{declaration}]>\n{rest.replace('GEN', reference)}".encode()


LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {c} "{f"&{b};" * 10}">' for b, c in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMB = base64.b64encode(gzip.compress(b" " * 300_000_000)).decode()

BAD = {
    "not XML": (b"Dear sirs, please find the readings attached.", "1.8", "xml-not-well-formed"),
    "an empty body": (b"", "1.8", "xml-empty"),
    "billion laughs": (_doctype(LAUGHS, "&i;"), "1.8", "xml-doctype"),
    "an external entity": (_doctype('<!ENTITY x SYSTEM "file:///etc/hostname">', "&x;"), "1.8", "xml-doctype"),
    "10,000 elements deep": (_event(f"<Payload>{'<a>' * 10_000}{'</a>' * 10_000}</Payload>"), "1.8", "xml-depth"),
    "a wrong encoding": (
        EVENT.replace(b"GEN", "Zürich".encode("latin-1")),
        "1.8",
        "xml-not-well-formed",
    ),
    "two payload roots": (
        _event(payload_of("MeterReadings", "a").replace("</Payload>", '<x xmlns="urn:other"/></Payload>')),
        "1.8",
        "one-payload",
    ),
    "an unknown noun": (EVENT.replace(b"<Noun>Meter", b"<Noun>Metre"), "2.5", "noun-unknown"),
    "an unknown verb": (
        EVENT.replace(b"<Verb>created", b"<Verb>explode"),
        "2.9",
        "cvc-enumeration-valid",
    ),
    "noun and payload that disagree": (_event(payload_of("MeterReadSchedule", "a")), "2.5", "noun-of-payload"),
    "bad base64": (_compressed("this is no base64!"), "1.8", "compressed-base64"),
    "a zip bomb": (_compressed(BOMB), "1.8", "compressed-bomb"),
    "no header": (b'<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"/>', "1.5", "header-unusable"),
    "another document": (b'<invoice xmlns="urn:x"/>', "1.8", "envelope-root"),
}  # fmt: skip


async def _through(url: str, folder: Path, sample: Sample) -> dict[str, list[Arrival]]:
    """Send one bad message between good ones; give what arrived where."""
    before, after = readings(2)
    samples = [before, sample, after]
    await make_queue(url, "replies")
    async with running(url, folder) as gateway:
        await send_all(url, samples)
        await until(lambda: _empty(url), "the intake is empty")
    assert not gateway.events("internal error")
    taken = await drain(url, (*SYSTEMS, "cim.dead", "cim.in.TESTING", "cim.in.unbound"))
    account(samples, taken)
    return taken


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_is_dead_lettered_once_with_a_clear_reason(amqp_url: str, tmp_path: Path, name: str) -> None:
    body, code, rule = BAD[name]
    taken = await _through(amqp_url, tmp_path, Sample(name, name, body, KEY, dead=code))
    [letter] = taken["cim.dead"]
    assert letter.body == body
    assert (letter.headers["code"], letter.headers["rule"]) == (code, rule)
    assert letter.headers["text"]
    assert letter.headers["advice"]
    assert letter.headers["attempts"] == 1


async def test_100_megabytes_of_one_element_are_refused_unread(amqp_url: str, tmp_path: Path) -> None:
    body = _event(f"  <Payload><a xmlns='urn:x'>{'9' * 100_000_000}</a></Payload>\n")
    taken = await _through(amqp_url, tmp_path, Sample("100 MB", "100 MB", body, KEY, dead="1.8"))
    assert taken["cim.dead"][0].headers["rule"] == "message-too-large"


async def test_a_huge_id_harms_nobody_and_arrives_untouched(amqp_url: str, tmp_path: Path) -> None:
    body = EVENT.replace(b"<MessageID>", b"<MessageID>" + b"9" * 10**6)
    await _through(amqp_url, tmp_path, Sample("huge id", "huge id", body, KEY, to=frozenset({"MDM", "CIS"})))


async def test_an_external_entity_is_never_read(amqp_url: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do-not-tell")
    body = _doctype(f'<!ENTITY x SYSTEM "{secret.as_uri()}">', "&x;")
    taken = await _through(amqp_url, tmp_path, Sample("xxe", "xxe", body, KEY, dead="1.8"))
    assert "do-not-tell" not in repr(taken)


async def test_a_past_tense_request_and_a_missing_reply_address_are_answered(amqp_url: str, tmp_path: Path) -> None:
    made = parts("EndDeviceControls", "created")
    made.kind = "RequestMessage"
    past = Sample("past tense", made.id, made.xml(), KEY, dead="2.9")
    made = parts("MeterReadings", "get")
    made.after_source = "    <AsyncReplyFlag>true</AsyncReplyFlag>\n"
    lacking = Sample("no address", made.id, made.xml(), KEY, dead="1.5")
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path):
        await send_all(amqp_url, [past, lacking])
        await until(lambda: _replies(amqp_url, 2), "two replies")
    replies = {arrival.correlation_id: arrival for arrival in (await drain(amqp_url, ["replies"]))["replies"]}
    assert replies[past.id].headers["rule"] == "verb-of-kind"
    assert replies[lacking.id].headers["rule"] == "async-reply-address"


async def _replies(url: str, count: int) -> bool:
    return await depth(url, "replies") == count


async def test_a_routing_key_that_nothing_binds_ends_in_the_dead_letters(amqp_url: str, tmp_path: Path) -> None:
    [good] = readings(1)
    stray = replace(good, key="NOWHERE.EVENTS.MeterReadings.created", to=frozenset(), dead="5.2")
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path):
        await send_all(amqp_url, [stray])
        await until(lambda: _dead(amqp_url, 1), "a dead letter")
    [letter] = (await drain(amqp_url, ["cim.dead"]))["cim.dead"]
    assert letter.headers["reason"] == "unbound"
    assert "NOWHERE" in str(letter.headers["text"])


async def _dead(url: str, count: int) -> bool:
    return await depth(url, "cim.dead") == count
