"""What a post to a real HTTP server on loopback comes to."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.endpoints.http import Fate, HttpEndpoint, Outcome
from gateway.endpoints.posting import Poster

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def server(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        [(_, port)] = [address[:2] for address in runner.addresses]
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def post(url: str, times: int = 1, ca_file: Path | None = None, timeout: float = 20.0) -> Outcome:  # noqa: ASYNC109 - the endpoint's
    poster = Poster(HttpEndpoint("x", url, timeout, in_flight=1, give_up_after=60, ca_file=ca_file))
    try:
        outcomes = [await poster.post(f"{url}/in", b"<x/>", {}) for _ in range(times)]
        return outcomes[-1]
    finally:
        await poster.close()


async def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    async def talks_on(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(status=404)
        await response.prepare(request)
        while True:
            await response.write(b"no such thing \x1b[31m" * 100)

    async with server(talks_on) as url:
        outcome = await post(url)
    assert (outcome.fate, outcome.status) == (Fate.REFUSED, 404)
    assert outcome.text.startswith("it answered 404: no such thing [31m")
    assert len(outcome.text) < 300


async def test_a_server_that_does_not_answer_in_time_may_have_the_message() -> None:
    async def silent(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async with server(silent) as url:
        outcome = await post(url, timeout=0.2)
    assert outcome == Outcome(Fate.LATER, "no answer within 0.2 s", may_have_it=True)


async def test_where_nobody_listens_nobody_has_the_message() -> None:
    async def never(_: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError

    async with server(never) as url:
        pass
    outcome = await post(url)
    assert (outcome.fate, outcome.may_have_it) == (Fate.UNREACHED, False)
    assert outcome.text.startswith("no connection: Connect call failed")


async def test_neither_cookies_nor_proxies_nor_accounts_of_the_environment_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    seen: list[dict[str, str]] = []

    async def baker(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(dict(request.headers))
        return web.Response(headers={"Set-Cookie": "a=b"})

    async with server(baker) as url:
        assert (await post(url, times=2)).fate is Fate.TAKEN
    assert len(seen) == 2
    assert not any({"Cookie", "Authorization"} & set(headers) for headers in seen)


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7.0), ("999999999999", 600.0), ("soon", 0.0), ("-1", 0.0), ("", 0.0)]
)
async def test_a_busy_server_may_say_how_long_to_wait_but_not_for_ever(said: str, seconds: float) -> None:
    async def busy(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": said} if said else {})

    async with server(busy) as url:
        outcome = await post(url)
    assert (outcome.fate, outcome.wait, outcome.may_have_it) == (Fate.LATER, seconds, True)


def certified(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
async def test_a_server_is_trusted_by_the_certificates_of_its_endpoint_and_by_no_others(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def takes(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=202)

    async with server(takes, context) as url:
        known, unknown = await post(url, ca_file=certificate), await post(url)
    assert (known.fate, known.status) == (Fate.TAKEN, 202)
    assert unknown.fate is Fate.UNREACHED
    assert "certificate verify failed" in unknown.text
