"""Which URLs an endpoint covers: what lies below its prefix, and nothing that any program could read otherwise."""

import ipaddress
import posixpath
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from gateway.endpoints import Coverage, Covered, UnusableUrl, read_url
from gateway.endpoints.urls import shown

PREFIX = "https://crm.example:8443/cim/answers"
CRM = Coverage([Covered("crm", read_url(PREFIX))])

NASTY = (
    "..", ".", "/", "//", "\\", "@", ":", "#", "?", "%", ";", "%2e", "%2E%2e", "%252e", "%2f", "%5c", "%00", "%0d%0a",
    "%c0%ae", "%ef%bc%8e", "%e2%80%a4", "\u3002", "\uff0e", "\uff0f", "\u2024", "é", " ", "\t", "\n", "\r", "\x00",
    "\u200b", "user@", "user:pw@", "evil.example", "127.0.0.1", "[::1]", "0x7f.1", "8443", ":443", "https:",
    "//evil.example", "..;", "..;/", "/../", "/./", "%2e%2e/", "/%2e%2e/", "a", "cim", "answers", "ANSWERS", "%41",
    "~", "-", "_", "*",
)  # fmt: skip


def covered(text: str, coverage: Coverage = CRM) -> str:
    address, why = coverage.address(text)
    assert (address is None) == bool(why)
    return address.routing_key if address else ""


@pytest.mark.parametrize(
    "url",
    [
        PREFIX,
        PREFIX + "/",
        PREFIX + "/CIS/inbox",
        PREFIX + "/a%20b;v=1?token=a%2Fb&x=../y",
        PREFIX + "?session=1",
        "HTTPS://CRM.Example:8443/cim/answers/x",
        "  " + PREFIX + "/x \n",
    ],
)
def test_what_lies_at_or_below_the_prefix_is_covered_and_kept_as_it_is_written(url: str) -> None:
    address, why = CRM.address(url)
    assert why == ""
    assert address is not None
    assert (address.exchange, address.routing_key, address.url) == ("", "cim.to.crm", url.strip())


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example:8443/cim/answersX",
        "https://crm.example:8443/cim/Answers",
        "https://crm.example:8443/cim",
        "https://crm.example:8443/",
        "https://crm.example/cim/answers",
        "https://crm.example:443/cim/answers",
        "http://crm.example:8443/cim/answers",
        "https://crm.example.:8443/cim/answers",
        "https://xcrm.example:8443/cim/answers",
        "https://crm.example.evil.example:8443/cim/answers",
        "https://evil.example:8443/cim/answers",
        "https://crm.example:8443@evil.example/cim/answers",
        "https://user@crm.example:8443/cim/answers",
        "https://user:pw@crm.example:8443/cim/answers",
        "https://evil.example#@crm.example:8443/cim/answers",
        "https://evil.example\\@crm.example:8443/cim/answers",
        "https:/\\crm.example:8443/cim/answers",
        "https:crm.example:8443/cim/answers",
        "//crm.example:8443/cim/answers",
        "https://crm.example:08443/cim/answers",
        "https://crm.example:84430/cim/answers",
        "https://crm.example:/cim/answers",
        "https://crm.example:8443/cim/answers/../admin",
        "https://crm.example:8443/cim/answers/..",
        "https://crm.example:8443/cim/answers/./x",
        "https://crm.example:8443/cim/answers/%2e%2E/admin",
        "https://crm.example:8443/cim/answers/%252e%252e/admin",
        "https://crm.example:8443/cim/answers/..;x/admin",
        "https://crm.example:8443/cim/answers/..%2fadmin",
        "https://crm.example:8443/cim/answers/..%5cadmin",
        "https://crm.example:8443/cim/answers/..\\admin",
        "https://crm.example:8443/cim/answers/%c0%ae%c0%ae/admin",
        "https://crm.example:8443/cim/answers/%ef%bc%8e%ef%bc%8e/admin",
        "https://crm.example:8443/cim/answers//admin",
        "https://crm.example:8443//cim/answers",
        "https://crm.example:8443/x/../cim/answers",
        "https://crm.example:8443/cim%2fanswers",
        "https://crm.example:8443/cim/answers%",
        "https://crm.example:8443/cim/answers/%0d%0aHost:evil.example",
        "https://crm.example:8443/cim/answers#x",
        "https://crm.example:8443/cim/answers?x=%zz",
        "https://crm.example:8443/cim/answers x",
        "https://crm\u3002example:8443/cim/answers",
        "https://crm.ex\u0430mple:8443/cim/answers",
        "https://crm%2eexample:8443/cim/answers",
        "ftp://crm.example:8443/cim/answers",
        "file:///cim/answers",
        PREFIX + "/" + "x" * 2_000,
    ],
)
def test_what_lies_elsewhere_or_can_be_read_in_two_ways_is_not_covered(url: str) -> None:
    assert covered(url) == ""


def judged_by_others(text: str) -> None:
    """Hold a URL that was covered against how other programs read it, as kindly to an attacker as they may be."""
    parts, client = urlsplit(text), URL(text, encoded=True)
    for scheme, host, port, user in (
        (parts.scheme, parts.hostname, parts.port, parts.username),
        (client.scheme.lower(), (client.host or "").lower(), client.port, client.user),
    ):
        assert (scheme, host, port, user) == ("https", "crm.example", 8443, None)
    path = client.raw_path
    for _ in range(3):
        path = unquote(path).replace("\\", "/")
    path = "/".join(segment.partition(";")[0] for segment in path.split("/"))
    assert (posixpath.normpath(path) + "/").startswith("/cim/answers/")
    assert "#" not in text
    assert text.isascii()
    assert text.isprintable()


@given(st.lists(st.sampled_from(NASTY), max_size=6), st.integers(0, len(PREFIX)), st.text(max_size=3))
@example(["/", "..;", "/", "a"], len(PREFIX), "")
@example(["@"], len("https://crm.example:8443"), "")
def test_nothing_that_is_written_into_a_covered_url_leads_elsewhere(inserted: list[str], at: int, odd: str) -> None:
    text = PREFIX[:at] + "".join(inserted) + odd + PREFIX[at:]
    if covered(text):
        judged_by_others(text.strip())


@given(st.lists(st.sampled_from((*NASTY, "https://", "crm.example:8443", "/cim", "/answers")), max_size=9).map("".join))
def test_nothing_that_is_put_together_from_parts_leads_elsewhere(text: str) -> None:
    if covered(text):
        judged_by_others(text.strip())


@given(st.lists(st.text("abcXYZ019-_~", min_size=1, max_size=8), max_size=4), st.booleans())
def test_every_plain_path_below_the_prefix_is_covered(segments: list[str], slash: bool) -> None:
    assert covered("/".join((PREFIX, *segments)) + "/" * slash) == "cim.to.crm"


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_is_the_same_in_every_way_of_writing_it(address: ipaddress.IPv6Address) -> None:
    six = Coverage([Covered("six", read_url(f"http://[{address.compressed}]/in"))])
    assert covered(f"http://[{address.exploded.upper()}]:80/in/x", six) == "cim.to.six"
    other = ipaddress.IPv6Address(int(address) ^ 1)
    assert covered(f"http://[{other}]/in/x", six) == ""


@pytest.mark.parametrize("host", ["[::1%25eth0]", "[1.2.3.4]", "[::1", "::1", "[::g]", "[]"])
def test_what_is_no_plain_ipv6_address_is_no_host(host: str) -> None:
    with pytest.raises(UnusableUrl):
        read_url(f"http://{host}/in")


def test_the_default_port_may_be_written_or_not() -> None:
    both = Coverage([Covered("a", read_url("https://a.example:443/x")), Covered("b", read_url("http://b.example/"))])
    assert covered("https://a.example/x/y", both) == "cim.to.a"
    assert covered("http://b.example:80/anything", both) == "cim.to.b"


def test_of_several_endpoints_the_one_with_the_longest_prefix_takes_a_url() -> None:
    nested = Coverage(
        [Covered("all", read_url("https://a.example/")), Covered("cis", read_url("https://a.example/cis"))]
    )
    assert [covered(f"https://a.example/{path}", nested) for path in ("cis/1", "oms/1", "")] == [
        "cim.to.cis",
        "cim.to.all",
        "cim.to.all",
    ]


def test_a_refusal_says_why_and_quotes_no_secret() -> None:
    _, why = CRM.address("https://me:s3cret@crm.example:8443/cim/answers?key=s3cret#s3cret")
    assert why == (
        "no table [[endpoints]] of the settings covers the ReplyAddress https://crm.example:8443/cim/answers "
        "(it has a user name in it)"
    )
    _, why = CRM.address("https://me:s3c/ret@crm.example/")
    assert "s3c" not in why


@given(st.text(st.characters(exclude_characters="?#@/"), min_size=1).map(lambda secret: secret + "!"))
def test_what_is_shown_of_a_url_has_neither_user_nor_query(secret: str) -> None:
    for url in (f"https://u:{secret}@h.example/p", f"https://h.example/p?{secret}", f"https://h.example/p#{secret}"):
        assert shown(url) == "https://h.example/p"
