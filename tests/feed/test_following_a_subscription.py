"""What a client hears, and that it hears all of it, wherever it begins and whatever breaks on the way."""

import asyncio

import aiohttp
import pytest

from gateway.feed import Terms
from tests.e2e.harness import until
from tests.feed.conftest import QUICK, Subscription, serving

SMALL = {"x-max-length-bytes": 200_000, "x-stream-max-segment-size-bytes": 50_000}


async def test_a_client_hears_events_as_they_come_and_goes_on_after_the_last_one_it_has(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    await subscription.outages(3)
    async with serving(amqp_url) as served:
        async with served.client(subscription.name, "?from=first") as client:
            assert await client.ids(3) == [0, 1, 2]
            await subscription.outages(2)
            assert await client.ids(1) == [3]
            assert client.response.headers["Content-Type"] == "text/event-stream"
        await subscription.outages(2)
        async with served.client(subscription.name, Last_Event_ID="3") as client:
            assert await client.ids(3) == [4, 5, 6]
            assert await client.until_comment() == "still here"
        async with served.client(subscription.name, "?from=first", Last_Event_ID="5") as client:
            assert await client.ids(1) == [6], "what the client has weighs more than where it once began"


async def test_a_client_that_says_nothing_begins_with_the_latest_event(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    for _ in range(3):
        await subscription.outages(1)
    async with serving(amqp_url) as served, served.client(subscription.name) as client:
        assert await client.ids(1) == [2]


async def test_a_client_of_an_empty_subscription_misses_nothing_when_it_comes_again(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    async with serving(amqp_url) as served:
        async with served.client(subscription.name) as client:
            place = await client.until_place()
        for _ in range(3):
            await subscription.outages(1)
        async with served.client(subscription.name, Last_Event_ID=place) as client:
            assert await client.ids(3) == [0, 1, 2]


async def test_what_retention_has_dropped_before_a_client_came_again_is_told(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make(**SMALL)
    await subscription.outages(5)
    async with serving(amqp_url) as served:
        async with served.client(subscription.name, "?from=first") as client:
            await client.ids(3)

        async def first_is_gone() -> bool:
            await subscription.outages(300)
            async with served.client(subscription.name, "?from=first") as client:
                return await client.ids(1) > [3]

        await until(first_is_gone, "retention drops the beginning")
        async with served.client(subscription.name, Last_Event_ID="2") as client:
            gap, first = await client.next(), await client.next()
        following = int(first.id)
        assert gap.name == "cimgate.gap"
        assert (gap.data["after"], gap.data["next"], gap.data["missing_at_most"]) == (2, following, following - 3)
        assert gap.data["text"].startswith("Events after 2 are gone")
        async with served.client(subscription.name, Last_Event_ID=gap.id) as client:
            assert await client.ids(1) == [following], "told once, a gap is not told again"


async def test_a_client_that_takes_nothing_holds_up_nobody_and_is_told_what_it_has_missed(
    amqp_url: str, subscription: Subscription
) -> None:
    big = {"x-max-length-bytes": 4_000_000, "x-stream-max-segment-size-bytes": 1_000_000}
    await subscription.make(**big)
    await subscription.outages(1)
    async with serving(amqp_url) as served:
        async with (
            served.client(subscription.name, "?from=first&body=xml") as slow,
            served.client(subscription.name, "?from=first&body=xml") as quick,
        ):
            assert await slow.ids(1) == await quick.ids(1) == [0]
            for _ in range(16):
                await subscription.outages(20, padding=100_000)
                assert len(await quick.ids(20)) == 20
            names: list[str] = []
            while "cimgate.gap" not in names:
                names.append((await slow.next()).name)
        assert names[0] == "created(EndDeviceEvents)", "what was on its way to it still comes"


async def test_a_client_that_takes_nothing_for_long_is_cut_off(amqp_url: str, subscription: Subscription) -> None:
    await subscription.make()
    await subscription.outages(200, padding=100_000)
    async with (
        serving(amqp_url, terms=Terms(heartbeat=0.2, patience=0.3)) as served,
        served.client(subscription.name, "?from=first&body=xml") as client,
    ):

        async def has_no_client() -> bool:
            async with served.session.get(f"{served.url}/health") as response:
                return bool((await response.json())["clients"] == 0)

        await until(has_no_client, "the client is cut off")
        with pytest.raises((aiohttp.ClientError, asyncio.IncompleteReadError)):
            await client.ids(200)


async def test_a_subscription_that_was_made_anew_is_told_from_its_beginning(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    await subscription.outages(2)
    async with serving(amqp_url) as served, served.client(subscription.name, Last_Event_ID="70") as client:
        gap = await client.next()
        assert (gap.name, gap.id, gap.data["after"]) == ("cimgate.gap", "-1", 70)
        assert "made anew" in gap.data["text"]
        assert await client.ids(2) == [0, 1]


async def test_the_end_of_a_subscription_is_told(amqp_url: str, subscription: Subscription) -> None:
    await subscription.make()
    await subscription.outages(1)
    async with serving(amqp_url, terms=QUICK) as served:
        async with served.client(subscription.name) as client:
            await client.ids(1)
            await subscription.delete()
            end = await client.next()
            assert (end.name, end.data["text"]) == (
                "cimgate.end",
                f"The subscription {subscription.name} has no feed any more.",
            )
            assert await client.ended()
        status, told = await served.refusal(f"/subscriptions/{subscription.name}/events")
        assert (status, told["error"]) == (404, f"There is no subscription {subscription.name} with a feed.")


async def test_clients_end_properly_when_the_gateway_stops(amqp_url: str, subscription: Subscription) -> None:
    await subscription.make()
    await subscription.outages(1)
    async with serving(amqp_url, terms=Terms()) as served, served.client(subscription.name) as client:
        await client.ids(1)
        closing = asyncio.create_task(served.feed.close())
        assert await client.ended()
        await closing
