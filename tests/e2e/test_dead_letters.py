"""`cimgate dead` on letters that a real gateway has made: what it shows and sends again, and what it never loses."""

import asyncio
import getpass
import json
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aio_pika
import pytest
from typer.testing import CliRunner, Result

from gateway.broker.dead_queue import DeadQueue, LettersInUse
from gateway.broker.partner import Partner
from gateway.broker.session import Access
from gateway.cli import app
from gateway.store.journal import JournalSearch, Passage
from gateway.store.journal.opening import open_journal
from tests.e2e.harness import GatewayProcess, depth, make_queue, running, send_all, store_of, take, until
from tests.e2e.test_conversations import answer, request
from tests.e2e.traffic import Parts, Sample, key_of, parts

NO_ROUTES = {"oms.toml": '[system]\nname = "OMS"\n[[route]]\nnoun = "EndDeviceEvents"\nverbs = ["created"]\n'}


def sample(made: Parts) -> Sample:
    return Sample(made.id, made.id, made.xml(), key_of(made))


def readings() -> Parts:
    return parts("MeterReadings", "created")


def foreign() -> Parts:
    """An event that is refused: its payload lacks everything."""
    made = parts("EndDeviceEvents", "created")
    made.payload = made.payload.replace("<createdDateTime>2026-03-01T04:12:00Z</createdDateTime>", "")
    return made


def setting(url: str, folder: Path, routes: dict[str, str] | None = None, **settings: str) -> GatewayProcess:
    """The settings of a gateway and of the operator beside it."""
    if routes is not None:
        (folder / "routes").mkdir(parents=True, exist_ok=True)
        for name, text in routes.items():
            (folder / "routes" / name).write_text(text)
    return GatewayProcess(url, folder, **settings)


def mend(folder: Path) -> None:
    """Let the next gateway have the usual routes."""
    shutil.rmtree(folder / "routes")


async def dead(gateway: GatewayProcess, *arguments: str, answer: str = "") -> Result:
    """Run `cimgate dead` as the operator of this gateway does."""
    known = {name: value for name, value in gateway.environment.items() if name.startswith("CIMGATE_")}
    env = {**known, "COLUMNS": "100", "NO_COLOR": "1"}
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["dead", *arguments], input=answer, env=env, catch_exceptions=False
    )


async def letters(gateway: GatewayProcess, *arguments: str) -> list[dict[str, object]]:
    """The dead letters, oldest first."""
    listed = await dead(gateway, "list", "--json", "--limit", "10000", *arguments)
    return [json.loads(line) for line in reversed(listed.output.splitlines())]


async def bury(url: str, gateway: GatewayProcess, *samples: Sample) -> None:
    """Have a gateway make dead letters of all of these, and end it."""
    before = max(0, await depth(url, "cim.dead"))
    await gateway.start()
    try:
        await send_all(url, samples)
        await until(lambda: _deep(url, "cim.dead", before + len(samples)), "all are dead letters")
        assert await gateway.stop() == 0
    finally:
        await gateway.kill()


async def _deep(url: str, queue: str, number: int) -> bool:
    return await depth(url, queue) == number


@asynccontextmanager
async def serving(gateway: GatewayProcess) -> AsyncIterator[None]:
    """The gateway of these settings, for a while."""
    await gateway.start()
    try:
        yield
        assert await gateway.stop() == 0
    finally:
        await gateway.kill()


async def deeds(gateway: GatewayProcess) -> list[Passage]:
    """What operators did, by the journal; oldest first."""
    journal = await open_journal(gateway.environment["CIMGATE_STORE"])
    try:
        return await journal.find(JournalSearch(kind="operator"), 10_000, oldest_first=True)
    finally:
        await journal.close()


async def test_the_list_counts_what_is_broken_and_takes_nothing_away(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    bad, other = [sample(foreign()) for _ in range(300)], sample(replace(readings(), context="PRODUCTION"))
    await bury(amqp_url, gateway, *bad, other)
    listed = await dead(gateway, "list", "--limit", "1")
    assert listed.exit_code == 0
    assert listed.output.startswith("301 dead letters\n")
    assert "300  invalid  cvc-complex-type.2.4, reply code 1.7" in listed.output
    assert "1  foreign-context  context-foreign, reply code 7.7" in listed.output
    assert "300 older ones are not shown" in listed.output
    first, again = await letters(gateway), await letters(gateway)
    assert first == again, "what was read went back in its order"
    assert {one["message_id"] for one in first} == {one.id for one in (*bad, other)}
    assert [one["number"] for one in first] == list(range(1, 302))
    assert await depth(amqp_url, "cim.dead") == 301


async def test_who_comes_while_another_has_the_letters_in_hand_waits_and_then_sees_all(
    amqp_url: str, tmp_path: Path
) -> None:
    await bury(amqp_url, setting(amqp_url, tmp_path), *(sample(foreign()) for _ in range(60)))
    waiting = asyncio.Event()
    first = await DeadQueue.open(Access(amqp_url, "first"))
    assert sum([len(page) async for page in first.pages()]) == 60
    with pytest.raises(LettersInUse, match=r"cim\.dead\.lock"):
        await DeadQueue.open(Access(amqp_url, "hasty"), patience=0)
    second = asyncio.create_task(DeadQueue.open(Access(amqp_url, "second"), waiting=waiting.set))
    await waiting.wait()
    await first.close()
    async with await second as queue:
        assert queue.total == 60


async def test_letters_are_chosen_by_what_is_known_of_them(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    one, two = foreign(), replace(readings(), context="PRODUCTION")
    await bury(amqp_url, gateway, sample(one), sample(two))
    for chosen, options in (
        (one, ["--reason", "invalid"]),
        (one, ["--rule", "cvc-*", "--source", "GEN"]),
        (two, ["--noun", "MeterReadings", "--since", "1h"]),
        (two, ["--code", "7.7"]),
    ):
        assert [letter["message_id"] for letter in await letters(gateway, *options)] == [chosen.id], options
    assert await letters(gateway, "--until", "1h") == []
    assert "None of 2 dead letters is like that." in (await dead(gateway, "list", "--source", "CIS")).output
    unknown = await dead(gateway, "retry", one.id, "0000-no-such-id")
    assert unknown.exit_code == 1
    assert "No dead letter has the number or id '0000-no-such-id'" in unknown.output
    everything = await dead(gateway, "retry")
    assert everything.exit_code == 2
    assert "--all" in everything.output
    assert await depth(amqp_url, "cim.dead") == 2


async def test_one_letter_is_told_with_the_line_that_is_wrong_and_what_to_do(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    made = foreign()
    await bury(amqp_url, gateway, sample(made))
    for named in ("1", made.id, made.id[:10]):
        told = (await dead(gateway, "show", named)).output
        assert "<EndDeviceEvent>" in told
        assert "lacks createdDateTime" in told
        assert "Add createdDateTime after mRID" in told
        assert "reply code 1.7 (mandatory payload elements missing)" in told
        assert "cim.in TESTING.EVENTS.EndDeviceEvents.created, when it is retried" in told
        assert f"cimgate journal show {made.id}" in told
    saved = await dead(gateway, "show", "1", "--save", str(tmp_path / "saved.xml"))
    assert saved.exit_code == 0
    assert (tmp_path / "saved.xml").read_bytes() == made.xml()


async def test_what_no_route_took_is_delivered_once_the_route_is_there(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path, NO_ROUTES, publish_events="false")
    event, asked = readings(), request()
    await make_queue(amqp_url, "replies")
    await bury(amqp_url, gateway, sample(event), Sample("get", "m-1", asked, "TESTING.REQUESTS.MeterReadings.get"))
    [refusal] = await take(amqp_url, "replies", 1)
    assert b"FAILED" in refusal.body
    mend(tmp_path)
    mended = setting(amqp_url, tmp_path)
    async with serving(mended):
        retried = await dead(mended, "retry", "--reason", "unroutable", "--note", "route added", answer="y\n")
        assert retried.exit_code == 0, retried.output
        assert "1  would go to cim.in TESTING.REQUESTS.MeterReadings.get" in retried.output
        assert "2 dead letters sent again." in retried.output
        [arrived] = await take(amqp_url, "cim.MDM", 1)
        assert arrived.body == event.xml()
        assert "cim-redelivered" not in arrived.headers
        [question] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, question)
        [answered] = await take(amqp_url, "replies", 1)
        assert b"<CorrelationID>c-1</CorrelationID>" in answered.body, "it was asked, and not taken for a duplicate"
    assert await depth(amqp_url, "cim.dead") == 0
    told = {one.message_id: one for one in await deeds(mended)}
    assert set(told) == {event.id, "m-1"}
    assert {(one.source, one.outcome, one.reason) for one in told.values()} == {
        (getpass.getuser(), "retried", "route added")
    }
    assert [one.place for one in told["m-1"].deliveries] == ["cim.in TESTING.REQUESTS.MeterReadings.get"]


async def test_what_is_refused_again_keeps_its_history(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        made = foreign()
        await send_all(amqp_url, [sample(made)])
        await until(lambda: _deep(amqp_url, "cim.dead", 1), "a dead letter")
        [first] = await letters(gateway)
        for times in (1, 2):
            assert (await dead(gateway, "retry", made.id)).exit_code == 0
            await until(lambda: _deep(amqp_url, "cim.dead", 1), "it is a dead letter again")
            [again] = await letters(gateway)
            assert again["retried"] == times
            assert again["first_seen"] == first["first_seen"]
            assert again["letter"] != first["letter"]
        assert "retried twice" in (await dead(gateway, "list")).output


async def test_what_one_receiver_lacks_goes_to_this_one_alone(amqp_url: str, tmp_path: Path) -> None:
    made = readings()
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        async with await aio_pika.connect(amqp_url) as connection:
            for queue in ("cim.MDM", "cim.MS"):
                await (await connection.channel()).queue_delete(queue)
        await send_all(amqp_url, [sample(made)])
        await take(amqp_url, "cim.CIS", 1)
        await until(lambda: _deep(amqp_url, "cim.dead", 1), "a dead letter")
        nowhere = await dead(gateway, "retry", made.id)
        assert nowhere.exit_code == 1
        assert "1 not sent, still in the dead letters: The broker took no message for queue:cim.MDM" in nowhere.output
        assert await depth(amqp_url, "cim.dead") == 1
        await make_queue(amqp_url, "cim.MDM")
        done = await dead(gateway, "retry", made.id)
        assert done.exit_code == 0, done.output
        [arrived] = await take(amqp_url, "cim.MDM", 1)
        assert arrived.body == made.xml()
        assert (arrived.type, arrived.headers["cim-message-id"]) == ("created.MeterReadings", made.id)
        assert (arrived.headers["cim-retried"], "cim-redelivered" in arrived.headers) == (1, False)
        assert [one.outcome for one in await deeds(gateway)] == ["retried", "not-taken", "retried"]
        await send_all(amqp_url, [Sample("get", "m-1", request(), "TESTING.REQUESTS.MeterReadings.get")])
        await until(lambda: _deep(amqp_url, "cim.dead", 1), "the request is a dead letter")
        [leg] = await letters(gateway)
        told = (await dead(gateway, "show", "1")).output
        assert f"cimgate conversations show {leg['conversation']}" in told
        assert "reply to       cim.in.TESTING" in told, "the system answers the gateway, not the asker"
        await make_queue(amqp_url, "cim.MS")
        assert (await dead(gateway, "retry", "--rule", "no-queue")).exit_code == 0
        [question] = await take(amqp_url, "cim.MS", 1)
        assert b"<ReplyAddress>queue:cim.in.TESTING</ReplyAddress>" in question.body
    assert await depth(amqp_url, "cim.CIS") == 0
    assert await depth(amqp_url, "cim.dead") == 0


async def killed(gateway: GatewayProcess, point: str, *arguments: str) -> None:
    """Run `cimgate dead` and have it killed at a point."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "dead", *arguments),
        env={**gateway.environment, "CIMGATE_CRASH": f"{point}:1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == -signal.SIGKILL


async def test_what_is_killed_on_its_way_loses_nothing_and_its_repeat_is_marked(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path, NO_ROUTES, publish_events="false")
    points = {"dead-journaled": readings(), "dead-confirmed": readings(), "dead-removed": readings()}
    await bury(amqp_url, gateway, *map(sample, points.values()))
    sent, left = 0, 3
    for point, made in points.items():
        await killed(gateway, point, "retry", made.id, "--note", "first")
        sent, left = sent + (point != "dead-journaled"), left - (point == "dead-removed")
        await until(lambda left=left: _deep(amqp_url, "cim.dead", left), "what was not acknowledged is back")  # type: ignore[misc]
        assert await depth(amqp_url, "cim.in.TESTING") == sent, point
    again = await dead(gateway, "retry", "--all", "--yes", "--note", "second")
    assert "2 had been tried before by a command that was cut off" in again.output
    assert await depth(amqp_url, "cim.dead") == 0
    assert [one.reason for one in await deeds(gateway)] == ["first"] * 3 + ["second"] * 2
    mend(tmp_path)
    async with serving(setting(amqp_url, tmp_path)):
        copies = await take(amqp_url, "cim.MDM", 4)
    marked = {(copy.headers["cim-message-id"], copy.headers.get("cim-redelivered", False)) for copy in copies}
    ids = {point: made.id for point, made in points.items()}
    assert marked == {
        (ids["dead-journaled"], True),  # nothing had arrived, but nobody could know
        (ids["dead-confirmed"], False),
        (ids["dead-confirmed"], True),
        (ids["dead-removed"], False),
    }


async def test_a_discard_that_is_killed_leaves_the_letter_and_the_note(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    await bury(amqp_url, gateway, sample(foreign()))
    await killed(gateway, "dead-journaled", "discard", "--all", "--yes", "--note", "a test")
    await until(lambda: _deep(amqp_url, "cim.dead", 1), "it is back")
    assert [(one.outcome, one.reason) for one in await deeds(gateway)] == [("discarded", "a test")]


async def test_two_operators_at_once_send_each_letter_once(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    await bury(amqp_url, gateway, *(sample(foreign()) for _ in range(300)))
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "dead", "retry", "--all", "--yes"),
            env=gateway.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    told = [(await process.communicate())[0].decode() + str(process.returncode) for process in processes]
    assert await depth(amqp_url, "cim.in.TESTING") == 300, told
    assert await depth(amqp_url, "cim.dead") == 0
    assert len(await deeds(gateway)) == 300


async def test_what_is_buried_meanwhile_is_left_alone(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        await send_all(amqp_url, [sample(foreign()) for _ in range(100)])
        await until(lambda: _deep(amqp_url, "cim.dead", 100), "dead letters")
        later = [sample(foreign()) for _ in range(200)]
        sending = asyncio.create_task(send_all(amqp_url, later))
        done = await dead(gateway, "discard", "--all", "--yes", "--note", "a test")
        await sending
        discarded = len(await deeds(gateway))
        assert f"{discarded} dead letters discarded." in done.output
        assert discarded >= 100
        await until(lambda: _deep(amqp_url, "cim.dead", 300 - discarded), "the others are there, each once")
        left = {one["message_id"] for one in await letters(gateway)}
    assert len(left) == 300 - discarded
    assert left <= {one.id for one in later}


def taken_out(file: Path) -> bytes:
    content = file.read_bytes()
    file.unlink()
    return content


async def test_a_mended_message_is_sent_and_the_journal_keeps_the_original(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        made = foreign()
        await send_all(amqp_url, [sample(made)])
        await until(lambda: _deep(amqp_url, "cim.dead", 1), "a dead letter")
        unchanged = await dead(gateway, "edit-and-retry", made.id, "--editor", "true")
        assert "Nothing was changed" in unchanged.output
        worse = await dead(gateway, "edit-and-retry", made.id, "--editor", "sed -i s/created/creatd/")
        assert worse.exit_code == 1
        assert "The verb 'creatd' does not exist" in worse.output
        assert "--force sends it all the same" in worse.output
        assert b"creatd" in taken_out(Path(worse.output.partition("Your work is in ")[2].partition(":")[0]))
        assert await depth(amqp_url, "cim.dead") == 1
        file = tmp_path / "mended.xml"
        file.write_bytes(
            made.xml().replace(b"</mRID>", b"</mRID><createdDateTime>2026-03-01T04:12:00Z</createdDateTime>")
        )
        sent = await dead(gateway, "edit-and-retry", made.id, "--file", str(file), "--note", "time added")
        assert sent.exit_code == 0, sent.output
        [arrived] = await take(amqp_url, "cim.OMS", 1)
        assert arrived.body == file.read_bytes()
        assert await depth(amqp_url, "cim.dead") == 0
        [deed] = await deeds(gateway)
        assert (deed.outcome, deed.reason, deed.message_id) == ("edited", "time added", made.id)
        journal = await open_journal(gateway.environment["CIMGATE_STORE"])
        try:
            assert await journal.bodies([deed.id]) == {deed.id: made.xml()}
        finally:
            await journal.close()


async def test_what_was_masked_is_not_sent_as_if_it_were_the_message(amqp_url: str, tmp_path: Path) -> None:
    config = tmp_path / "cimgate.toml"
    config.write_text('[masks]\nEndDeviceEvents = ["//EndDeviceEvent/mRID"]\n')
    gateway = setting(amqp_url, tmp_path, config=str(config))
    made = foreign()
    await bury(amqp_url, gateway, sample(made), sample(replace(readings(), context="PRODUCTION")))
    masked, whole = await letters(gateway)
    assert (masked["masked"], whole["masked"]) == (True, False)
    refused = await dead(gateway, "retry", made.id)
    assert refused.exit_code == 1
    assert "Personal data was masked in it" in refused.output
    assert await depth(amqp_url, "cim.dead") == 2


async def test_a_discarded_letter_is_gone_and_the_journal_says_who_and_why(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    one, two = foreign(), foreign()
    await bury(amqp_url, gateway, sample(one), sample(two))
    assert (await dead(gateway, "discard", one.id)).exit_code == 2, "it must be said why"
    assert (await dead(gateway, "discard", one.id, "--note", " ")).exit_code == 2
    refused = await dead(gateway, "discard", "--all", "--note", "a test", answer="n\n")
    assert "Discard 2 dead letters? [y/N]" in refused.output
    by_number = await dead(gateway, "discard", "1", "--note", "a test", answer="n\n")
    assert "Discard 1 dead letter?" in by_number.output, "a number may mean another letter by now"
    assert "Nothing was done." in (await dead(gateway, "discard", "--all", "--note", "a test", "--dry-run")).output
    assert await depth(amqp_url, "cim.dead") == 2
    done = await dead(gateway, "discard", one.id, "--note", "sent by mistake")
    assert done.output == "1 dead letter discarded.\n1 in the queue now.\n"
    [deed] = await deeds(gateway)
    assert (deed.source, deed.outcome, deed.reason) == (getpass.getuser(), "discarded", "sent by mistake")
    assert (deed.message_id, deed.verb, deed.noun, deed.code) == (one.id, "created", "EndDeviceEvents", "1.7")
    assert [letter["message_id"] for letter in await letters(gateway)] == [two.id]


async def test_without_queue_or_store_it_says_what_is_missing_and_does_nothing(amqp_url: str, tmp_path: Path) -> None:
    gateway = setting(amqp_url, tmp_path)
    empty = await dead(gateway, "list")
    assert empty.exit_code == 3
    assert "The broker has no queue cim.dead: start the gateway" in empty.output
    await bury(amqp_url, gateway, sample(foreign()))
    assert "There are no dead letters." not in (await dead(gateway, "list")).output
    gateway.environment["CIMGATE_STORE"] = f"sqlite:///{tmp_path / 'other.db'}"
    lost = await dead(gateway, "discard", "--all", "--note", "a test")
    assert lost.exit_code == 2
    assert "other-journal.db does not exist" in lost.output
    assert not (tmp_path / "other-journal.db").exists()
    async with await Partner.open(Access(amqp_url, "looker")) as partner:
        assert await partner.depth("cim.dead") == (1, 0)
