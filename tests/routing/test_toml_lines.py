from textwrap import dedent

from gateway.routing.toml_lines import TomlLines

TEXT = dedent('''\
    top = 1 # 1
    [system] # [[route]] in a comment is none
    name = "a # b ] [[route]]"
    "quoted key" = 1

    [[route]]
    noun = [ # 7
        "first", # ]
        'second',
    ]
    text = """
    [[route]]
    noun = "no key"
    """ # 14
    properties.dotted = "x"
    inline = { a = ["p",
      "q"], b = 2 }

    [[ route ]]
    noun = 'third'
    [route.properties]
    "Some Name" = "y"
    ''')


def test_tables_are_found_and_those_in_strings_and_comments_are_not() -> None:
    lines = TomlLines(TEXT)
    assert (lines.table("system"), lines.table("route"), lines.table("route", 1)) == (2, 6, 19)


def test_keys_are_found_in_their_own_table() -> None:
    lines = TomlLines(TEXT)
    assert lines.key("", 0, "top") == 1
    assert lines.key("system", 0, "name") == 3
    assert lines.key("system", 0, "quoted key") == 4
    assert lines.key("route", 0, "noun") == 7
    assert lines.key("route", 0, "text") == 11
    assert lines.key("route", 0, "inline") == 16
    assert lines.key("route", 1, "noun") == 20


def test_dotted_keys_and_sub_tables_belong_to_their_route() -> None:
    lines = TomlLines(TEXT)
    assert (lines.key("route", 0, "properties"), lines.key("route", 0, "properties.dotted")) == (15, 15)
    assert (lines.key("route", 1, "properties"), lines.key("route", 1, "properties.Some Name")) == (21, 22)


def test_a_value_is_found_on_its_own_line() -> None:
    lines = TomlLines(TEXT)
    assert lines.key("route", 0, "noun", "first") == 8
    assert lines.key("route", 0, "noun", "second") == 9
    assert lines.key("route", 0, "noun", "nowhere") == 7
    assert lines.key("route", 0, "inline", "q") == 17


def test_what_is_not_there_is_placed_at_its_table_and_that_at_the_top() -> None:
    lines = TomlLines(TEXT)
    assert lines.key("route", 1, "verbs") == 19
    assert lines.key("route", 7, "verbs") == 1
    assert lines.table("top") == 1


def test_windows_line_ends_change_no_line() -> None:
    lines = TomlLines(TEXT.replace("\n", "\r\n"))
    assert lines.key("route", 0, "noun", "second") == 9
    assert lines.key("route", 1, "noun") == 20
