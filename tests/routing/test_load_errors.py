from textwrap import dedent

import pytest

from gateway.message.nouns import PART9_NOUNS
from gateway.routing import Problem, RoutingError, load

SYSTEM = '[system]\nname = "A"\n'
ROUTE = f'{SYSTEM}[[route]]\nnoun = "MeterReadings"\nverbs = ["created"]\n'


def problems_of(*texts: str, nouns: frozenset[str] = PART9_NOUNS) -> tuple[Problem, ...]:
    with pytest.raises(RoutingError) as caught:
        load({f"{number}.toml": text for number, text in enumerate(texts)}, nouns=nouns)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "line", "says", "advises"),
    [
        ("[system]\nname = = 1\n", 2, "not TOML", "Mend the line"),
        ('[system]\nname = "A', 2, "not TOML", "Mend the line"),
        ("", 1, "names no system", "[system]"),
        ('[[route]]\nnoun = "*"\nverbs = ["*"]\n', 1, "names no system", "[system]"),
        ('[[system]]\nname = "A"\n', 1, "system is not a table", "one bracket"),
        ('[system]\nsources = ["A"]\n', 1, "has no name", "name ="),
        ("[system]\nname = 7\n", 2, "name is a number, not a string", "name ="),
        ('[system]\nname = "A B"\n', 2, "'A B' cannot be a system's name", "letters"),
        ('[system]\nname = "A"\nsource = ["A"]\n', 3, "[system] has no key 'source'", "Did you mean sources?"),
        ('[system]\nname = "A"\nsources = "A"\n', 3, "sources is a string, not a list", 'sources = ["A"]'),
        ('[system]\nname = "A"\nsources = []\n', 3, "sources is empty", "leave the key out"),
        ('[system]\nname = "A"\naddress = "topic:x"\n', 3, "'topic:x' cannot be delivered to", "not by topic"),
        ('[system]\nname = "A"\naddress = "https://a/b"\n', 3, "'https://a/b'", "not by https"),
        ('[system]\nname = "A"\naddress = "queue:amq.x"\n', 3, "'queue:amq.x'", "belong to the broker"),
        ('[system]\nname = "A"\naddress = "cim.A"\n', 3, "'cim.A'", "queue:NAME"),
        (f"{SYSTEM}[routes]\n", 3, "has no 'routes'", "Did you mean route?"),
        ('version = 1\n[system]\nname = "A"\n', 1, "has no 'version'", "[[route]]"),
        (f'{SYSTEM}[route]\nnoun = "*"\nverbs = ["*"]\n', 3, "route is not a list of tables", "two brackets"),
        (f"{ROUTE}source = 1\n", 6, "[[route]] has no key 'source'", "Did you mean sources?"),
        (f"{ROUTE}colour = 1\n", 6, "[[route]] has no key 'colour'", "The keys are name, note, noun"),
        (f"{ROUTE}contexts = [1]\n", 6, "contexts holds a number (1)", 'Write "1"'),
        (f"{ROUTE}contexts = true\n", 6, "contexts is true or false", "contexts ="),
        (f'{ROUTE}contexts = ["*"]\n', 6, "contexts takes no '*'", "Leave the key out"),
        (f"{ROUTE}note = 2026-03-17\n", 6, "note is a date or time", "note ="),
        (f'{ROUTE}properties = ["a"]\n', 6, "properties is a list, not a table", "Write properties ="),
        (f"{ROUTE}properties = {{}}\n", 6, "properties is empty", "leave the key out"),
        (f'{ROUTE}[route.properties]\nUrgent = "yes"\nGroup = 1\n', 8, "Group is a number", "Write Group ="),
        (f"{ROUTE}properties.Group = 1\n", 6, "Group is a number", "Write Group ="),
        (f'{SYSTEM}[[route]]\nverbs = ["get"]\n', 3, "has no noun", 'noun = "*"'),
        (f'{SYSTEM}[[route]]\nnoun = "*"\n', 3, "has no verbs", 'verbs = ["*"]'),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = []\n', 5, "verbs is empty", "at least one"),
        (
            f'{SYSTEM}[[route]]\nnoun = "MeterReading"\nverbs = ["get"]\n', 4, "no noun 'MeterReading'",
            "Did you mean MeterReadings?",
        ),
        (
            f'{SYSTEM}[[route]]\nnoun = ["MeterReadings",\n  "meterconfig"]\nverbs = ["get"]\n', 5,
            "no noun 'meterconfig'", "Did you mean MeterConfig?",
        ),
        (f'{SYSTEM}[[route]]\nnoun = "Zebra"\nverbs = ["get"]\n', 4, "no noun 'Zebra'", "The nouns are Aux"),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = ["creat"]\n', 5, "no verb 'creat'", "Did you mean create?"),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = ["Created"]\n', 5, "no verb 'Created'", "Did you mean created?"),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = ["update"]\n', 5, "no verb 'update'", "use change"),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = ["show"]\n', 5, "no verb 'show'", "replies never reach"),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = ["xyz"]\n', 5, "no verb 'xyz'", "The verbs are cancel"),
        (f'{SYSTEM}[[route]]\nnoun = "*"\nverbs = ["reply"]\n', 5, "reply never reaches", "conversation"),
        (
            f'{SYSTEM}[[route]]\nnoun = "MeterConfig"\nverbs = ["get", "execute"]\n', 5,
            "No message has the verb execute", "OperationSet",
        ),
        (
            f'{SYSTEM}[[route]]\nnoun = ["MeterConfig", "OperationSet"]\nverbs = ["get"]\n', 4,
            "No message has the noun OperationSet", "execute",
        ),
        (f'{ROUTE}events = ["*.26.*"]\n', 6, "it has 3 parts, and EndDeviceEventType has 4", "*.*.*.*"),
        (f'{ROUTE}events = ["*.26.x.*"]\n', 6, "part 3 is 'x', neither a number nor *", "*.*.*.*"),
        (f'{ROUTE}controls = ["3.31.0.23.1"]\n', 6, "it has 5 parts, and EndDeviceControlType has 4", "4 numbers"),
        (f'{ROUTE}readings = [\n  "0.0.2.4",\n]\n', 7, "it has 4 parts, and ReadingType has 18", "18 numbers"),
        (f'{ROUTE}sources = ["X"]\nnot_sources = ["X", "Y"]\n', 3, "can never fire: every source", "Change"),
        (f'{ROUTE}sources = ["A"]\n', 3, "A never receives an event that it sent itself", "Change"),
        (
            f'{ROUTE}properties = {{ Urgent = "yes" }}\nnot_properties = {{ Urgent = "*" }}\n', 3,
            "Property Urgent is excluded by not_properties", "Change",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line_and_what_to_write_instead(text: str, line: int, says: str, advises: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.file, problem.line) == ("0.toml", line)
    assert says in problem.text
    assert advises in problem.advice


def test_all_faults_of_all_files_are_told_at_once_in_their_order() -> None:
    first = dedent("""\
        [system]
        name = "A"
        adress = "queue:a"

        [[route]]
        noun = "MeterReading"
        verbs = ["reply", "update"]

        [[route]]
        noun = "MeterReadings"
        verbs = ["created"]
        events = ["26"]
        """)
    problems = problems_of(first, "not TOML")
    assert [(problem.file, problem.line) for problem in problems] == [
        ("0.toml", 3),
        ("0.toml", 6),
        ("0.toml", 7),
        ("0.toml", 7),
        ("0.toml", 12),
        ("1.toml", 1),
    ]


def test_the_error_lists_every_problem_one_a_line() -> None:
    with pytest.raises(RoutingError) as caught:
        load({"a.toml": f'{SYSTEM}[[route]]\nnoun = "Meter"\nverbs = []\n'}, nouns=PART9_NOUNS)
    assert len(str(caught.value).splitlines()) == 2
    assert str(caught.value).startswith("a.toml:4: There is no noun 'Meter'.")


def test_two_files_for_one_system_are_refused_at_the_second() -> None:
    (problem,) = problems_of('[system]\nname = "MDM"\n', '# again\n[system]\nname = "mdm"\n')
    assert (problem.file, problem.line) == ("1.toml", 3)
    assert "already described in 0.toml:2" in problem.text


def test_only_nouns_that_may_come_are_known_and_the_operation_set() -> None:
    few = frozenset({"MeterReadings"})
    text = f'{SYSTEM}[[route]]\nnoun = ["OperationSet", "MeterReadings", "MeterConfig"]\nverbs = ["*"]\n'
    (problem,) = problems_of(text, nouns=few)
    assert "MeterConfig" in problem.text


def test_no_file_at_all_gives_a_table_without_systems() -> None:
    table = load({}, nouns=PART9_NOUNS)
    assert (dict(table.systems), table.routes) == ({}, ())


def test_a_dialect_that_the_settings_do_not_have_is_told_with_the_nearest() -> None:
    text = '[system]\nname = "OMS"\ndialect = "HES-NORD"\n[[route]]\nnoun = "EndDeviceEvents"\nverbs = ["created"]\n'
    with pytest.raises(RoutingError) as refused:
        load({"oms.toml": text}, nouns={"EndDeviceEvents"}, dialects=["HES-NORTH"])
    [problem] = refused.value.problems
    assert (problem.line, problem.advice) == (3, "Did you mean HES-NORTH?")
    table = load({"oms.toml": text}, nouns={"EndDeviceEvents"}, dialects=["HES-NORD"])
    assert table.systems["OMS"].dialect == "HES-NORD"
