from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from rich.cells import cell_len

from gateway.cli._sequence import ASCII, offset_of, rows_of
from gateway.cli._sequence_svg import svg_of
from gateway.cli._story import Lifeline, Moment, Said, Story, Tone
from gateway.durations import lasted

CIS, GATEWAY = Lifeline("CIS", "asker"), Lifeline("cimgate", "gateway")
MDM, MS = Lifeline("MDM", "system"), Lifeline("MS", "system")


def drawn(story: Story, width: int = 80) -> list[str]:
    return [row.text for row in rows_of(story, width, ASCII)]


def story(*happenings: Said | Moment, systems: tuple[Lifeline, ...] = (MDM, MS)) -> Story:
    return Story((CIS, GATEWAY, *systems), happenings)


def test_a_request_to_two_systems_is_drawn_with_an_arrow_to_each() -> None:
    asked = "get(MeterReadings)"
    assert drawn(story(Said(0, 0, 1, asked), Said(0.012, 1, 2, asked), Said(0.013, 1, 3, asked))) == [
        "           CIS    cimgate    MDM      MS",
        "+0.000 s    |------->|        |        |   get(MeterReadings)",
        "+0.012 s    |        |------->|        |   get(MeterReadings)",
        "+0.013 s    |        |---------------->|   get(MeterReadings)",
    ]


def test_a_reply_points_back_and_says_result_codes_latency_and_what_became_of_it() -> None:
    late = Said(30.5, 2, 1, "reply(MeterReadings)", "FAILED", ("5.7",), 30.488, ("late: not handed on",), Tone.FAINT)
    _, *rows = drawn(story(Moment(30, "deadline"), late, systems=(MDM,)))
    assert rows == [
        "+30.000 s  ....................   deadline",
        "+30.500 s   |        |<-------|   reply(MeterReadings) FAILED 5.7 after 30.5 s;",
        "            |        |        |     late: not handed on",
    ]


def test_systems_that_are_too_many_for_the_screen_share_a_lifeline_and_are_named() -> None:
    systems = tuple(Lifeline(f"SYSTEM-{number}", "system") for number in range(9))
    head, row = drawn(story(Said(1, 1, 6, "get(MeterReadings)"), systems=systems))
    assert head.split() == ["CIS", "cimgate", "systems"]
    assert row.endswith("|        |------->|     SYSTEM-4: get(MeterReadings)")


def test_a_name_that_is_too_long_is_cut_and_control_characters_are_not_drawn() -> None:
    name = Lifeline("METERING-SYSTEM-\x1b[31mNORTH", "system")
    text = "\n".join(drawn(story(Said(0, 1, 2, "get(\x1b[31m)"), systems=(name,))))
    assert "METERING-SYS~" in text
    assert "\x1b" not in text


def test_words_of_wide_characters_are_broken_by_the_columns_they_take() -> None:
    rows = rows_of(story(Said(0, 1, 0, "\N{CJK RADICAL REPEAT}" * 40)), 60, ASCII)
    assert all(cell_len(row.text) <= 60 for row in rows)
    assert sum(row.words.count("\N{CJK RADICAL REPEAT}") for row in rows) == 40


NAMES = st.text(min_size=1, max_size=30)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any lifelines, and messages between the gateway and one of the others."""
    names = draw(st.lists(NAMES, max_size=8, unique=True))
    others = [0, *range(2, len(names) + 2)]
    happenings = []
    for at, other, outward, what in draw(
        st.lists(st.tuples(st.floats(0, 1e7), st.sampled_from(others), st.booleans(), NAMES), max_size=8)
    ):
        sender, receiver = (1, other) if outward else (other, 1)
        happenings.append(Said(at, sender, receiver, what))
    return Story((CIS, GATEWAY, *(Lifeline(name, "system") for name in names)), tuple(happenings))


@given(stories(), st.integers(60, 160))
def test_no_line_is_wider_than_the_screen_and_each_message_has_its_time(told: Story, width: int) -> None:
    rows = rows_of(told, width, ASCII)
    assert all(cell_len(row.text) <= width for row in rows)
    assert [row.time.strip() for row in rows if row.time.strip()] == [offset_of(one.offset) for one in told.happenings]


@given(stories())
def test_every_story_makes_a_picture_with_all_its_words_as_text_and_no_script(told: Story) -> None:
    root = etree.fromstring(svg_of(told, "a title", ("a line",)))
    assert {etree.QName(element).localname for element in root.iter()} <= {
        "svg", "title", "rect", "line", "polygon", "text",
    }  # fmt: skip
    texts = [element.text or "" for element in root.iter("{*}text")]
    assert len([text for text in texts if text.startswith("+")]) >= len(told.happenings)


def test_offsets_and_durations_are_written_as_short_as_they_can_be_read() -> None:
    offsets = [offset_of(at) for at in (0.0124, 42.5, 185, 90_000, 10_400_400)]
    assert offsets == ["+0.012 s", "+42.500 s", "+0:03:05", "+1 d 1 h", "+120 d"]
    assert [lasted(one) for one in (0.012, 0.9996, 1.2, 59.96, 3_725, 200_000)] == [
        "12 ms", "1.000 s", "1.200 s", "60.0 s", "1 h 2 min", "2 d 7 h",
    ]  # fmt: skip
