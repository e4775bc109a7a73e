"""The command line: data from a line, or the likely word instead of a guess."""

from __future__ import annotations

import pytest

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.keys.commands import VERBS, Do, Go, Known, common_start, completions, parse_line
from maestro_cli.tui.keys.doing import DOES
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.screens.table import screen_names

KNOWN = Known(
    {"pods": "pods", "po": "pods", "incident": "incident", "incidents": "incidents"},
    ("prod", "staging"),
    ("dark", "light"),
    ("ml", "mlops", "shop"),
)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (":pods", Place("pods")),
        ("  po  ml ", Place("pods", "ml")),
        ("PO ml", Place("pods", "ml")),
        ("pods /fraud .*9", Place("pods", filter="fraud .*9")),
        ("pods !running", Place("pods", filter="!running")),
        ("pods app=fraud", Place("pods", filter="-l app=fraud")),
        ("pods app=fraud tier!=web", Place("pods", filter="-l app=fraud,tier!=web")),
        ("pods ml @staging -f frd", Place("pods", "ml", "staging", "-f frd")),
        ("pods -l app in (a, b)", Place("pods", filter="-l app in (a, b)")),
        ("incident 12", Place("incident", "12")),
    ],
    ids=lambda value: value.strip() if isinstance(value, str) else "",
)
def test_a_screen_is_named_with_what_it_is_about(line: str, place: Place) -> None:
    assert parse_line(line, KNOWN) == Go(place)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("ns ml", Do("ns", "ml")),
        (":ctx prod,staging", Do("ctx", "prod,staging")),
        ("q", Do("quit")),
        ("help", Do("keys")),
        ("write", Do("write")),
        ("write 10", Do("write", "10")),
        ("theme light", Do("theme", "light")),
        ("export a b.md", Do("export", "a b.md")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_verb_takes_its_argument(line: str, command: Do) -> None:
    assert parse_line(line, KNOWN) == command


@pytest.mark.parametrize("line", ["", " ", ":", " : "])
def test_an_empty_line_is_nothing(line: str) -> None:
    assert parse_line(line, KNOWN) is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("pds", "did you mean 'pods'?"),
        ("pods @stagin", "did you mean 'staging'?"),
        ("ctx stagin", "did you mean 'staging'?"),
        ("theme drak", "did you mean 'dark'?"),
        ("ns", ":ns NAMESPACE"),
        ("q now", ":quit"),
        ("pods ml shop", ":pods ml"),
        ("pods a=b /c", "labels and a filter"),
        ("pods /(", "cannot be read"),
        ("write ten", ":write 10"),
        ("zzzzzz", "screens: incident, incidents, pods"),
    ],
    ids=lambda value: value,
)
def test_what_cannot_be_read_names_what_was_meant(line: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_line(line, KNOWN)
    error = refused.value
    assert says in f"{error.what} {error.why} {error.fix}"


@pytest.mark.parametrize(
    ("typed", "lines"),
    [
        ("pod", ("pods",)),
        ("inc", ("incident", "incidents")),
        ("po ", ("po ml", "po mlops", "po shop")),
        ("pods m", ("pods ml", "pods mlops")),
        ("pods ml @st", ("pods ml @staging",)),
        ("ns a", ("ns all",)),
        ("ctx prod,st", ("ctx prod,staging",)),
        ("theme ", ("theme dark", "theme light")),
        ("skin l", ("skin light",)),
        ("nothing ", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_is_completed_by_what_there_is(typed: str, lines: tuple[str, ...]) -> None:
    assert completions(typed, KNOWN) == lines


def test_every_completion_of_a_name_can_be_read_or_says_what_it_lacks() -> None:
    verbs = {verb.name: verb for verb in VERBS}
    for line in completions("", KNOWN):
        if line in verbs and verbs[line].needs:
            with pytest.raises(UsageError):
                parse_line(line, KNOWN)
        else:
            assert parse_line(line, KNOWN) is not None


def test_each_verb_is_done_by_something_and_named_once() -> None:
    names = [name for verb in VERBS for name in (verb.name, *verb.aliases)]
    assert len(set(names)) == len(names)
    assert set(DOES) == {verb.name for verb in VERBS}
    assert {*names} & {*screen_names()} == set()


def test_the_common_start_is_what_tab_adds() -> None:
    assert common_start(("incident", "incidents")) == "incident"
    assert common_start(("pods",)) == "pods"
    assert common_start(("a", "b")) == ""
    assert common_start(()) == ""
