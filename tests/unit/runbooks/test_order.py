"""What runs before what, what runs at the same time, and what does not wait for a person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import ExitCode, InvalidFile
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.graph import Graph
from maestro_cli.runbooks.lint import lint
from maestro_cli.runbooks.model import Question, Role, RunStatus, State, Step, StepOutcome
from maestro_cli.runbooks.reader import parse_runbook
from maestro_cli.runbooks.runner import RunbookRunner
from tests.unit.runbooks.bench import Bench

BRANCHES = "---\nmaestro: runbook/v1\norder: needs\n---\n"
FRONT = "---\nmaestro: runbook/v1\nparams: {PODS: {default: a b c, pattern: '[a-z ]*'}}\n---\n"


def fence(marks: str, body: str = "true", language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def branches() -> str:
    return (
        BRANCHES
        + fence("id=first", "echo first >> log")
        + fence("id=hand needs=first", "turn the key", "manual")
        + fence("id=after needs=hand", "echo after >> log")
        + fence("id=free needs=first", "echo free >> log")
        + fence("id=freer needs=free mutates approve", "echo freer >> log")
        + fence("id=free-too needs=free", "echo free-too >> log")
        + fence("id=last", "echo last >> log")
    )


def test_a_question_holds_up_what_waits_for_it_and_nothing_else(bench: Bench) -> None:
    result = bench.run(branches())
    assert (result.status, result.exit_code) == (RunStatus.WAITING, ExitCode.WAITING_APPROVAL)
    assert bench.lines("log") == ["first", "free", "free-too"]
    assert (result.run.waiting_for, result.run.waiting) == ("hand", ("hand", "freer"))
    bench.control().answer(result.id, "freer", "yes")
    result = bench.runner().resume(result.id)
    assert (result.status, result.run.waiting) == (RunStatus.WAITING, ("hand",))
    assert bench.lines("log") == ["first", "free", "free-too", "freer"]
    bench.control().answer(result.id, "hand", "yes")
    assert bench.runner().resume(result.id).ok
    assert bench.lines("log") == ["first", "free", "free-too", "freer", "after", "last"]


def test_without_branches_a_question_holds_up_all_that_follows(bench: Bench) -> None:
    run = bench.run(branches().removeprefix(BRANCHES))
    assert (run.run.waiting, bench.lines("log")) == (("hand",), ["first"])


def test_answers_of_branches_do_not_void_each_other(bench: Bench) -> None:
    text = (
        BRANCHES
        + fence("id=first")
        + fence("id=a needs=first capture=A", "What is a?", "ask").replace(
            "capture=A", "capture=A pattern='.*'"
        )
        + fence("id=b needs=first capture=B pattern='.*'", "What is b?", "ask")
        + fence("id=last", 'echo "$A$B" >> log')
    )
    run = bench.run(text)
    for path in ("a", "b"):
        bench.control().answer(run.id, path, path)
    assert bench.runner().resume(run.id).ok
    assert bench.lines("log") == ["ab"]


def test_a_step_waits_for_what_its_captures_and_conditions_name(bench: Bench) -> None:
    text = (
        BRANCHES
        + fence("id=first")
        + fence("id=ask needs=first capture=WORD pattern='.*'", "Which?", "ask")
        + fence("id=uses needs=first", 'echo "$WORD" >> log')
        + fence("id=served needs=first mutates", "echo served >> log")
        + fence("verify=served", 'test -n "$WORD"')
        + fence("id=cond needs=first when='ask.ok'", "echo cond >> log")
        + fence("id=free needs=first", 'echo "free ${WORDS:-}" >> log')
    )
    run = bench.run(text)
    assert (run.run.waiting, bench.lines("log")) == (("ask",), ["free"])


def test_a_step_that_may_be_skipped_by_a_goto_waits_for_it(bench: Bench) -> None:
    text = (
        BRANCHES
        + fence("id=first")
        + fence("id=hand needs=first on_fail='goto end'", "Well?", "manual")
        + fence("id=between needs=first", "echo between >> log")
        + fence("id=end needs=first", "echo end >> log")
    )
    run = bench.run(text)
    assert run.status is RunStatus.WAITING
    assert bench.lines("log") == []
    bench.control().answer(run.id, "hand", "no")
    assert bench.runner().resume(run.id).ok
    assert bench.lines("log") == ["end"]


def test_a_rollback_that_was_begun_goes_on_before_anything_else(bench: Bench) -> None:
    text = (
        BRANCHES
        + fence("id=first mutates", "echo first >> log")
        + fence("undo=first", "take it back", "manual")
        + fence("id=hand needs=first", "Well?", "manual")
        + fence("id=after needs=hand", "echo after >> log")
        + fence("id=bad needs=first on_fail=rollback", "false")
    )
    run = bench.run(text)
    assert (run.status, run.run.waiting) == (RunStatus.WAITING, ("first/undo",))
    bench.control().answer(run.id, "first/undo", "yes")
    result = bench.runner().resume(run.id, confirm=lambda question: True)
    assert (result.status, result.reason) == (RunStatus.ROLLED_BACK, "bad: ended with 1")
    assert bench.lines("log") == ["first"]


# Beside each other


MEET = """\
touch here.$MAESTRO_STEP
for i in $(seq 1 600); do
  test $(ls here.* | wc -l) -ge 2 && exit 0
  sleep 0.1
done
exit 1"""


def test_adjacent_steps_of_a_group_run_at_the_same_time(bench: Bench) -> None:
    assert bench.run(fence("id=a parallel", MEET) + fence("id=b parallel", MEET) + fence("id=c")).ok


def test_steps_of_two_groups_do_not(bench: Bench) -> None:
    text = fence("id=a parallel=one", "sleep 0.1; touch done") + fence("id=b parallel=two", "test -e done")
    assert bench.run(text).ok


def test_all_of_a_group_end_before_a_failure_is_seen_to(bench: Bench) -> None:
    text = (
        fence("id=bad parallel on_fail=rollback", "touch bad; false")
        + fence("id=slow parallel mutates", "while ! test -e bad; do sleep 0.05; done; echo slow >> log")
        + fence("undo=slow", "echo undo >> log")
        + fence("id=never", "echo never >> log")
    )
    result = bench.run(text)
    assert (result.status, result.reason) == (RunStatus.ROLLED_BACK, "bad: ended with 1")
    assert bench.lines("log") == ["slow", "undo"]


def test_what_is_unknown_comes_before_what_failed(bench: Bench) -> None:
    text = (
        fence("id=bad parallel", "false")
        + fence("id=odd parallel mutates", "true")
        + fence("probe=odd", "exit 2")
    )
    book = bench.write(text)
    run = bench.runner().start(book, {}).run
    assert run.status is RunStatus.FAILED
    cut = Cancellation()
    text = fence("id=bad parallel", "false") + fence("id=odd parallel mutates", "touch started; sleep 60")
    book = bench.write(text)
    results = []
    thread = threading.Thread(target=lambda: results.append(bench.runner().start(book, {}, cancellation=cut)))
    thread.start()
    _until((bench.folder / "started").exists)
    cut.cancel()
    thread.join(120)
    assert results[0].status is RunStatus.CANCELLED
    resumed = bench.runner().resume(results[0].id)
    assert (resumed.status, resumed.run.last("bad") is not None) == (RunStatus.UNKNOWN, True)
    assert bench.runner().resume(resumed.id, decisions={"odd": "done"}).status is RunStatus.FAILED


def _until(holds: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(6000):
        if holds():
            return
        patience.wait(0.02)
    raise AssertionError("it did not come to hold within 120 s")


def test_cancelling_reaches_all_that_run_at_the_same_time(bench: Bench) -> None:
    cut = Cancellation()
    text = FRONT + fence("id=a parallel for_each='$PODS' as=POD concurrency=3", 'touch "at.$POD"; sleep 60')
    text += fence("id=b parallel", "touch at.x; sleep 60")
    book, results = bench.write(text), []
    thread = threading.Thread(target=lambda: results.append(bench.runner().start(book, {}, cancellation=cut)))
    thread.start()
    _until(lambda: len(list(bench.folder.glob("at.*"))) == 4)
    cut.cancel()
    thread.join(120)
    (result,) = results
    assert (result.status, result.exit_code) == (RunStatus.CANCELLED, ExitCode.SIGINT)
    assert {step.state for step in result.run.steps} == {State.CANCELLED}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (fence("id=a parallel capture=X") + fence("id=b parallel needs=a"), "is no step before this one"),
        (
            fence("id=a parallel capture=X") + fence("id=b parallel lock=$X"),
            "neither a parameter nor captured",
        ),
        (fence("id=a parallel capture=X") + fence("id=b parallel capture=X"), "captures it too"),
        (fence("id=a parallel on_fail='goto c'") + fence("id=b parallel") + fence("id=c"), "leads elsewhere"),
        (fence("id=a for_each='x y'"), "needs a name for the word"),
        (fence("id=a as=POD"), "no meaning without for_each"),
        (fence("id=a for_each='$NONE' as=POD"), "neither a parameter nor captured"),
        (fence("id=a capture=POD") + fence("id=b for_each='x y' as=POD"), "has a value already"),
        (fence("id=a for_each='x y' as=POD concurrency=0"), "from 1 to 16"),
        (fence("id=a for_each='x' as=POD") + fence("id=b lock=$POD"), "neither a parameter nor captured"),
        (fence("id=a expect='== up'", "up", "promql"), "compared with a number here"),
    ],
)
def test_what_cannot_be_in_order_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidFile, match=words) as caught:
        parse_runbook(text, "book.md")
    assert caught.value.line


def test_lint_says_which_step_goes_on_while_a_question_waits() -> None:
    book = parse_runbook(branches().replace("id=free needs", "id=free mutates needs"), "book.md")
    found = [finding for finding in lint(book, (), lambda queries: {}) if finding.rule == "overtakes"]
    assert [finding.text.split(";")[0] for finding in found] == [
        "free goes on while hand waits for a person",
        "freer goes on while hand waits for a person",
    ]


# Any graph


@st.composite
def graphs(draw: st.DrawFn) -> list[Step]:
    """Steps in a file's order; some need earlier ones, some run beside, some wait for a person."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 9))):
        group = draw(st.sampled_from(["", "", "g", "h"]))
        start = number
        while start and group and steps[start - 1].parallel == group:
            start -= 1
        earlier = [f"s{other}" for other in range(start)]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=2)) if earlier else []
        kind = draw(st.sampled_from(["sh", "sh", "manual"]))
        steps.append(
            Step(f"s{number}", Role.MAIN, kind, "true", number, "", needs=tuple(needs), parallel=group)
        )
    return steps


def waited_for(steps: list[Step], is_by_needs: bool) -> dict[str, set[str]]:
    """What each step waits for, by the rule as the page tells it."""
    found: dict[str, set[str]] = {}
    for number, step in enumerate(steps):
        start = number
        while start and step.parallel and steps[start - 1].parallel == step.parallel:
            start -= 1
        direct = {one.path for one in steps[:start]}
        if is_by_needs and step.needs:
            direct = set(step.needs)
        found[step.path] = direct.union(*(found[path] for path in direct))
    return found


@given(graphs(), st.booleans())
def test_a_step_waits_for_what_the_rule_says(steps: list[Step], is_by_needs: bool) -> None:
    graph, expected = Graph(steps, is_by_needs), waited_for(steps, is_by_needs)
    for step in steps:
        assert {other.path for other in steps if graph.waits_for(step, other.path)} == expected[step.path]
    assert [step for stage in graph.stages for step in stage] == steps


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs(), st.booleans())
def test_every_step_runs_once_after_all_it_waits_for_and_waits_block_only_what_follows(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], is_by_needs: bool
) -> None:
    folder: Path = tmp_path_factory.mktemp("graph")
    bench, expected = Bench(folder), waited_for(steps, is_by_needs)
    ended: list[str] = []

    def stand_in(step: Step) -> StepOutcome:
        assert expected[step.path] <= set(ended), step.path
        ended.append(step.path)
        return StepOutcome(State.OK)

    text = BRANCHES.replace("needs", "needs" if is_by_needs else "file")
    text += "".join(_written(step) for step in steps)
    hands = {step.path for step in steps if step.kind == "manual"}
    held = {path for path, before in expected.items() if before & hands}
    try:
        runner = RunbookRunner(
            bench.journal, metrics=bench.answers, changes=bench.changes, systems=bench.systems,
            clock=bench.journal.clock, actor="tester", redactor=Redactor(), environment={}, stand_in=stand_in,
        )  # fmt: skip
        result = runner.start(bench.write(text), {})
        assert set(ended) == expected.keys() - held - hands
        assert set(result.run.waiting) == hands - held
        assert result.status is (RunStatus.WAITING if hands else RunStatus.SUCCEEDED)

        def signs(question: Question) -> bool:
            assert expected[question.path] <= set(ended), question.path
            ended.append(question.path)
            return True

        assert runner.resume(result.id, confirm=signs).ok
        assert sorted(ended) == sorted(expected)
    finally:
        bench.close()


def _written(step: Step) -> str:
    marks = f"id={step.path}"
    marks += f" needs={','.join(step.needs)}" if step.needs else ""
    marks += f" parallel={step.parallel}" if step.parallel else ""
    return fence(marks, "true", step.kind)
