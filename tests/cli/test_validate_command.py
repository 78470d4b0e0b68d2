import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

TOP = Path(__file__).parents[2]
Run = Callable[..., Result]


def _write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def _wrong_time(event: str) -> str:
    return event.replace("2026-03-01T09:59:58Z", "yesterday")


def test_a_valid_message_is_ok(cimgate: Run, tmp_path: Path, event: str) -> None:
    file = _write(tmp_path, "good.xml", event)
    result = cimgate("validate", file)
    assert result.exit_code == 0
    assert f"ok  {file}  EventMessage created(EndDeviceEvents)" in result.output
    assert "1 message checked: 1 ok" in result.output


def test_a_fault_shows_its_line_with_a_mark_under_the_place_and_what_to_do(
    cimgate: Run, tmp_path: Path, event: str
) -> None:
    result = cimgate("validate", _write(tmp_path, "bad.xml", _wrong_time(event)))
    assert result.exit_code == 1
    lines = result.output.splitlines()
    at = lines.index("    14 | <m:createdDateTime>yesterday</m:createdDateTime>")
    assert lines[at + 1].strip(" |^") == ""
    assert "^^^" in lines[at + 1]
    assert "/EventMessage/Payload/EndDeviceEvents/EndDeviceEvent/createdDateTime" in lines[at - 1]
    assert "reply code 1.8 (schema validation failed)" in result.output
    assert "to do" in result.output
    assert lines[-1] == "1 message checked: 1 refused"


def test_broken_xml_is_marked_at_the_column_where_the_parser_stopped(cimgate: Run, tmp_path: Path, event: str) -> None:
    result = cimgate("validate", _write(tmp_path, "torn.xml", event.replace("</Verb>", "</Verv>")))
    assert result.exit_code == 1
    lines = result.output.splitlines()
    at = lines.index("    4 | <Verb>created</Verv>")
    assert lines[at + 1].strip() == "|                    ^"


def test_a_message_on_one_long_line_is_cut_to_the_place(cimgate: Run, tmp_path: Path, event: str) -> None:
    flat = "".join(line.strip() for line in _wrong_time(event).splitlines())
    result = cimgate("validate", _write(tmp_path, "flat.xml", flat))
    shown = [line for line in result.output.splitlines() if " 1 | " in line]
    assert len(shown) == 1
    assert "yesterday" in shown[0]
    assert len(shown[0]) <= 100


def test_a_folder_is_searched_in_the_order_of_names(cimgate: Run, tmp_path: Path, event: str) -> None:
    for name in ("b.xml", "a/z.XML", "a/b.xml"):
        _write(tmp_path / "in", name, event)
    _write(tmp_path / "in", "notes.txt", "no message")
    result = cimgate("validate", "in", "--json")
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == ["in/a/b.xml", "in/a/z.XML", "in/b.xml"]


def test_json_gives_one_object_a_file(cimgate: Run, tmp_path: Path, event: str) -> None:
    good, bad = _write(tmp_path, "good.xml", event), _write(tmp_path, "bad.xml", _wrong_time(event))
    empty = _write(tmp_path, "empty.xml", "")
    result = cimgate("validate", "--json", good, bad, empty)
    assert result.exit_code == 1
    first, second, third = map(json.loads, result.stdout.splitlines())
    assert first == {
        "file": str(good),
        "ok": True,
        "kind": "EventMessage",
        "verb": "created",
        "noun": "EndDeviceEvents",
        "envelope": "final",
        "streamed": False,
        "findings": [],
    }
    assert (second["ok"], second["findings"][0]["line"], second["findings"][0]["code"]) == (False, 14, "1.8")
    assert (third["kind"], third["findings"][0]["rule"]) == (None, "xml-empty")


def test_standard_input_is_read_at_a_dash(cimgate: Run, event: str) -> None:
    assert "ok  standard input" in cimgate("validate", "-", stdin=event.encode()).output
    assert cimgate("validate", "-", stdin=b"").exit_code == 1


def test_a_message_in_another_encoding_is_shown_in_it(cimgate: Run, tmp_path: Path, event: str) -> None:
    text = _wrong_time(event).replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    result = cimgate("validate", _write(tmp_path, "wide.xml", text))
    assert "14 | <m:createdDateTime>yesterday</m:createdDateTime>" in result.output


def test_quiet_names_the_refused_files_and_nothing_more(cimgate: Run, tmp_path: Path, event: str) -> None:
    good, bad = _write(tmp_path, "good.xml", event), _write(tmp_path, "bad.xml", _wrong_time(event))
    result = cimgate("validate", "--quiet", good, bad)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert str(bad) in result.output


def test_another_context_is_refused_only_where_one_is_asked_for(cimgate: Run, tmp_path: Path, event: str) -> None:
    file = _write(tmp_path, "good.xml", event)
    assert cimgate("validate", "--context", "TESTING", file).exit_code == 0
    assert cimgate("validate", "--context", "PRODUCTION", file).exit_code == 1


def test_a_file_that_is_missing_ends_in_a_clear_line(cimgate: Run, tmp_path: Path, event: str) -> None:
    (tmp_path / "void").mkdir()
    result = cimgate("validate", _write(tmp_path, "good.xml", event), "gone.xml", "void")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "cimgate: gone.xml does not exist.",
        "cimgate: The folder void has no *.xml in it.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 50,
        bytes(range(256)) * 8,
        b"\xff\xfe<\x00",
        b"<a>\x1b[31m\x9b</a>",
        b"\x1f\x8b\x08" + b"\xff" * 99,
    ],
)
def test_binary_garbage_is_refused_without_reaching_the_terminal(cimgate: Run, tmp_path: Path, content: bytes) -> None:
    result = cimgate("validate", _write(tmp_path, "noise.xml", content))
    assert result.exit_code == 1
    assert result.output.replace("\n", "").isprintable()
    assert cimgate("validate", "--json", tmp_path / "noise.xml").exit_code == 1


def test_markup_of_the_terminal_library_in_a_message_stays_text(cimgate: Run, tmp_path: Path, event: str) -> None:
    result = cimgate("validate", _write(tmp_path, "markup.xml", event.replace("09:59:58Z", "[bold]x[/nope]")))
    assert result.exit_code == 1
    assert "[bold]x[/nope]" in result.output


def test_a_size_limit_of_the_settings_counts(cimgate: Run, tmp_path: Path, event: str) -> None:
    _write(tmp_path, "cimgate.toml", "max_message_bytes = 100\n")
    result = cimgate("validate", "--json", _write(tmp_path, "good.xml", event))
    assert json.loads(result.stdout)["findings"][0]["rule"] == "message-too-large"


def test_the_command_works_as_a_program_on_an_ascii_terminal(tmp_path: Path, event: str) -> None:
    file = _write(tmp_path, "umlaut.xml", _wrong_time(event).replace("yesterday", "übermorgen"))
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "validate", file],
        cwd=TOP,
        env={"PYTHONIOENCODING": "ascii", "COLUMNS": "80"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"\\xfcbermorgen" in done.stdout
    assert done.stderr == b""


def _many_events(event: str, count: int) -> str:
    head, _, rest = event.partition("      <m:EndDeviceEvent>")
    body, _, tail = rest.partition("</m:EndDeviceEvent>\n")
    return head + f"      <m:EndDeviceEvent>{body}</m:EndDeviceEvent>\n" * count + tail


def test_a_message_larger_than_the_gateway_takes_is_judged_in_a_stream_and_says_so(
    cimgate: Run, tmp_path: Path, event: str
) -> None:
    _write(tmp_path, "cimgate.toml", 'max_message_bytes = "20 KiB"\n')
    file = _write(tmp_path, "large.xml", _many_events(event, 100))
    result = cimgate("validate", file)
    assert result.exit_code == 0
    assert f"ok with warnings  {file}  EventMessage created(EndDeviceEvents), streamed" in result.output
    assert "The gateway would refuse it for that" in result.output
    assert "error" not in result.output


def test_a_fault_in_a_streamed_message_shows_its_line(cimgate: Run, tmp_path: Path, event: str) -> None:
    _write(tmp_path, "cimgate.toml", 'max_message_bytes = "20 KiB"\n')
    many = _many_events(event, 100)
    torn = many[: many.rindex("2026-03-01T09:59:58Z")] + "yesterday" + many[many.rindex("T09:59:58Z") + 10 :]
    for result in (
        cimgate("validate", _write(tmp_path, "large.xml", torn)),
        cimgate("validate", "-", stdin=torn.encode()),
    ):
        assert result.exit_code == 1
        lines = result.output.splitlines()
        at = lines.index("    707 | <m:createdDateTime>yesterday</m:createdDateTime>")
        assert "EndDeviceEvent[100]/createdDateTime" in lines[at - 1]


def test_a_large_message_that_can_only_be_judged_as_a_whole_is_refused_with_the_reason(
    cimgate: Run, tmp_path: Path, event: str
) -> None:
    _write(tmp_path, "cimgate.toml", 'max_message_bytes = "20 KiB"\n')
    head, _, rest = event.partition("    <m:EndDeviceEvents")
    compressed = f"{head}<Compressed>{'A' * 40_000}</Compressed>\n  </Payload>{rest.partition('</Payload>')[2]}"
    result = cimgate("validate", "--json", _write(tmp_path, "large.xml", compressed))
    [finding] = json.loads(result.stdout)["findings"]
    assert (finding["severity"], finding["rule"]) == ("error", "message-too-large")
    assert "Only a payload with a single root of a noun can be judged in a stream" in finding["advice"]
