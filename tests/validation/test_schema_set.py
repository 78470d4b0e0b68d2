from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml import etree

from gateway.message import EnvelopeVersion, read
from gateway.validation import Checker, SchemaError, SchemaSet

_HEAD = 'xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"'
_SPACE = "http://vendor.example/2024/Weather#"


def _schema(body: str, namespace: str = _SPACE) -> bytes:
    return f'<xs:schema {_HEAD} xmlns:w="{_SPACE}" targetNamespace="{namespace}">{body}</xs:schema>'.encode()


_WEATHER = '<xs:element name="Weather" type="w:Weather"/>'
_TYPE = (
    '<xs:complexType name="Weather"><xs:sequence><xs:element name="rain" type="xs:int"/></xs:sequence></xs:complexType>'
)


def _rain(amount: str) -> etree._Element:
    return etree.fromstring(f'<Weather xmlns="{_SPACE}"><rain>{amount}</rain></Weather>')


def _weather_event(content: str) -> bytes:
    header = "<Header><Verb>created</Verb><Noun>Weather</Noun></Header>"
    payload = f'<Payload><Weather xmlns="{_SPACE}">{content}</Weather></Payload>'
    return f'<EventMessage xmlns="{EnvelopeVersion.FINAL.namespace}">{header}{payload}</EventMessage>'.encode()


def test_every_shipped_schema_compiles(sources: Mapping[str, bytes]) -> None:
    SchemaSet(sources).compile_all()


def test_every_shipped_schema_can_be_explained(sources: Mapping[str, bytes]) -> None:
    schemas = SchemaSet(sources)
    spaces = [version.namespace for version in EnvelopeVersion]
    spaces += [space for noun in schemas.nouns | schemas.profiles if (space := schemas.namespace_of(noun))]
    assert len(spaces) == len(sources)
    assert all(schemas.model(space) is not None for space in spaces)


@pytest.mark.parametrize("name", ["message-2011.xsd", "message-2011-draft.xsd"])
def test_every_envelope_says_how_sure_it_is(sources: Mapping[str, bytes], name: str) -> None:
    assert b"Confidence: " in sources[name]
    assert b"cimgate's own writing" in sources[name]


def test_a_missing_envelope_is_told() -> None:
    with pytest.raises(SchemaError, match="No schema for the envelope's namespace"):
        SchemaSet({"weather.xsd": _schema(_WEATHER + _TYPE)}).compile_all()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [(b"<xs:schema", "not well-formed"), (b"<schema/>", "no XML schema"), (b"", "not well-formed")],
)
def test_what_is_no_schema_is_told_with_its_name(raw: bytes, reason: str) -> None:
    with pytest.raises(SchemaError, match=rf"odd\.xsd .*{reason}"):
        SchemaSet({"odd.xsd": raw})


def test_a_schema_that_does_not_compile_is_told_with_its_name() -> None:
    schemas = SchemaSet({"weather.xsd": _schema(_WEATHER)})
    with pytest.raises(SchemaError, match=r"weather\.xsd does not compile: .*Weather"):
        schemas.of(f"{{{_SPACE}}}Weather")


def test_a_vendor_s_noun_is_known_by_its_namespace(sources: Mapping[str, bytes]) -> None:
    schemas = SchemaSet({**sources, "weather.xsd": _schema(_WEATHER + _TYPE)})
    assert "Weather" in schemas.nouns
    [finding] = Checker(schemas).check(read(_weather_event("<rain>much</rain>"))).findings
    assert finding.xpath == "/EventMessage/Payload/Weather/rain"


def test_the_later_schema_of_a_namespace_counts() -> None:
    loose = _schema('<xs:element name="Weather"/>')
    strict = _schema(_WEATHER + _TYPE)
    tag = f"{{{_SPACE}}}Weather"
    first, second = (
        SchemaSet({"a.xsd": loose, "b.xsd": strict}).of(tag),
        SchemaSet({"b.xsd": strict, "a.xsd": loose}).of(tag),
    )
    assert first is not None
    assert second is not None
    assert not first.validate(_rain("much"))
    assert second.validate(_rain("much"))


@pytest.mark.parametrize("names", [("weather.xsd", "types.xsd"), ("site/weather.xsd", "site/types.xsd")])
def test_includes_are_found_among_the_sources(names: tuple[str, str]) -> None:
    main, part = names
    include = '<xs:include schemaLocation="types.xsd"/>'
    schemas = SchemaSet({part: _schema(_TYPE), main: _schema(include + _WEATHER)})
    schema = schemas.of(f"{{{_SPACE}}}Weather")
    assert schema is not None
    assert schema.validate(_rain("5"))
    assert not schema.validate(_rain("much"))
    assert schemas.model(_SPACE) is not None


_LIMIT = (
    '<xs:simpleType name="Rain"><xs:restriction base="xs:int"><xs:maxInclusive value="9"/></xs:restriction>'
    "</xs:simpleType>"
)


def test_an_included_part_without_a_namespace_is_explained_like_any_other(sources: Mapping[str, bytes]) -> None:
    part = f"<xs:schema {_HEAD}>{_TYPE.replace('xs:int', 'Rain')}{_LIMIT}</xs:schema>"
    main = _schema('<xs:include schemaLocation="types.xsd"/>' + _WEATHER)
    checker = Checker(SchemaSet({**sources, "types.xsd": part.encode(), "weather.xsd": main}))
    texts = [finding.text for finding in checker.check(read(_weather_event("<sun/>"))).findings]
    assert texts == ["Weather has no element sun.", "Weather lacks rain."]
    [finding] = checker.check(read(_weather_event("<rain>much</rain>"))).findings
    assert finding.advice == "Write a whole number in digits, such as 12, without a unit."


def test_a_part_without_a_namespace_serves_several_versions(sources: Mapping[str, bytes]) -> None:
    newer = "http://vendor.example/2025/Weather#"
    part = f"<xs:schema {_HEAD}>{_TYPE}</xs:schema>".encode()
    main = _schema('<xs:include schemaLocation="types.xsd"/>' + _WEATHER)
    schemas = SchemaSet(
        {**sources, "types.xsd": part, "old.xsd": main, "new.xsd": main.replace(_SPACE.encode(), newer.encode())}
    )
    for space in (_SPACE, newer):
        rain = etree.fromstring(f'<Weather xmlns="{space}"><rain>much</rain></Weather>')
        schema = schemas.of(f"{{{space}}}Weather")
        assert schema is not None
        assert not schema.validate(rain)
        assert schemas.model(space) is not None


@pytest.mark.parametrize(
    ("content", "rule", "text"),
    [
        ("", "cvc-complex-type.2.4", "Weather lacks rain."),
        ("<sun/>", "cvc-complex-type.2.4", "sun: This element is not expected."),
        (
            "<rain>much</rain>",
            "cvc-datatype-valid.1.2.1",
            "rain: 'much' is not a valid value of the atomic type 'Rain'.",
        ),
        (
            "<rain>12</rain>",
            "cvc-maxInclusive-valid",
            "rain: The value '12' is greater than the maximum value allowed ('9').",
        ),
    ],
)
def test_a_schema_that_bends_the_rules_is_judged_with_the_bare_words_of_the_parser(
    sources: Mapping[str, bytes], content: str, rule: str, text: str
) -> None:
    twice = '<xs:element name="rain" type="w:Rain"/><xs:element name="rain" type="xs:string" minOccurs="0"/>'
    kind = f'<xs:complexType name="Weather"><xs:sequence>{twice}</xs:sequence></xs:complexType>'
    checker = Checker(SchemaSet({**sources, "weather.xsd": _schema(_WEATHER + kind + _LIMIT)}))
    [finding] = checker.check(read(_weather_event(content))).findings
    assert (finding.rule, finding.text) == (rule, text)


def test_versions_of_a_noun_live_side_by_side_each_judged_by_its_own_schema(sources: Mapping[str, bytes]) -> None:
    ours, newer, newest = (f"http://iec.ch/TC57/{year}/MeterReadings#" for year in (2011, 2015, 2023))
    loose = '<xs:element name="MeterReadings"/>'
    schemas = SchemaSet(
        {**sources, "2015/MeterReadings.xsd": _schema(loose, newer), "2023/MeterReadings.xsd": _schema(loose, newest)}
    )
    assert schemas.namespaces_of("MeterReadings") == (ours, newest, newer)
    assert schemas.namespace_of("MeterReadings") == ours
    assert schemas.namespaces_of("Weather") == ()
    for space, valid in ((ours, False), (newer, True), (newest, True)):
        schema = schemas.of(f"{{{space}}}MeterReadings")
        assert schema is not None
        assert schema.validate(etree.fromstring(f'<MeterReadings xmlns="{space}"><odd/></MeterReadings>')) == valid


def test_a_payload_in_a_foreign_namespace_is_told_all_that_are_installed(sources: Mapping[str, bytes]) -> None:
    newer = "http://iec.ch/TC57/2015/MeterReadings#"
    schemas = SchemaSet({**sources, "newer.xsd": _schema('<xs:element name="MeterReadings"/>', newer)})
    header = "<Header><Verb>created</Verb><Noun>MeterReadings</Noun></Header>"
    payload = '<Payload><MeterReadings xmlns="http://iec.ch/TC57/2009/MeterReadings#"/></Payload>'
    raw = f'<EventMessage xmlns="{EnvelopeVersion.FINAL.namespace}">{header}{payload}</EventMessage>'
    advice = [finding.advice for finding in Checker(schemas).check(read(raw.encode())).findings]
    ours = "http://iec.ch/TC57/2011/MeterReadings#"
    assert f"Write MeterReadings in the namespace '{ours}' or '{newer}'." in advice


def test_a_stray_part_without_a_namespace_keeps_no_schema_from_compiling(sources: Mapping[str, bytes]) -> None:
    stray = f'<xs:schema {_HEAD}><xs:element name="x" type="Gone"/></xs:schema>'.encode()
    schemas = SchemaSet({**sources, "stray.xsd": stray})
    schemas.compile_all()
    assert "" not in schemas.namespaces
    assert schemas.of("x") is None


def test_what_has_no_namespace_can_be_imported() -> None:
    bare = f'<xs:schema {_HEAD}><xs:element name="rain" type="xs:int"/></xs:schema>'.encode()
    body = '<xs:import schemaLocation="rain.xsd"/><xs:element name="Weather"><xs:complexType><xs:sequence>'
    main = _schema(body + '<xs:element ref="rain"/></xs:sequence></xs:complexType></xs:element>')
    schema = SchemaSet({"weather.xsd": main, "rain.xsd": bare}).of(f"{{{_SPACE}}}Weather")
    assert schema is not None
    assert schema.validate(etree.fromstring(f'<w:Weather xmlns:w="{_SPACE}"><rain>5</rain></w:Weather>'))


def test_files_that_include_each_other_are_one_schema() -> None:
    there, back = ('<xs:include schemaLocation="b.xsd"/>', '<xs:include schemaLocation="a.xsd"/>')
    schemas = SchemaSet({"a.xsd": _schema(there + _WEATHER), "b.xsd": _schema(back + _TYPE)})
    schema = schemas.of(f"{{{_SPACE}}}Weather")
    assert schemas.nouns == {"Weather"}
    assert schema is not None
    assert not schema.validate(_rain("much"))


def test_files_of_one_name_in_two_folders_are_told_apart_by_the_path_of_the_include() -> None:
    newer = "http://vendor.example/2025/Weather#"
    main = _schema('<xs:include schemaLocation="types.xsd"/>' + _WEATHER)
    schemas = SchemaSet(
        {
            "2024/weather.xsd": main,
            "2024/types.xsd": _schema(_TYPE),
            "2025/weather.xsd": main.replace(_SPACE.encode(), newer.encode()),
            "2025/types.xsd": f"<xs:schema {_HEAD}>{_TYPE.replace('xs:int', 'xs:date')}</xs:schema>".encode(),
        }
    )
    for space, content in ((_SPACE, "5"), (newer, "2025-01-01")):
        schema = schemas.of(f"{{{space}}}Weather")
        assert schema is not None
        assert schema.validate(etree.fromstring(f'<Weather xmlns="{space}"><rain>{content}</rain></Weather>'))


def test_an_include_that_could_be_one_of_several_files_is_told() -> None:
    bare = f"<xs:schema {_HEAD}>{_TYPE}</xs:schema>".encode()
    main = _schema('<xs:include schemaLocation="gone/types.xsd"/>' + _WEATHER)
    with pytest.raises(SchemaError, match=r"which may be a/types\.xsd or b/types\.xsd: write its path"):
        SchemaSet({"weather.xsd": main, "a/types.xsd": bare, "b/types.xsd": bare})


def test_what_is_installed_tells_version_file_and_what_was_passed_over(sources: Mapping[str, bytes]) -> None:
    versioned = _schema('<xs:include schemaLocation="types.xsd"/>' + _WEATHER)
    versioned = versioned.replace(b"<xs:schema ", b'<xs:schema version="3.2" ')
    schemas = SchemaSet({**sources, "old.xsd": _schema(_WEATHER), "types.xsd": _schema(_TYPE), "w.xsd": versioned})
    [weather] = [schema for schema in schemas.installed() if schema.namespace == _SPACE]
    assert (weather.noun, weather.version, weather.file) == ("Weather", "3.2", "w.xsd")
    assert weather.passed_over == ("old.xsd",)
    [envelope] = [s for s in schemas.installed() if s.namespace == EnvelopeVersion.FINAL.namespace]
    assert (envelope.noun, envelope.file) == ("", "message-2011.xsd")


def test_an_include_of_a_file_that_is_not_there_is_told() -> None:
    include = '<xs:include schemaLocation="../types.xsd"/>'
    with pytest.raises(SchemaError, match=r"weather\.xsd includes \.\./types\.xsd, which is not there"):
        SchemaSet({"weather.xsd": _schema(include + _WEATHER)})


def test_imports_are_found_by_namespace_wherever_they_point() -> None:
    space = "http://vendor.example/rain"
    imported = _schema('<xs:simpleType name="Rain"><xs:restriction base="xs:int"/></xs:simpleType>', space)
    body = f'<xs:import namespace="{space}" schemaLocation="http://127.0.0.1:9/rain.xsd"/>'
    rain = f'<xs:element name="rain" type="r:Rain" xmlns:r="{space}"/>'
    body += (
        f'<xs:element name="Weather"><xs:complexType><xs:sequence>{rain}</xs:sequence></xs:complexType></xs:element>'
    )
    schemas = SchemaSet({"weather.xsd": _schema(body), "elsewhere.xsd": imported})
    schema = schemas.of(f"{{{_SPACE}}}Weather")
    assert schema is not None
    assert not schema.validate(_rain("much"))
    assert schemas.model(_SPACE) is not None


def test_an_import_of_what_is_not_there_is_never_fetched() -> None:
    body = '<xs:import namespace="urn:other" schemaLocation="/etc/hostname"/><xs:element name="Weather" type="o:T" '
    schemas = SchemaSet({"weather.xsd": _schema(body + 'xmlns:o="urn:other"/>')})
    with pytest.raises(SchemaError, match=r"does not compile: .* imports 'urn:other': put the XSD of that namespace"):
        schemas.of(f"{{{_SPACE}}}Weather")


def test_a_fault_in_an_included_part_is_told_with_the_part_s_name() -> None:
    main = _schema('<xs:include schemaLocation="types.xsd"/>' + _WEATHER)
    schemas = SchemaSet({"weather.xsd": main, "types.xsd": _schema("\n" + _TYPE.replace("xs:int", "w:Gone"))})
    with pytest.raises(SchemaError, match=r"weather\.xsd does not compile: types\.xsd, line 2: .*'Gone'"):
        schemas.of(f"{{{_SPACE}}}Weather")


def test_threads_with_their_own_schemas_do_not_mix_up_their_findings(sources: Mapping[str, bytes]) -> None:
    def texts(noun: str) -> set[str]:
        checker = Checker(SchemaSet(sources))
        header = f"<Verb>created</Verb><Noun>MeterReadings</Noun><{noun}/>"
        raw = (
            f'<EventMessage xmlns="{EnvelopeVersion.FINAL.namespace}"><Header>{header}</Header></EventMessage>'.encode()
        )
        return {checker.check(read(raw)).findings[0].text for _ in range(200)}

    names = [f"Wrong{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(texts, names)) == [{f"Header has no element {name}."} for name in names]
