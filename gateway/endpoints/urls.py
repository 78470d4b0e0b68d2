"""URLs that strangers write as a ReplyAddress, and the rule by which a configured prefix covers them.

The gateway calls no URL that a stranger chose freely (domain/messaging.md G10: Connexo does not either) [inferred]. So
the reading is narrower than RFC 3986: what one program could read otherwise than the next is refused, not mended, and
the URL that is called is the very text that was judged.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

LONGEST: Final = 2_000
"""The most characters of a URL; longer ones are cut by some servers, and then mean something else."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HIGHEST_PORT: Final = 65_535
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[a-z0-9._~!$&'()*+,;=:@%-]*)*)(?:\?(?P<query>[a-z0-9._~!$&'()*+,;=:@%/?-]*))?",
    re.IGNORECASE | re.ASCII,
)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_HIDDEN: Final = frozenset("/\\%?#")  # what no escape may stand for: another program could read a path anew in it


class UnusableUrl(ValueError):  # noqa: N818 - says what it is
    """A URL that is not read any further; the text says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Url:
    """A URL as it is compared: scheme and host in lower case, the port always there, the path in segments.

    `text` is the URL as it was written.
    """

    scheme: str
    host: str
    port: int
    segments: tuple[str, ...]
    has_query: bool
    text: str

    def covers(self, other: "Url") -> bool:
        """Tell whether the other lies at or below this one: the same server, and a path that begins with its path."""
        return (
            (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)
            and other.segments[: len(self.segments)] == self.segments
        )  # fmt: skip

    @property
    def is_loopback(self) -> bool:
        """Tell whether the server is on this machine, by the name alone: nothing is looked up."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return shown(self.text)


def is_url(text: str) -> bool:
    """Tell whether a ReplyAddress is meant as a URL."""
    return text.strip().lower().startswith(("http://", "https://"))


def shown(text: str) -> str:
    """Give a URL for logs and people: without user, query and fragment, in which secrets travel."""
    scheme, separator, rest = re.split(r"[?#]", text, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def read_url(text: str) -> Url:
    """Read a URL. Raises `UnusableUrl`."""
    if len(text) > LONGEST:
        raise UnusableUrl(f"it has more than {LONGEST:,} characters")
    found = _URL.fullmatch(text)
    if found is None:
        raise UnusableUrl(_why_not(text))
    scheme, port = found["scheme"].lower(), int(found["port"] or 0)
    if port > _HIGHEST_PORT:
        raise UnusableUrl(f"its port is above {_HIGHEST_PORT}")
    segments = _segments(found["path"])
    if _BAD_ESCAPE.search(found["query"] or ""):
        raise UnusableUrl("a % in its query is not followed by two hexadecimal digits")
    return Url(
        scheme, _host(found["host"].lower()), port or _DEFAULT_PORTS[scheme], segments, found["query"] is not None, text
    )


def _host(host: str) -> str:
    if ".." in host:
        raise UnusableUrl("its host has an empty part")
    if not host.startswith("["):
        return host
    try:
        return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
    except ValueError:
        raise UnusableUrl("what stands in brackets is no IPv6 address") from None


def _segments(path: str) -> tuple[str, ...]:
    """Give the segments of a path. A slash at its end makes no difference, one too many in between is refused."""
    if _BAD_ESCAPE.search(path):
        raise UnusableUrl("a % in its path is not followed by two hexadecimal digits")
    segments = path.removesuffix("/").split("/")[1:]
    for segment in segments:
        _check(segment)
    # What needs no escape is the same with one, but is compared as it is written: that is the narrower rule.
    return tuple(_ESCAPE.sub(lambda escape: escape[0].upper(), segment) for segment in segments)


def _check(segment: str) -> None:
    if not segment:
        raise UnusableUrl("its path has an empty segment (//)")
    try:
        plain = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise UnusableUrl("what is escaped in its path is no UTF-8 text") from None
    # Full-width dots and slashes are dots and slashes to some programs.
    plain = unicodedata.normalize("NFKC", plain)
    if any(c in _HIDDEN or not c.isprintable() for c in plain):
        raise UnusableUrl("its path hides a / \\ % ? # or a control character behind an escape")
    # `..;x` is `..` to servers that take parameters off a segment.
    if not plain.partition(";")[0].strip(". "):
        raise UnusableUrl("its path has a segment of dots")


def _why_not(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        return "it has characters that no URL has (write them as escapes, such as %20)"
    if not is_url(text):
        return "it does not begin with http:// or https://"
    authority = re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        return "it has a user name in it"
    if "#" in text:
        return "it has a fragment (#)"
    return "its host, port, path or query is not written as in a plain URL (host:port, no dot at the host's end)"
