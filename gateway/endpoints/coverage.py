"""Which URLs the configured endpoints cover, and the queue at which what goes to them waits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.endpoints.amqp import AmqpAddress
from gateway.endpoints.urls import UnusableUrl, Url, read_url, shown
from gateway.masking import mask

_QUEUE: Final = "cim.to."


def endpoint_queue(name: str) -> str:
    """Name the queue of the gateway's own that holds what an endpoint is to get."""
    return f"{_QUEUE}{name}"


@dataclass(frozen=True, slots=True)
class Covered:
    """One endpoint as addresses are held against it: what lies at or below its prefix is sent through it."""

    name: str
    prefix: Url


class Coverage:
    """The configured endpoints. Where several cover a URL, the one with the longest prefix takes it."""

    def __init__(self, endpoints: Iterable[Covered] = ()) -> None:
        self._endpoints = sorted(endpoints, key=lambda endpoint: -len(endpoint.prefix.segments))

    @property
    def queues(self) -> tuple[tuple[str, str], ...]:
        """The queues that are needed: name of the endpoint, name of the queue."""
        return tuple(sorted((endpoint.name, endpoint_queue(endpoint.name)) for endpoint in self._endpoints))

    def address(self, text: str, what: str = "ReplyAddress") -> tuple[AmqpAddress | None, str]:
        """Give where what is meant for a URL waits for its endpoint, or why the URL is not called, for people.

        `what` names the URL for them.
        """
        name, why = self.endpoint(text, what)
        return AmqpAddress("", endpoint_queue(name), text.strip()) if name else None, why

    def endpoint(self, text: str, what: str) -> tuple[str, str]:
        """Name the endpoint that covers a URL; an empty name where none does, and why, for people."""
        text = text.strip()
        why = ""
        try:
            url = read_url(text)
        except UnusableUrl as error:
            why, text = f" ({error})", mask(text)
        else:
            for endpoint in self._endpoints:
                if endpoint.prefix.covers(url):
                    return endpoint.name, ""
        return "", f"no table [[endpoints]] of the settings covers the {what} {shown(text)}{why}"

    def covers(self, name: str, text: str) -> bool:
        """Tell whether the endpoint of that name is the one for a URL."""
        return self.endpoint(text, "URL")[0] == name


NO_ENDPOINTS: Final = Coverage()
