"""Who may read: bearer tokens, each with the subscriptions that it is for."""

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

log = structlog.get_logger(__name__)

ALL: Final = "*"
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/=-]+) *", re.IGNORECASE | re.ASCII)


class Unauthorized(Exception):  # noqa: N818 - the name of the HTTP status
    """The request bears no token that is known; the text says what is wrong, and nothing of the tokens."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its name for people, how its secret is read, the subscriptions it reads (`*` for all), its clients.

    `secret` raises OSError or ValueError where it cannot be read; it is asked for each request, so that a token that
    was replaced holds at once.
    """

    name: str
    secret: Callable[[], str]
    subscriptions: frozenset[str]
    clients: int = 10

    def reads(self, subscription: str) -> bool:
        """Tell whether it is for this subscription."""
        return subscription in self.subscriptions or ALL in self.subscriptions


class Doorkeeper:
    """Knows the tokens. Without any, everyone who can reach the feed reads all: for loopback alone."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tuple(tokens)

    @property
    def asks(self) -> bool:
        """Tell whether there are tokens."""
        return bool(self._tokens)

    def token_of(self, authorization: str | None) -> Token:
        """Give the token that a request bears in its Authorization header. Raises `Unauthorized`."""
        if authorization is None:
            raise Unauthorized("The request has no token.")
        found = _BEARER.fullmatch(authorization)
        if found is None:
            raise Unauthorized("The Authorization header is not 'Bearer TOKEN'.")
        shown = sha256(found[1].encode()).digest()
        match = None
        for token in self._tokens:  # all of them, equal digests in constant time: how long it takes tells nothing
            try:
                secret = token.secret()
            except (OSError, ValueError) as error:
                log.warning(
                    "a token of the feed cannot be read, and opens nothing", token=token.name, reason=str(error)
                )
                continue
            if hmac.compare_digest(sha256(secret.encode()).digest(), shown):
                match = token
        if match is None:
            raise Unauthorized("The token is not known here: it may have been replaced.")
        return match
