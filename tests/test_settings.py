from pathlib import Path

import pytest

from gateway.settings import Origin, Settings, SettingsError, load, trace, unknown_variables


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONFIG", "AMQP_URL", "AMQP_PASSWORD", "CONTEXT"):
        monkeypatch.delenv(f"CIMGATE_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def _file(tmp_path: Path, text: str, name: str = "site.toml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def _refused(**arguments: object) -> str:
    with pytest.raises(SettingsError) as error:
        load(**arguments)  # type: ignore[arg-type] # wrong on purpose
    return str(error.value)


def test_without_any_setting_the_gateway_serves_the_testing_context_on_the_local_broker() -> None:
    settings = load()
    assert settings.context == "TESTING"
    assert settings.broker_url() == "amqp://guest:guest@127.0.0.1:5672/"


def test_an_argument_beats_the_environment_which_beats_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = _file(tmp_path, "prefetch = 10\nbatch = 10\nheartbeat = 10\n")
    monkeypatch.setenv("CIMGATE_PREFETCH", "20")
    monkeypatch.setenv("CIMGATE_BATCH", "20")
    loaded = trace(file, prefetch=30, batch=None)
    assert (loaded.settings.prefetch, loaded.settings.batch, loaded.settings.heartbeat) == (30, 20, 10)
    assert [loaded.sources[name].origin for name in ("prefetch", "batch", "heartbeat", "name")] == [
        Origin.ARGUMENT,
        Origin.ENVIRONMENT,
        Origin.CONFIG_FILE,
        Origin.DEFAULT,
    ]
    assert loaded.sources["heartbeat"].name == f"{file}:3"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMGATE_PREFETCH", "")
    assert load().prefetch == 500


def test_a_cimgate_toml_in_the_working_folder_is_read_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _file(tmp_path, 'name = "here"', "cimgate.toml")
    assert load().name == "here"
    monkeypatch.setenv("CIMGATE_CONFIG", str(_file(tmp_path, 'name = "there"')))
    assert load().name == "there"
    assert load(_file(tmp_path, 'name = "option"', "option.toml")).name == "option"


def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIMGATE_AMQP_URL", "amqp://cim@broker:5673/grid")
    monkeypatch.setenv("CIMGATE_AMQP_PASSWORD_FILE", str(_file(tmp_path, "s3cr/t\n", "password")))
    loaded = trace()
    assert loaded.settings.broker_url() == "amqp://cim:s3cr%2Ft@broker:5673/grid"
    assert loaded.sources["amqp_password"].name == "CIMGATE_AMQP_PASSWORD_FILE"


def test_a_password_of_its_own_stands_in_for_the_one_in_the_url() -> None:
    url = "amqps://cim:old@[::1]:5671/grid?name=x"
    settings = Settings.model_validate({"amqp_url": url, "amqp_password": "new@"})
    assert settings.broker_url() == "amqps://cim:new%40@[::1]:5671/grid?name=x"


def test_no_password_shows_in_text_made_from_settings() -> None:
    settings = Settings.model_validate({"amqp_url": "amqp://cim:hidden@broker:5673/grid", "amqp_password": "hidden"})
    masked = settings.masked()
    assert (masked["amqp_url"], masked["amqp_password"]) == ("amqp://cim:***@broker:5673/grid", "***")
    assert "hidden" not in f"{settings!r} {settings} {settings.masked()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "url", ["broker", "http://u:hidden@broker/", "amqp://u:hidden/x@broker/", "amqp://:5672/", "amqp://u:hidden@h:x/"]
)
def test_a_wrong_broker_url_is_refused_without_quoting_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CIMGATE_AMQP_URL", url)
    text = _refused()
    assert text.startswith("CIMGATE_AMQP_URL must be amqp://user:password@host:port/vhost")
    assert "hidden" not in text


def test_every_wrong_setting_is_told_in_a_line_with_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = _file(tmp_path, 'prefetch = 0\nstop_timeout = "soon"\nmax_message_bytes = "1 parsec"\nname = 7\n')
    monkeypatch.setenv("CIMGATE_CONTEXT", "testing")
    assert sorted(_refused(config=file, log_level="loud").splitlines()) == sorted(
        [
            f"{file}:1: prefetch is 0: must be at least 1.",
            f"{file}:2: stop_timeout is 'soon': must be a number.",
            f"{file}:3: max_message_bytes is '1 parsec': must be a number of bytes, such as 50000 or '16 MiB'.",
            f"{file}:4: name is 7: must be text in quotes.",
            "CIMGATE_CONTEXT is 'testing': must match ^[A-Z][A-Z0-9_-]*$.",
            "--log-level is 'loud': must be 'debug', 'info', 'warning' or 'error'.",
        ]
    )


def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_setting(tmp_path: Path) -> None:
    file = _file(tmp_path, '# site\nprefech = 5\n[broker]\nurl = "x"\n')
    assert _refused(config=file).splitlines() == [
        f"{file}:2: prefech is no setting. Did you mean prefetch?",
        f"{file}:3: broker is no setting. `cimgate config show` lists all.",
    ]


def test_a_file_that_is_missing_or_no_toml_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _refused(config=tmp_path / "gone.toml") == f"--config names {tmp_path}/gone.toml, which is no file."
    assert "site.toml cannot be read: " in _refused(config=_file(tmp_path, "prefetch = = 1"))
    monkeypatch.setenv("CIMGATE_CONFIG", "gone.toml")
    assert _refused() == "CIMGATE_CONFIG names gone.toml, which is no file."


def test_a_secret_file_that_is_missing_or_empty_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIMGATE_AMQP_PASSWORD_FILE", "gone")
    assert _refused() == "CIMGATE_AMQP_PASSWORD_FILE: gone cannot be read: No such file or directory."
    monkeypatch.setenv("CIMGATE_AMQP_PASSWORD_FILE", str(_file(tmp_path, "\n", "empty")))
    assert "is empty" in _refused()


def test_waiting_longer_at_first_than_at_most_is_refused() -> None:
    assert _refused(reconnect_first=60) == ("reconnect_first (60 s) must not exceed reconnect_most (30 s).")


def test_sizes_may_carry_units_and_become_the_limits_of_reading() -> None:
    limits = load(max_message_bytes="1 MiB", max_decompressed_bytes=2048, max_compression_ratio=10).limits()
    assert (limits.message_bytes, limits.decompressed_bytes, limits.compression_ratio) == (1048576, 2048, 10)


def test_a_path_in_the_file_is_relative_to_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    assert load(_file(folder, 'routes = "routes"')).routes == folder / "routes"


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.prefetch = 1


def test_a_variable_that_sets_nothing_is_reported_with_the_nearest_that_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMGATE_PREFECH", "5")
    monkeypatch.setenv("CIMGATE_AMQP_PASSWORD_FILE", "known")
    unknown = unknown_variables()
    assert unknown["CIMGATE_PREFECH"] == "CIMGATE_PREFETCH"
    assert "CIMGATE_AMQP_PASSWORD_FILE" not in unknown


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_sources_have_tables_of_their_own(tmp_path: Path) -> None:
    text = """
        [[sources]]
        name = "HES"
        mode = "lenient"
        nouns = { Alarms = "EndDeviceEvents" }
        [sources.namespaces]
        "http://iec.ch/TC57/2010/*#" = "http://iec.ch/TC57/2011/*#"

        [[sources]]
        name = ["CIS", "OMS"]
        [sources.rules]
        blank-correlation = "error"
    """
    hes, others = load(_file(tmp_path, text)).sources
    assert (hes.name, hes.mode, others.name, others.mode) == (("HES",), "lenient", ("CIS", "OMS"), None)
    assert others.rules == {"blank-correlation": "error"}
    assert load(_file(tmp_path, text)).masked()["sources"] == "HES: lenient; CIS, OMS: None"


def test_what_is_wrong_in_a_table_of_a_source_is_told_with_its_line(tmp_path: Path) -> None:
    file = _file(
        tmp_path,
        '[[sources]]\nname = "HES"\nmode = "soft"\nnaems = 1\n[[sources]]\n'
        'namespaces = {"urn:a/*#" = "urn:b"}\n[[sources]]\nname = "CIS"\nnouns = {MeterConfig = "MeterReadings"}\n',
    )
    assert _refused(config=file).splitlines() == [
        f"{file}:1: sources[1].mode is 'soft': must be 'strict' or 'lenient'.",
        f"{file}:1: sources[1].naems is no key of the table.",
        f"{file}:5: sources[2].name is missing.",
        f"{file}:5: sources[2].namespaces 'urn:a/*#' has a * for the noun, so 'urn:b' needs one too.",
        f"{file}:7: sources[3].nouns MeterConfig is a noun of the standard and cannot be read as another.",
    ]


def test_a_source_has_one_table(tmp_path: Path) -> None:
    file = _file(tmp_path, '[[sources]]\nname = "HES"\n[[sources]]\nname = ["CIS", "HES"]\n')
    assert _refused(config=file) == f"{file}:1: sources: HES has more than one table [[sources]]."


def test_endpoints_have_tables_of_their_own_and_show_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer hidden\n")
    monkeypatch.setenv("LAB_TOKEN", "Basic hidden")
    text = """
        [[endpoints]]
        name = "crm"
        url = "https://crm.example/cim"
        authorization_file = "token"
        in_flight = 4

        [[endpoints]]
        name = "lab"
        url = "http://localhost:8080"
        authorization_env = "LAB_TOKEN"

        [[endpoints]]
        name = "far"
        url = "http://far.example/"
        authorization_env = "LAB_TOKEN"
    """
    settings = load(_file(tmp_path, text))
    crm, lab, far = settings.endpoints
    assert (crm.header_value(), lab.header_value()) == ("Bearer hidden", "Basic hidden")
    assert [table.exposed for table in (crm, lab, far)] == [False, False, True]
    assert settings.coverage().covers("lab", "http://LOCALHOST:8080/x")
    shown = str(settings.masked()["endpoints"])
    assert f"crm: https://crm.example/cim, authorization *** ({tmp_path / 'token'}), 4 at a time" in shown
    assert "hidden" not in f"{settings!r} {settings.masked()} {settings.model_dump_json()}"


def test_what_is_wrong_in_a_table_of_an_endpoint_is_told_with_its_line_and_without_a_secret(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "lines").write_text("hidden\nhidden")
    tables = [
        'name = "a"\nurl = "https://me:hidden@a.example/x?key=hidden"',
        'name = "b b"\nurl = "https://b.example/x/../y"',
        'name = "c"\nurl = "https://c.example/?hidden"',
        'name = "d"\nurl = "https://d.example/"\nauthorization_file = "none"',
        'name = "e"\nurl = "https://e.example/"\nauthorization_file = "empty"',
        'name = "f"\nurl = "https://f.example/"\nauthorization_file = "lines"',
        'name = "g"\nurl = "https://g.example/"\nauthorization_file = "lines"\nauthorization_env = "X"',
        'name = "h"\nurl = "http://h.example/"\nca_file = "lines"',
        'name = "i"\nurl = "https://i.example/"\nca_file = "lines"',
    ]
    file = _file(tmp_path, "".join(f"[[endpoints]]\n{table}\n" for table in tables))
    told = _refused(config=file)
    assert "hidden" not in told
    lines = told.splitlines()
    assert lines[:-1] == [
        f"{file}:1: endpoints[1].url is 'https://a.example/x': cannot be an endpoint: it has a user name in it.",
        f"{file}:4: endpoints[2].name is 'b b': must match ^[A-Za-z0-9][A-Za-z0-9_-]{{0,62}}$.",
        (
            f"{file}:4: endpoints[2].url is 'https://b.example/x/../y': cannot be an endpoint: its path has a "
            "segment of dots."
        ),
        (
            f"{file}:7: endpoints[3].url is 'https://c.example/': cannot be an endpoint: it has a query (?); write "
            "what covered URLs begin with."
        ),
        f"{file}:10: endpoints[4] authorization_file {tmp_path / 'none'} cannot be read: No such file or directory.",
        f"{file}:14: endpoints[5] the authorization_file has no value.",
        f"{file}:18: endpoints[6] the authorization_file is not one line of plain ASCII text.",
        f"{file}:22: endpoints[7] write authorization_file or authorization_env, not both.",
        f"{file}:27: endpoints[8] ca_file is for https:// alone.",
    ]
    assert lines[-1].startswith(f"{file}:31: endpoints[9] ca_file {tmp_path / 'lines'} cannot be used: ")


def test_endpoints_are_told_apart_by_name_and_url(tmp_path: Path) -> None:
    text = "".join(
        f'[[endpoints]]\nname = "{name}"\nurl = "{url}"\n'
        for name, url in (("a", "https://a.example/x"), ("a", "https://b.example"), ("c", "HTTPS://a.example:443/x/"))
    )
    file = _file(tmp_path, text)
    assert _refused(config=file) == (
        f"{file}:1: endpoints: a is the name of more than one table [[endpoints]]; a and c have the same url."
    )


def test_the_outage_view_is_refused_without_the_events_it_reads_and_with_codes_that_are_none(tmp_path: Path) -> None:
    file = _file(tmp_path, "publish_events = false\n[outages]\non = true\n")
    assert _refused(config=file).startswith("[outages] on = true needs publish_events = true")
    file = _file(tmp_path, '[outages]\non = true\ncodes = { "3.26" = "out" }\n')
    assert _refused(config=file).startswith(
        f"{file}:1: outages.codes The outage code '3.26' is no event type: it has 2"
    )
    file = _file(tmp_path, "[outages]\nseconds = 0\n")
    assert _refused(config=file) == f"{file}:1: outages.seconds must be more than 0."


def test_the_feed_is_off_until_it_listens_and_shows_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load().feed.listen is None
    (tmp_path / "wall.token").write_text("hidden-hidden-hidden\n")
    monkeypatch.setenv("LAB_TOKEN", "hidden-hidden-lab")
    text = """
        [feed]
        listen = "[::]:8750"
        clients = 20

        [[feed.tokens]]
        name = "wall"
        file = "wall.token"
        subscriptions = "outages"

        [[feed.tokens]]
        name = "lab"
        env = "LAB_TOKEN"
        subscriptions = ["*"]
    """
    settings = load(_file(tmp_path, text))
    assert settings.feed.address == ("::", 8750)
    assert [token.secret() for token in settings.feed.tokens] == ["hidden-hidden-hidden", "hidden-hidden-lab"]
    assert settings.masked()["feed"] == "[::]:8750, tokens of wall, lab, at most 20 clients"
    assert settings.feed.tokens[0].shown() == f"wall: *** ({tmp_path / 'wall.token'}) reads outages"
    assert "hidden" not in f"{settings!r} {settings.masked()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('listen = "8750"', "1: feed.listen is '8750': must be HOST:PORT, such as 127.0.0.1:8750 or [::1]:8750."),
        (
            'listen = "0.0.0.0:8750"',
            "1: feed: listen is 0.0.0.0:8750, where others can reach it: add a table [[feed.tokens]] for each reader, ",
        ),
        (
            '[[feed.tokens]]\nname = "a"\nenv = "SHORT"\nsubscriptions = "x"',
            "2: feed.tokens[1] the variable SHORT has no token: write one line of at least 16 letters, digits, ",
        ),
        (
            '[[feed.tokens]]\nname = "a"\nsubscriptions = "x"',
            "2: feed.tokens[1] write file or env, the place where the token stands.",
        ),
        ('[[feed.tokens]]\ntoken = "hidden"\nname = "a"\nfile = "x"\nsubscriptions = []', None),
    ],
)
def test_what_is_wrong_with_the_feed_is_told_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, told: str | None
) -> None:
    monkeypatch.setenv("SHORT", "hidden")
    file = _file(tmp_path, f"[feed]\n{text}")
    refused = _refused(config=file)
    assert "hidden" not in refused
    if told is None:
        assert refused.splitlines() == [
            f"{file}:2: feed.tokens[1].subscriptions must not be empty.",
            f"{file}:2: feed.tokens[1].token is no key of the table.",
        ]
    else:
        assert refused.startswith(f"{file}:{told}")


def test_the_feed_of_the_manual_can_be_used_as_it_is_written(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/feed.md").read_text()
    (tmp_path / "control-room.token").write_text("0123456789abcdef=\n")
    feed = load(_file(tmp_path, page.split("```toml\n")[1].split("```")[0])).feed
    assert (feed.listen, feed.tokens[0].subscriptions) == ("127.0.0.1:8750", ("outages",))
