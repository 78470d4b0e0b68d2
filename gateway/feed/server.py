"""The HTTP server of the feed: who comes, may they, and is there room for them."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from gateway.broker.streams import NoStream, Streams
from gateway.feed import wire
from gateway.feed.asking import Refused, begin_of, host_of, with_body
from gateway.feed.following import Follower
from gateway.feed.rendering import Renderer
from gateway.feed.telling import AWAY, Teller, Terms, TooSlow
from gateway.feed.tokens import Doorkeeper, Token, Unauthorized
from gateway.subscriptions import BadSubscription, check_name, queue_of

log = structlog.get_logger(__name__)

_LIST: Final = "`cimgate subscriptions list` names those there are, and `create NAME --feed` makes one."
_PREFETCH: Final = 50
_STOP_SECONDS: Final = 2.0
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class FeedUnavailable(OSError):  # noqa: N818 - says the state
    """The feed cannot listen where it should; the text says why and what to do."""


class Feed:
    """Serves events of subscriptions. `ready` tells whether the gateway has its broker, for `GET /health`."""

    def __init__(
        self,
        streams: Streams,
        renderer: Renderer,
        tokens: Sequence[Token],
        terms: Terms,
        ready: Callable[[], bool],
    ) -> None:
        self._streams = streams
        self._renderer = renderer
        self._door = Doorkeeper(tokens)
        self._terms = terms
        self._ready = ready
        self._clients: Counter[str] = Counter()
        self._ending = asyncio.Event()
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_get("/subscriptions/{name}/events", self._events, allow_head=False)
        app.router.add_route("*", "/{elsewhere:.*}", _elsewhere)
        app.on_response_prepare.append(_unsigned)
        # A handler ends with its client, so that who hangs up frees his place at once.
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=_STOP_SECONDS, handle_signals=False
        )

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port, which the system chooses for 0. Raises `FeedUnavailable`."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise FeedUnavailable(
                f"The feed cannot listen at {host}:{port}: {_cause(error)}. Give listen in [feed] an address of this "
                "machine and a port that is free."
            ) from error
        listening = int(self._runner.addresses[0][1])
        log.info("feed listening", address=f"{host}:{listening}", asks_for_tokens=self._door.asks)
        return listening

    async def close(self) -> None:
        """End all clients and listen no more."""
        self._ending.set()
        await self._runner.cleanup()
        await self._streams.close()

    async def _health(self, _: web.Request) -> web.Response:
        ready = self._ready()
        told = {"status": "ok" if ready else "the gateway waits for its broker", "clients": self._clients.total()}
        return web.json_response(told, status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        try:
            name = check_name(request.match_info["name"])
            token = self._admitted(request, name)
            follower = Follower(
                self._streams, queue_of(name), begin_of(request), prefetch=_PREFETCH, proof=self._terms.proof
            )
            body = with_body(request)
            with self._place(token):
                try:
                    return await self._serve(request, name, follower, body=body)
                finally:
                    await follower.close()
        except Refused as refusal:
            return refusal.response()
        except BadSubscription as error:
            return Refused(HTTPStatus.NOT_FOUND, str(error), _LIST).response()

    def _admitted(self, request: web.Request, subscription: str) -> Token | None:
        """Give the token that the request bears; None where nobody needs one. Raises `Refused`."""
        if not self._door.asks:
            if host_of(request) not in _LOCAL:  # a page of some site whose name leads here must not read along
                raise Refused(
                    HTTPStatus.FORBIDDEN,
                    "Without tokens the feed answers only those who call it by the name localhost.",
                    "Call it at 127.0.0.1, or configure tokens ([[feed.tokens]]).",
                )
            return None
        try:
            token = self._door.token_of(request.headers.get("Authorization"))
        except Unauthorized as error:
            log.warning("feed refused a client", reason=str(error), subscription=subscription, peer=request.remote)
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                str(error),
                "Send the header 'Authorization: Bearer TOKEN', with the token that the gateway's operator gave you.",
                {"WWW-Authenticate": 'Bearer realm="cimgate"'},
            ) from None
        if not token.reads(subscription):
            reason = f"the token {token.name} is not for this subscription"
            log.warning("feed refused a client", reason=reason, subscription=subscription, peer=request.remote)
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"The token {token.name} is not for the subscription {subscription}.",
                "Ask the gateway's operator to add it to the subscriptions of the token ([[feed.tokens]]).",
            )
        return token

    @contextlib.contextmanager
    def _place(self, token: Token | None) -> Iterator[None]:
        """Take a client in, if there is room. Raises `Refused`."""
        name = token.name if token else ""
        if self._clients.total() >= self._terms.clients:
            raise _full(f"The feed serves {self._terms.clients} clients already, all it may (clients in [feed]).")
        if token is not None and self._clients[name] >= token.clients:
            raise _full(f"The token {name} has {token.clients} clients already, all it may ([[feed.tokens]]).")
        self._clients[name] += 1
        try:
            yield
        finally:
            self._clients[name] -= 1

    async def _serve(self, request: web.Request, name: str, follower: Follower, *, body: bool) -> web.StreamResponse:
        try:
            await follower.open()
        except NoStream as error:
            log.info("feed was asked for what is not there", subscription=name, reason=str(error))
            raise Refused(
                HTTPStatus.NOT_FOUND,
                f"There is no subscription {name} with a feed.",
                _LIST,
            ) from None
        except AWAY as error:
            log.warning("feed cannot read events", subscription=name, reason=str(error))
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The gateway's broker is away, so that there are no events to read.",
                "Come again in some seconds.",
                {"Retry-After": "5"},
            ) from None
        response = web.StreamResponse(
            headers={
                "Content-Type": wire.CONTENT_TYPE,
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # else some proxies keep events until they have a page of them
            }
        )
        await response.prepare(request)
        log.info("feed has a client", subscription=name, peer=request.remote)
        why = "it went"
        try:
            teller = Teller(request, response, self._terms, self._ending)
            why = await teller.tell(name, follower, self._renderer, body=body)
        except TooSlow:
            why = f"it took nothing for {self._terms.patience:g} s and was cut off"
        finally:
            log.info("feed has lost a client", subscription=name, peer=request.remote, reason=why)
        return response


async def _elsewhere(request: web.Request) -> web.Response:
    read = request.method == "GET"
    return Refused(
        HTTPStatus.NOT_FOUND if read else HTTPStatus.METHOD_NOT_ALLOWED,
        "There is nothing at this path." if read else f"{request.method} is not answered here.",
        "GET /subscriptions/NAME/events gives the events of a subscription, GET /health tells of the gateway.",
    ).response()


def _cause(error: OSError) -> str:
    number = error.errno or 0
    return os.strerror(number).lower() if number > 0 else str(error.strerror or error)  # else a name was not found


async def _unsigned(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "cimgate"  # strangers need not know with which versions


def _full(text: str) -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, text, "Come again when one has gone.", {"Retry-After": "30"})
