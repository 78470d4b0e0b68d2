"""Partners with dialects, through a real gateway: what arrives is the standard's, what goes back is the partner's."""

from pathlib import Path

from lxml import etree

from gateway.broker.partner import Arrival
from tests.dialects.writing import FINAL, event, wrapped
from tests.e2e.harness import GatewayProcess, make_queue, running, send_all, take
from tests.e2e.traffic import Sample

OLD = "http://www.iec.ch/TC57/2010/schema/message"
SITE = f"""
[[sources]]
name = ["HES", "OLD-OMS"]
mode = "lenient"
[sources.namespaces]
"{OLD}" = "{FINAL}"
"http://iec.ch/TC57/2010/*#" = "http://iec.ch/TC57/2011/*#"

[[sources]]
name = "STRICT"
mode = "strict"
"""
EVENTS = "http://iec.ch/TC57/2010/EndDeviceEvents#"
KEY = "TESTING.EVENTS.EndDeviceEvents.created"
QUERY = f"""<RequestMessage xmlns="{OLD}">
  <Header><Verb>get</Verb><Noun>EndDeviceEvents</Noun><Source>HES</Source><ReplyAddress>queue:replies</ReplyAddress>
    <CorrelationID>q-1</CorrelationID></Header>
  <Request><GetEndDeviceEvents xmlns="http://iec.ch/TC57/2010/GetEndDeviceEvents#"><Nothing/></GetEndDeviceEvents></Request>
</RequestMessage>""".encode()
REPLY = f"""<ResponseMessage xmlns="{FINAL}">
  <Header><Verb>reply</Verb><Noun>EndDeviceEvents</Noun><Source>MDM</Source><CorrelationID>q-2</CorrelationID></Header>
  <Reply><Result>OK</Result></Reply>
</ResponseMessage>""".encode()


def _namespaces(arrival: Arrival) -> set[str | None]:
    return {etree.QName(element).namespace for element in etree.fromstring(arrival.body).iter()}


def _site(folder: Path) -> dict[str, str]:
    file = folder / "site.toml"
    file.write_text(SITE)
    return {"config": str(file)}


def _sample(body: bytes, key: str = KEY) -> Sample:
    return Sample("one", "one", body, key)


async def test_an_old_and_untidy_event_arrives_as_the_standard_has_it_with_its_repairs(
    amqp_url: str, tmp_path: Path
) -> None:
    untidy = wrapped(event("Create", noun="SendEndDeviceEvents", envelope=OLD, payload=EVENTS))
    async with running(amqp_url, tmp_path, **_site(tmp_path)):
        await send_all(amqp_url, [_sample(untidy)])
        [arrived] = await take(amqp_url, "cim.OMS", 1)
    assert _namespaces(arrived) == {FINAL, "http://iec.ch/TC57/2011/EndDeviceEvents#"}
    assert arrived.type == "created.EndDeviceEvents"
    assert arrived.headers["cim-repairs"] == "dialect-namespace, soap-wrapped, cvc-enumeration-valid, noun-unknown"


async def test_a_strict_source_is_refused_and_the_dead_letter_is_what_it_sent(amqp_url: str, tmp_path: Path) -> None:
    untidy = event("Create", header="<Source>STRICT</Source>")
    async with running(amqp_url, tmp_path, **_site(tmp_path)):
        await send_all(amqp_url, [_sample(untidy)])
        [dead] = await take(amqp_url, "cim.dead", 1)
    assert dead.body == untidy
    assert (dead.headers["code"], dead.headers["text"]) == ("2.9", "The verb 'Create' does not exist.")


async def test_a_refused_request_is_kept_as_it_came_and_answered_in_its_dialect(amqp_url: str, tmp_path: Path) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, **_site(tmp_path)):
        await send_all(amqp_url, [_sample(QUERY, "TESTING.REQUESTS.EndDeviceEvents.get")])
        [answer] = await take(amqp_url, "replies", 1)
        [dead] = await take(amqp_url, "cim.dead", 1)
    assert _namespaces(answer) == {OLD}
    assert etree.fromstring(answer.body).findtext(f"{{{OLD}}}Reply/{{{OLD}}}Result") == "FAILED"
    assert answer.correlation_id == "q-1"
    assert dead.body == QUERY
    assert dead.headers["cim-repairs"] == "dialect-namespace"


async def test_a_reply_and_what_a_route_delivers_go_out_in_the_receivers_dialect(amqp_url: str, tmp_path: Path) -> None:
    gateway = GatewayProcess(amqp_url, tmp_path, **_site(tmp_path))
    oms = tmp_path / "routes" / "oms.toml"
    oms.write_text(oms.read_text().replace("[system]", '[system]\ndialect = "OLD-OMS"', 1))
    await gateway.start()
    try:
        await send_all(amqp_url, [_sample(REPLY, "TESTING.REPLY.OMS"), _sample(event(header="<Source>MS</Source>"))])
        arrived = await take(amqp_url, "cim.OMS", 2)
    finally:
        assert await gateway.stop() == 0
    by_type = {arrival.type: arrival for arrival in arrived}
    assert _namespaces(by_type["created.EndDeviceEvents"]) == {OLD, EVENTS}
    assert _namespaces(by_type["reply.EndDeviceEvents"]) == {OLD}
