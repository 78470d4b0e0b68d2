"""`cimgate subscriptions` refuses what cannot be, before it touches anything, and says what to write."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def settings(cimgate: Run, tmp_path: Path) -> None:
    """Settings with an endpoint; neither a store nor a broker is there. It comes after what `cimgate` clears."""
    del cimgate
    table = '[[endpoints]]\nname = "oms"\nurl = "https://oms.example/cim"\n'
    (tmp_path / "cimgate.toml").write_text(f'amqp_url = "amqp://127.0.0.1:1/"\n{table}')


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["a b"], "'a b' is no name for a subscription"),
        (["s", "--event", "26"], "neither a pattern nor a name"),
        (["s", "--verb", "create"], "No event has the verb 'create'"),
        (["s", "--webhook", "https://crm.example/"], "covers the webhook https://crm.example/"),
        (["s", "--webhook", "https://oms.example/cimX"], "covers the webhook https://oms.example/cimX"),
        (["s", "--file", "events.jsonl"], "is not the whole path of a file"),
        (["s", "--file", "/a.jsonl", "--feed"], "Write one of --webhook, --file and --feed"),
        (["s", "--daily"], "--daily and --max-size go with --file alone"),
        (["s", "--feed", "--keep", "soon"], "--keep 'soon' is no duration"),
        (["s", "--feed", "--keep-size", "5kB"], "is no size of 1 MB or more"),
        (["s"], "does not exist"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(cimgate: Run, options: list[str], said: str) -> None:
    result = cimgate("subscriptions", "create", *options)
    assert result.exit_code == 2
    assert said in result.output


def test_what_looks_like_a_mistake_is_told(cimgate: Run) -> None:
    options = ("--noun", "EndDeviceEvent", "--webhook", "https://oms.example/cim/in")
    said = cimgate("subscriptions", "create", "s", *options).output
    assert "note: EndDeviceEvent is no noun of IEC 61968-9. Did you mean EndDeviceEvents?" in said
    assert "the endpoint oms has no secret_file, so the posts are not signed" in said


@pytest.mark.parametrize("command", [["list"], ["show", "s"], ["lag"], ["delete", "s"]])
def test_a_store_that_is_not_there_is_not_made(cimgate: Run, tmp_path: Path, command: list[str]) -> None:
    result = cimgate("subscriptions", *command)
    assert (result.exit_code, "does not exist" in result.output) == (2, True)
    assert not list(tmp_path.glob("*.db"))
