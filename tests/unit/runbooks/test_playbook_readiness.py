"""When a playbook may run by itself: what it does can be taken back, and was rehearsed."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.runbooks.playbooks.readiness import Readiness
from maestro_cli.runbooks.rehearsal import rehearse
from tests.unit.runbooks.shelf import AUTO, CHANGE, CLOCK, GREEN, HEAD, STEPS, TRIGGER, Shelf


def test_auto_is_what_can_be_taken_back_and_was_rehearsed(shelf: Shelf) -> None:
    assert shelf.against(HEAD + TRIGGER + AUTO + STEPS) == ""
    assert "has no max_runs_per_hour" in shelf.against(HEAD + TRIGGER + "policy: {mode: auto}\n" + STEPS)
    assert "there is no runbook" in shelf.against(HEAD + TRIGGER + AUTO + "steps: [{runbook: x}]\n")
    failing = HEAD + TRIGGER + AUTO + STEPS + "on_failure: {runbook: x}\n"
    assert "there is no runbook 'x'" in shelf.against(failing)
    suggesting = Readiness(shelf.runbooks, CLOCK).judged(shelf.play(failing))
    assert (suggesting.mode, suggesting.why_not_auto.startswith("the mode of playbook one is suggest")) == (
        "suggest",
        True,
    )


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (CHANGE.replace("KIND", "restart"), ""),
        (CHANGE.replace("KIND", "delete-pod").replace("deploy/$", "pod/$"), ""),
        (CHANGE.replace("KIND", "drain").replace("deploy/$", "node/$"), ""),
        (
            CHANGE.replace("KIND", "drain\nbare_pods: yes").replace("deploy/$", "node/$"),
            "no controller makes again",
        ),
        (CHANGE.replace("KIND", "drain\nempty_dir: no").replace("deploy/$", "node/$"), ""),
        ("```sh {id=mend mutates}\ntrue\n```\n", "nothing verifies it; mend of mend"),
        ("```sh {id=mend mutates}\ntrue\n```\n```sh {undo=mend}\ntrue\n```\n", "nothing verifies it"),
        ("```sh {id=mend}\ntrue\n```\n", ""),
    ],
)  # fmt: skip
def test_a_kind_of_change_tells_what_takes_it_back(shelf: Shelf, steps: str, says: str) -> None:
    shelf.book(steps)
    told = shelf.against(HEAD + TRIGGER + AUTO + STEPS)
    assert says in told
    assert bool(told) is bool(says)


def test_a_rehearsal_must_be_there_and_green_now_and_is_run_once(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []

    def counted(book: Any, clock: Any) -> Any:
        runs.append(book.digest)
        return real(book, clock)

    real = rehearse
    monkeypatch.setattr("maestro_cli.runbooks.playbooks.readiness.rehearse", counted)
    playbook, file = shelf.play(HEAD + TRIGGER + AUTO + STEPS), shelf.folder / "mend.test.yaml"
    judge = Readiness(shelf.runbooks, CLOCK)
    assert [judge.judged(playbook).mode for _ in range(3)] == ["auto"] * 3
    assert len(runs) == 1
    file.write_text(GREEN.replace("succeeded", "failed"))
    assert "is not green: works" in judge.judged(playbook).held_back
    file.write_text("maestro: rehearsal/v2\n")
    assert "cannot be run" in judge.judged(playbook).held_back
    file.unlink()
    assert "mend has no rehearsal" in judge.judged(playbook).held_back


def test_a_runbook_in_a_runbook_is_judged_too(shelf: Shelf) -> None:
    shelf.book("```runbook {id=mend}\nrunbook: inner\nwith: {DEPLOY: $DEPLOY}\n```\n")
    shelf.book("```sh {id=a mutates}\ntrue\n```\n", "inner")
    told = shelf.against(HEAD + TRIGGER + AUTO + STEPS)
    assert "inner has no rehearsal" in told
    assert "a of inner alters the world" in told
