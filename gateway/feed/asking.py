"""What a client asks for, and the answer to one that gets no events."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from gateway.broker.streams import Position

_NUMBER: Final = re.compile(r"-1|[0-9]{1,18}", re.ASCII)
_SHOWN: Final = 40


class Refused(Exception):  # noqa: N818 - says what became of the request
    """A request that gets no events: the status, what is wrong, what to do."""

    def __init__(self, status: HTTPStatus, text: str, advice: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self._status = status
        self._told = {"error": text, "advice": advice}
        self._headers = headers

    def response(self) -> web.Response:
        """Give the answer."""
        return web.json_response(self._told, status=self._status, headers=self._headers)


def begin_of(request: web.Request) -> Position:
    """Where to begin: after the last event that the client has, else where it wants, else with the latest there is.

    Raises `Refused`.
    """
    for place, text in (
        ("The header Last-Event-ID", request.headers.get("Last-Event-ID", "").strip()),
        ("The parameter from", request.query.get("from", "").strip()),
    ):
        match text:
            case "":
                continue
            case "first":
                return "first"
            case "last":
                return "last"
        if _NUMBER.fullmatch(text):
            return int(text)
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"{place} is '{text[:_SHOWN]}'.",
            "Give the id of the last event that you have, first for all that is kept, or last for the latest.",
        )
    return "last"


def with_body(request: web.Request) -> bool:
    """Tell whether the XML is wanted too. Raises `Refused`."""
    wanted = request.query.get("body", "")
    if wanted not in ("", "xml"):
        raise Refused(
            HTTPStatus.BAD_REQUEST,
            f"The parameter body is '{wanted[:_SHOWN]}'.",
            "Write body=xml to get the XML too, or leave it out.",
        )
    return wanted == "xml"


def host_of(request: web.Request) -> str:
    """Give the name by which the client has called the feed, without the port."""
    try:
        return (request.url.host or "").lower()
    except ValueError:
        return ""
