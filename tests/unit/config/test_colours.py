"""Each context has a colour: the one that is chosen, else always the same of its name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from maestro_cli.config.colours import COLOURS, OF_NAMES, colour_of
from maestro_cli.config.settings import load_settings
from maestro_cli.core.errors import InvalidFile


def test_the_colour_of_a_name_is_the_same_on_every_machine_and_in_every_version() -> None:
    """People learn it: this list is a promise."""
    names = ("local", "prod", "prod-eu", "prod-us", "staging", "dev")
    assert [colour_of(name, None) for name in names] == [
        "grey", "purple", "blue", "cyan", "yellow", "green",
    ]  # fmt: skip


def test_what_the_settings_say_beats_the_name(tmp_path: Path) -> None:
    file = tmp_path / "maestro.yaml"
    file.write_text("contexts:\n  prod: {color: red}\n  dev: {}\n", encoding="utf-8")
    contexts = load_settings(tmp_path, {}).contexts
    assert colour_of("prod", contexts["prod"].color) == "red"
    assert colour_of("dev", contexts["dev"].color) == colour_of("dev", None)


def test_a_colour_that_there_is_not_is_refused_with_its_line_and_the_likely_one(tmp_path: Path) -> None:
    file = tmp_path / "maestro.yaml"
    file.write_text("contexts:\n  prod:\n    color: gray\n", encoding="utf-8")
    with pytest.raises(InvalidFile) as caught:
        load_settings(tmp_path, {})
    assert (caught.value.line, caught.value.key) == (3, "contexts.prod.color")
    assert caught.value.fix == "did you mean 'grey'?"


def test_names_share_the_colours_evenly_and_have_none_of_those_that_warn() -> None:
    """The header is red while a context is armed, and orange while it shows the past."""
    found = Counter(colour_of(f"cluster-{number}", None) for number in range(700))
    assert set(found) == set(OF_NAMES) == {*COLOURS} - {"red", "orange"}
    assert min(found.values()) > 70
