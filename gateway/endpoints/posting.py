"""HTTP endpoints: a message is posted to a URL, and what the answer's status means for it.

Redirects are not followed, proxies and accounts of the environment are not used, cookies are not kept, and of an answer
only its beginning is read: an endpoint can make the gateway call nobody else and hold nothing of its own in it.
"""

import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from yarl import URL

from gateway.endpoints.http import Fate, HttpEndpoint, Outcome

_READ_AT_MOST: Final = 1_024
_SHOWN_AT_MOST: Final = 200
_KEEP_ALIVE: Final = 5.0
_CONNECT_TIMEOUT: Final = 10.0
_LONGEST_WAIT: Final = 600.0
_TRANSIENT: Final = frozenset({408, 425, 429})
_UNAUTHORIZED: Final = 401
_MULTIPLE_CHOICES: Final = 300
_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500


class Poster:
    """Posts to one endpoint. To be closed."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        self._endpoint = endpoint
        # Loading certificates takes some 20 ms, so only where they are needed.
        tls = ssl.create_default_context(cafile=endpoint.ca_file) if endpoint.url.startswith("https:") else True
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=endpoint.in_flight, ssl=tls, keepalive_timeout=_KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "cimgate", "Accept": "*/*"},
            timeout=aiohttp.ClientTimeout(total=endpoint.timeout, sock_connect=min(endpoint.timeout, _CONNECT_TIMEOUT)),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post once. The URL must be covered by the endpoint: it is called as it is written."""
        sent = {"Content-Type": "application/xml", **headers}
        if self._endpoint.authorization is not None:
            try:
                sent["Authorization"] = self._endpoint.authorization()
            except (OSError, ValueError) as error:
                return Outcome(Fate.UNREACHED, f"its authorization cannot be read: {error}")
        try:
            async with self._client.post(
                URL(url, encoded=True), data=body, headers=sent, allow_redirects=False
            ) as response:
                said = await response.content.read(_READ_AT_MOST) if response.status >= _MULTIPLE_CHOICES else b""
                return self._judged(response.status, response.headers.get("Retry-After", ""), said)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Outcome(Fate.UNREACHED, f"no connection: {_cause(error)}")
        except TimeoutError:
            text = f"no answer within {self._endpoint.timeout:g} s"
            return Outcome(Fate.LATER, text, may_have_it=True)
        except aiohttp.ClientError as error:
            return Outcome(Fate.LATER, f"the connection broke: {_cause(error)}", may_have_it=True)

    def _judged(self, status: int, retry_after: str, said: bytes) -> Outcome:
        text = f"it answered {status}"
        if words := _readable(said):
            text = f"{text}: {words}"
        if status < _MULTIPLE_CHOICES:
            return Outcome(Fate.TAKEN, text, status)
        if status in _TRANSIENT or status >= _SERVER_ERROR:
            # Who refuses by such a status may have begun to work: 500 and 504 say nothing about that.
            return Outcome(Fate.LATER, text, status, _seconds(retry_after), may_have_it=status >= _SERVER_ERROR)
        if status == _UNAUTHORIZED and self._endpoint.authorization is not None:
            # A token that has expired is replaced while messages wait; it is nothing that they are at fault for.
            return Outcome(Fate.UNREACHED, f"{text}; replace the authorization of the endpoint", status)
        if status < _BAD_REQUEST:
            text = f"{text}, a redirect, which is not followed"
        return Outcome(Fate.REFUSED, text, status)


def _seconds(retry_after: str) -> float:
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), _LONGEST_WAIT)
    try:
        then = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    seconds = then.timestamp() - time.time()
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def _readable(said: bytes) -> str:
    words = " ".join(said.decode("utf-8", "replace").split())
    return "".join(c for c in words if c.isprintable())[:_SHOWN_AT_MOST]


def _cause(error: BaseException) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return str(error.certificate_error)
        case aiohttp.ClientConnectorError(os_error=OSError() as inner):
            return inner.strerror or str(inner)
    return str(error).strip().rstrip(".") or type(error).__name__
