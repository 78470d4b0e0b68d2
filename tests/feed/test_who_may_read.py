"""Tokens, and how many clients there may be."""

from pathlib import Path

import pytest

from gateway.feed import FeedUnavailable, Terms, Token
from tests.e2e.harness import until
from tests.feed.conftest import Served, Subscription, serving


def token(name: str, secret: str, *subscriptions: str, clients: int = 10) -> Token:
    return Token(name, lambda: secret, frozenset(subscriptions), clients)


async def test_a_token_opens_its_own_subscriptions_alone(
    amqp_url: str, subscription: Subscription, capsys: pytest.CaptureFixture[str]
) -> None:
    await subscription.make()
    await subscription.outages(1)
    tokens = (token("wall", "hidden-1", subscription.name), token("lab", "hidden-2", "lab"), token("all", "h-3", "*"))
    path = f"/subscriptions/{subscription.name}/events"
    async with serving(amqp_url, tokens) as served:
        for secret in ("hidden-1", "h-3"):
            async with served.client(subscription.name, Authorization=f"Bearer {secret}") as client:
                assert await client.ids(1) == [0]
        status, told = await served.refusal(path, Authorization="Bearer hidden-2")
        assert (status, told["error"]) == (
            403,
            f"The token lab is not for the subscription {subscription.name}.",
        )
        for authorization, error in (
            ({}, "The request has no token."),
            ({"Authorization": "Bearer hidden-9"}, "The token is not known here: it may have been replaced."),
            ({"Authorization": "Basic aGk6aGlkZGVuLTE="}, "The Authorization header is not 'Bearer TOKEN'."),
        ):
            status, told = await served.refusal(path, **authorization)
            assert (status, told["error"]) == (401, error)
        async with served.session.get(f"{served.url}/health") as response:
            assert response.status == 200, "a probe needs no token"
    assert "hidden" not in capsys.readouterr().out


async def test_a_token_that_was_replaced_holds_at_once_and_one_that_cannot_be_read_opens_nothing(
    amqp_url: str, subscription: Subscription, tmp_path: Path
) -> None:
    await subscription.make()
    await subscription.outages(1)
    file = tmp_path / "token"
    file.write_text("first")
    path = f"/subscriptions/{subscription.name}/events"
    tokens = (Token("wall", file.read_text, frozenset({"*"})),)
    async with serving(amqp_url, tokens) as served:
        file.write_text("second")
        assert (await served.refusal(path, Authorization="Bearer first"))[0] == 401
        async with served.client(subscription.name, Authorization="Bearer second") as client:
            assert await client.ids(1) == [0]
        file.unlink()
        assert (await served.refusal(path, Authorization="Bearer second"))[0] == 401


async def test_without_tokens_a_page_whose_name_leads_to_loopback_reads_nothing(
    amqp_url: str, subscription: Subscription
) -> None:
    async with serving(amqp_url) as served:
        status, told = await served.refusal(f"/subscriptions/{subscription.name}/events", Host="evil.example:80")
        assert (status, told["advice"]) == (
            403,
            "Call it at 127.0.0.1, or configure tokens ([[feed.tokens]]).",
        )


async def test_there_is_room_for_so_many_clients_in_all_and_for_each_token(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    await subscription.outages(1)
    name = subscription.name
    tokens = (token("one", "s1", "*", clients=1), token("two", "s2", "*"))
    first, second = {"Authorization": "Bearer s1"}, {"Authorization": "Bearer s2"}
    async with serving(amqp_url, tokens, Terms(clients=2)) as served:
        async with served.client(name, **first) as client:
            await client.ids(1)
            status, told = await served.refusal(f"/subscriptions/{name}/events", **first)
            assert (status, told["error"]) == (
                503,
                "The token one has 1 clients already, all it may ([[feed.tokens]]).",
            )
            async with served.client(name, **second) as other:
                await other.ids(1)
                status, told = await served.refusal(f"/subscriptions/{name}/events", **second)
                assert (status, told["error"]) == (
                    503,
                    "The feed serves 2 clients already, all it may (clients in [feed]).",
                )
        await until(lambda: _empty(served), "the clients have gone")
        async with served.client(name, **first) as client:
            assert await client.ids(1) == [0]


async def test_what_cannot_be_understood_is_refused_with_what_to_write(
    amqp_url: str, subscription: Subscription
) -> None:
    async with serving(amqp_url) as served:
        path = f"/subscriptions/{subscription.name}/events"
        for query, error in (
            ("?from=yesterday", "The parameter from is 'yesterday'."),
            ("?body=json", "The parameter body is 'json'."),
        ):
            status, told = await served.refusal(path + query)
            assert (status, told["error"]) == (400, error)
        status, told = await served.refusal(path, **{"Last-Event-ID": "-7"})
        assert (status, told["error"]) == (400, "The header Last-Event-ID is '-7'.")
        status, told = await served.refusal("/subscriptions")
        assert (status, "GET /subscriptions/NAME/events" in told["advice"]) == (404, True)
        async with served.session.head(served.url + path) as response:
            assert response.status == 405


async def test_a_port_that_is_taken_is_told_with_what_to_do(amqp_url: str) -> None:
    async with serving(amqp_url) as served:
        port = served.url.rpartition(":")[2]
        with pytest.raises(FeedUnavailable, match=f"cannot listen at 127.0.0.1:{port}: .*a port that is free"):
            async with serving(amqp_url, port=int(port)):
                pass


async def _empty(served: Served) -> bool:
    async with served.session.get(f"{served.url}/health") as response:
        return bool((await response.json())["clients"] == 0)
