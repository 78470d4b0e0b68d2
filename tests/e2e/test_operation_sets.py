"""OperationSets through a real gateway, on receivers that keep objects: all or nothing, or each with its code."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from tests.e2e.harness import PATIENCE, make_queue, running, take
from tests.e2e.registry import DRAFT, FINAL, KEY, ROUTES, Registry, execute, operation


async def through(
    url: str, folder: Path, store_url: str, raw: bytes, registry: Registry, *, more: str = "", answered_in: str = FINAL,
    **settings: str,
) -> tuple[str, dict[str, set[str]]]:  # fmt: skip
    """Send a set; give the Result of the one answer, and the codes of each operation ('' for the whole)."""
    routes = folder / "routes"
    routes.mkdir()
    (routes / "mdm.toml").write_text(ROUTES.format(name=registry.name, more=more))
    await make_queue(url, "replies")
    async with running(url, folder, store=store_url, **settings):
        serving = asyncio.create_task(registry.serve(url))
        try:
            async with await Partner.open(Access(url, "CIS")) as partner:
                await partner.send(raw, KEY)
            [answer] = await asyncio.wait_for(take(url, "replies", 1), PATIENCE)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
    root = etree.fromstring(answer.body)
    space = etree.QName(root).namespace
    assert space == answered_in
    codes: dict[str, set[str]] = {}
    for error in root.iter(f"{{{space}}}Error"):
        number = error.findtext(f"{{{space}}}operationId") or ""
        codes.setdefault(number, set()).add(error.findtext(f"{{{space}}}code") or "")
    return root.findtext(f"{{{space}}}Reply/{{{space}}}Result") or "", codes


CREATE_THREE = (operation(1, "create", "a"), operation(2, "create", "b"), operation(3, "create", "c"))
FAILS_2: Mapping[tuple[str, str], str] = {("create", "b"): "2.12"}


async def test_all_done_is_ok(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    registry = Registry("MDM")
    result, codes = await through(amqp_url, tmp_path, store_url, execute(*CREATE_THREE, integrity=False), registry)
    assert result == "OK"
    assert all(said <= {"0.0"} for said in codes.values())
    assert registry.meters == {"a", "b", "c"}


async def test_with_integrity_one_failure_undoes_all(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    registry = Registry("MDM", FAILS_2)
    raw = execute(*CREATE_THREE, integrity=True, sequence=True)
    result, codes = await through(amqp_url, tmp_path, store_url, raw, registry)
    assert result == "FAILED"
    assert codes["2"] == {"2.12"}
    assert codes["1"] == codes["3"] == {"5.9"}
    assert registry.meters == set()
    assert registry.asked == [("create", "a"), ("create", "b"), ("delete", "a")]


async def test_without_integrity_the_others_stay_and_each_has_its_code(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    registry = Registry("MDM", FAILS_2)
    result, codes = await through(amqp_url, tmp_path, store_url, execute(*CREATE_THREE, integrity=False), registry)
    assert result == "PARTIAL"
    assert (codes["1"], codes["2"], codes["3"], codes[""]) == ({"0.0"}, {"2.12"}, {"0.0"}, {"0.2"})
    assert registry.meters == {"a", "c"}


async def test_where_all_fail_the_set_has_failed(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    failures = {("create", name): "2.4" for name in "abc"}
    result, codes = await through(
        amqp_url, tmp_path, store_url, execute(*CREATE_THREE, integrity=False), Registry("MDM", failures)
    )
    assert result == "FAILED"
    assert codes["1"] == codes["2"] == codes["3"] == {"2.4"}


async def test_in_sequence_nothing_is_attempted_after_a_failure(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    registry = Registry("MDM", FAILS_2)
    raw = execute(*CREATE_THREE, sequence=True, integrity=False)
    result, codes = await through(amqp_url, tmp_path, store_url, raw, registry)
    assert (result, codes["2"], codes["3"]) == ("PARTIAL", {"2.12"}, {"5.2"})
    assert registry.asked == [("create", "a"), ("create", "b")]


async def test_what_could_not_be_undone_is_refused_before_anything_is_sent(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    registry = Registry("MDM", meters={"a"})
    raw = execute(operation(1, "create", "b"), operation(2, "delete", "a"), integrity=True)
    result, codes = await through(amqp_url, tmp_path, store_url, raw, registry)
    assert result == "FAILED"
    assert codes["1"] == codes["2"] == {"5.2"}
    assert registry.asked == []


async def test_a_delete_is_undone_by_what_was_read_before_it(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    registry = Registry("MDM", FAILS_2, meters={"a"})
    raw = execute(operation(1, "delete", "a"), operation(2, "create", "b"), integrity=True, sequence=True)
    result, codes = await through(amqp_url, tmp_path, store_url, raw, registry, more='undo = "by-get"')
    assert (result, codes["1"], codes["2"]) == ("FAILED", {"5.9"}, {"2.12"})
    assert registry.meters == {"a"}


async def test_what_cannot_be_undone_after_all_is_catastrophic(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    registry = Registry("MDM", {**FAILS_2, ("delete", "a"): "5.3"})
    raw = execute(*CREATE_THREE[:2], sequence=True, integrity=True)
    result, codes = await through(amqp_url, tmp_path, store_url, raw, registry)
    assert result == "FAILED"
    assert "5.3" in codes["1"]


SITE = f"""
[[sources]]
name = "CIS"
mode = "strict"
[sources.namespaces]
"{DRAFT}" = "{FINAL}"
"""


async def test_an_absent_integrity_flag_means_all_or_nothing_in_the_draft(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    """The draft has no noun OperationSet, so a source that writes sets in its namespace is mapped to the final one."""
    (tmp_path / "site.toml").write_text(SITE)
    registry = Registry("MDM", FAILS_2)
    raw = execute(*CREATE_THREE, space=DRAFT)
    result, codes = await through(
        amqp_url, tmp_path, store_url, raw, registry, config=str(tmp_path / "site.toml"), answered_in=DRAFT
    )
    assert (result, codes["1"], codes["2"], codes["3"]) == ("FAILED", {"5.9"}, {"2.12"}, {"5.9"})
    assert registry.meters == set()
    assert {("delete", "a"), ("delete", "c")} <= set(registry.asked)


async def test_an_absent_integrity_flag_means_each_for_itself_in_the_final(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    """The very same set, by the very same source, in the namespace of the final version."""
    (tmp_path / "site.toml").write_text(SITE)
    registry = Registry("MDM", FAILS_2)
    raw = execute(*CREATE_THREE, space=FINAL)
    result, codes = await through(
        amqp_url, tmp_path, store_url, raw, registry, config=str(tmp_path / "site.toml"), answered_in=FINAL
    )
    assert (result, codes["1"], codes["2"], codes["3"], codes[""]) == ("PARTIAL", {"0.0"}, {"2.12"}, {"0.0"}, {"0.2"})
    assert registry.meters == {"a", "c"}
