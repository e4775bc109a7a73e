"""Looking into one object: the same words as the commands, and a place that is not lost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from maestro_cli.core.facts.inspection import ObjectText
from maestro_cli.core.refs import ref_of
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.tui.acting.model import Target
from maestro_cli.tui.acting.wording import command_line
from maestro_cli.tui.app import ConsoleApp
from maestro_cli.tui.screens.inspection import YAML, describe_action, yaml_action
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.store.events import FactRead
from maestro_cli.tui.views.yaml_pane import whole_text
from tests.tui.cases import NOW, StillConsole, run_app, screen_text, tell, until

SERVICES = SimpleNamespace(policy=SimpleNamespace(protected=False, read_only=False))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ml/pod/fraud-1", "pod describe ml/pod/fraud-1"),
        ("node/a", "node describe node/a"),
        ("ml/deploy/fraud", "workload describe ml/deploy/fraud"),
    ],
    ids=["pod", "node", "workload"],
)
def test_the_log_has_the_command_of_the_kind(name: str, line: str) -> None:
    action = describe_action("pods")
    assert command_line(action, Target("prod", "", "u", name), {}) == f"maestro --context prod {line}"


def test_yaml_says_what_is_hidden_and_is_drawn_anew_only_when_it_changed() -> None:
    console = StillConsole(SERVICES)
    place = Place("yaml", "ml/pod/fraud-1", "prod")
    ref = ref_of("Pod", "ml", "fraud-1")

    async def script(app: ConsoleApp, pilot: Pilot[None]) -> None:
        text = ObjectText(ref, Untrusted("kind: Pod\n\x1b[31mred: 1\n"), ("data.password",))
        tell(console, FactRead(YAML.of("prod", place.argument), text, NOW))
        await until(pilot, lambda: "kind: Pod" in screen_text(app), "the text")
        shown = screen_text(app)
        assert "not shown: data.password" in shown
        assert "\x1b" not in shown
        assert "␛[31mred" in shown

    run_app(console, script, place=place)


def test_yaml_names_what_is_too_long_to_be_shown_whole_and_nothing_else() -> None:
    lines = "metadata:\n  annotations:\n    example.com/notes: %s\n    team: ml\n"
    read = ObjectText(ref_of("Pod", "ml", "a"), Untrusted(lines % ("x" * 200_000)), ())
    assert (
        whole_text(read).splitlines()[0] == "# not shown to the end: example.com/notes (200,023 characters)"
    )
    short = ObjectText(ref_of("Pod", "ml", "a"), Untrusted(lines % "x"), ())
    assert whole_text(short) == lines % "x"


def test_where_it_leads_is_about_the_object_that_was_chosen() -> None:
    target: Any = Target("prod", "Pod", "uid-1", "ml/pod/fraud-1")
    opens = yaml_action("pods").opens
    assert opens is not None
    assert opens(target) == Place("yaml", "ml/pod/fraud-1", "prod")
