"""Events of subscriptions, posted to webhooks: signed, in their order by device, and never lost."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from typer.testing import CliRunner

from gateway.cli import app
from tests.e2e.harness import depth, running, until
from tests.e2e.inbox import Inbox, Post, free_port
from tests.e2e.subscribing import METER, POWER, create, environment_of, event, send, subscriptions
from tests.e2e.test_answers_to_urls import endpoints

KEY = b"0123456789abcdef0123456789abcdef"
OLD = b"fedcba9876543210fedcba9876543210"


@pytest_asyncio.fixture
async def inbox() -> AsyncIterator[Inbox]:
    server = Inbox(free_port())
    async with server.open():
        yield server


def settings(folder: Path, inbox: Inbox, more: str = "") -> str:
    secrets = (f"whsec_{base64.b64encode(key).decode()}" for key in (KEY, OLD))
    (folder / "secret").write_text("\n".join(secrets))
    return endpoints(folder, oms=f'url = "{inbox.url}/oms"\nsecret_file = "secret"\n{more}')


def signature(key: bytes, post: Post) -> str:
    """As a receiver computes it, by Standard Webhooks."""
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def message_ids(posts: list[Post]) -> list[str | None]:
    return [post.text_of("MessageID") for post in posts]


async def test_events_are_signed_and_arrive_in_their_order_by_device_whatever_fails(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    sent = [event(POWER, device=f"M-{number % 3}") for number in range(12)]
    inbox.statuses["/oms/events"] = [503, 200, 500, 200, 503]
    async with running(amqp_url, tmp_path, config=settings(tmp_path, inbox, "in_flight = 4")) as gateway:
        said = await create(gateway, "oms", "--event", POWER, "--webhook", f"{inbox.url}/oms/events")
        assert "It holds from now on" in said
        await send(amqp_url, *sent, event(METER))

        async def all_taken() -> bool:
            [line] = (await subscriptions(gateway, "lag", "--json")).output.splitlines()
            told = json.loads(line)
            return (told.get("delivered"), told["waiting"]) == (12, 0) and "trouble" not in told

        await until(all_taken, "all are delivered")
    for post in inbox.posts:
        assert post.headers["webhook-signature"].split() == [signature(KEY, post), signature(OLD, post)]
        assert post.headers["Cim-Subscription"] == "oms"
    posted: dict[str | None, list[Post]] = defaultdict(list)
    for post in inbox.posts:
        posted[post.text_of("MessageID")].append(post)
    assert all(len({post.headers["webhook-id"] for post in posts}) == 1 for posts in posted.values())
    assert sum(len(posts) for posts in posted.values()) == 12 + 3
    # The last post of each is the one that was taken.
    last = [
        id_ for number, id_ in enumerate(message_ids(inbox.posts)) if id_ not in message_ids(inbox.posts[number + 1 :])
    ]
    for device in range(3):
        wanted = [made.id for made in sent[device::3]]
        assert [id_ for id_ in last if id_ in wanted] == wanted


async def test_what_was_under_way_when_the_gateway_was_killed_is_posted_again_marked_and_under_the_same_id(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    inbox.hanging.add("/oms/events")
    config = settings(tmp_path, inbox)
    async with running(amqp_url, tmp_path, config=config) as gateway:
        await create(gateway, "oms", "--webhook", f"{inbox.url}/oms/events")
        await send(amqp_url, made := event(POWER))
        await inbox.got(1)
        await gateway.kill()
        await gateway.start()
        inbox.hanging.clear()
        first, second = await inbox.got(2)
    assert message_ids([first, second]) == [made.id, made.id]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert (first.headers.get("Cim-Redelivered"), second.headers.get("Cim-Redelivered")) == (None, "true")


async def test_an_event_that_the_webhook_refuses_is_a_dead_letter_that_can_be_posted_again(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    inbox.statuses["/oms/events"] = [410]
    async with running(amqp_url, tmp_path, config=settings(tmp_path, inbox)) as gateway:
        await create(gateway, "oms", "--webhook", f"{inbox.url}/oms/events")
        await send(amqp_url, made := event(POWER))

        async def dead() -> bool:
            return await depth(amqp_url, "cim.dead") == 1

        await until(dead, "it is a dead letter")
        retried = await asyncio.to_thread(
            CliRunner().invoke, app, ["dead", "retry", made.id, "--yes"], env=environment_of(gateway)
        )
        assert retried.exit_code == 0, retried.output
        first, second = await inbox.got(2)
    assert message_ids([first, second]) == [made.id, made.id]
    assert second.headers["webhook-signature"].split()[0] == signature(KEY, second)
    assert await depth(amqp_url, "cim.dead") == 0


async def test_what_the_gateway_has_in_hand_is_counted_before_a_subscription_is_deleted(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    inbox.statuses["/oms/events"] = [503] * 3
    async with running(amqp_url, tmp_path, config=settings(tmp_path, inbox)) as gateway:
        await create(gateway, "oms", "--webhook", f"{inbox.url}/oms/events")
        await send(amqp_url, event(POWER), event(POWER))
        await inbox.got(1)
        refused = await subscriptions(gateway, "delete", "oms")
        assert refused.exit_code == 1
        assert "2 events wait in its queue" in refused.output
        await until(lambda: len(set(message_ids(inbox.posts[3:]))) == 2, "both are posted after all")
