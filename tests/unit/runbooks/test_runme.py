"""Runme's files mean here what they mean there, or say that they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.lint import lint
from maestro_cli.runbooks.model import State, Step
from maestro_cli.runbooks.reader import parse_runbook
from maestro_cli.runbooks.runme import MEANINGS
from tests.unit.runbooks.bench import Bench

ULID = "01HPM33PJFH2Q9R5S123X0HCSC"
PAGE = (Path(__file__).parents[3] / "docs" / "runbooks.md").read_text()


def fence(marks: str, language: str = "sh", body: str = "true") -> str:
    return f"```{language} {marks}\n{body}\n```\n\n"


def only(text: str) -> Step:
    (step,) = parse_runbook(text, "book.md").steps
    return step


@pytest.mark.parametrize(
    "marks",
    [
        f'{{"id":"{ULID}","interactive":"false","name":"build","cwd":".."}}',
        '{"name":"build","cwd":".."}',
        "{ name=build cwd=.. interactive=false }",
        "{name=build cwd=.. skipPrompts=true promptEnv=no}",
    ],
)
def test_a_name_makes_a_step_that_alters_the_world(marks: str) -> None:
    step = only(fence(marks))
    assert (step.path, step.kind, step.cwd, step.mutates) == ("build", "sh", "..", True)
    assert parse_runbook(fence(marks), "book.md").notes == ()


@pytest.mark.parametrize(
    "marks",
    [f'{{"id":"{ULID}"}}', f'{{"id":"{ULID}","interactive":"false"}}', "{tag=x}", "{background=true}"],
)
def test_without_a_name_nothing_is_a_step(marks: str) -> None:
    assert parse_runbook(fence(marks), "book.md").steps == ()


def test_an_id_that_looks_like_a_machines_is_a_step_where_the_rest_is_maestros() -> None:
    step = only(fence(f"{{id={ULID} timeout=5s}}"))
    assert (step.path, step.mutates) == (ULID, False)
    assert only(fence("{id=look interactive=false}")).mutates is False


@pytest.mark.parametrize(
    ("text", "kind", "cwd"),
    [
        (fence("{name=a}", "shell"), "sh", ""),
        (fence("{name=a interpreter=bash}"), "bash", ""),
        (fence("{name=a interpreter=/usr/bin/python3}"), "python", ""),
        ("---\nshell: bash\ncwd: ..\n---\n" + fence("{name=a}"), "bash", ".."),
        ("---\nshell: bash\n---\n" + fence("{name=a}", "python"), "python", ""),
        ("---\ncwd: /tmp/x\n---\n" + fence("{name=a cwd=..}"), "sh", "/tmp/x/.."),
        ("---\ncwd: /tmp/x\n---\n" + fence("{name=a cwd=/srv}"), "sh", "/srv"),
    ],
)
def test_language_and_folder_are_those_of_the_fence_and_the_document(text: str, kind: str, cwd: str) -> None:
    step = only(text)
    assert (step.kind, step.cwd) == (kind, cwd)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("\n" + fence("{name=a background=true}"), 2, "background"),
        (fence("{name=a interpreter=fish}"), 1, "interpreter"),
        ("---\nshell: zsh\n---\n" + fence("{name=a}"), 4, "shell"),
        (fence("{name=a id=b}"), 1, "name"),
        (fence("{name='a b'}"), 1, "id"),
        (fence("{name=a excludeFromRunAll=maybe}"), 1, "excludeFromRunAll"),
        (fence("{name=a}") + fence("{name=a}"), 5, "id"),
        ("---\ncwd: [1]\n---\n" + fence("{name=a}"), 2, "cwd"),
    ],
)
def test_what_cannot_be_done_as_runme_would_is_an_error_with_place(text: str, line: int, key: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_runbook(text, "book.md")
    assert (caught.value.file, caught.value.line, caught.value.key) == ("book.md", line, key)


def test_what_has_no_meaning_here_is_told_by_lint() -> None:
    text = (
        fence(
            "{name=a mimetype=text/plain tag=x terminalRows=3 closeTerminalOnSuccess=false promptEnv=always}"
        )
        + fence("{name=b interactive=true}")
        + fence("{name=c}", "js")
    )
    book = parse_runbook(text, "book.md")
    assert [step.path for step in book.steps] == ["a", "b"]
    found = [(one.line, one.text) for one in lint(book, (), lambda queries: {}) if one.rule == "runme"]
    assert {line for line, _ in found} == {1, 5, 9}
    assert len(found) == 7


def test_what_is_excluded_runs_only_when_it_is_asked_for(bench: Bench) -> None:
    text = fence("{name=wipe-it excludeFromRunAll=true}", body="echo wiped >> log") + fence(
        "{name=always}", body="echo always >> log"
    )
    first = bench.run(text)
    assert first.ok
    assert [step.state for step in first.run.steps] == [State.SKIPPED, State.OK]
    assert bench.run(text, RUN_WIPE_IT="yes").ok
    assert bench.lines("log") == ["always", "wiped", "always"]


def test_the_page_has_each_of_its_attributes() -> None:
    section = PAGE.split("\n## Files of Runme\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", "\n".join(line.split(" | ")[0] for line in section.splitlines())))
    assert {name for name in MEANINGS if name != "mimeType"} <= named
