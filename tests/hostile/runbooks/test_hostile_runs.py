"""Values from alerts never become code, and secrets never reach the journal."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_cli.core.errors import InvalidFile, MaestroError, UsageError
from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.parameters import resolve_parameters
from maestro_cli.runbooks.playbooks import read_playbook
from maestro_cli.runbooks.reader import parse_runbook
from maestro_cli.runbooks.steps.output import HEAD, MARGIN, TAIL, Kept
from tests.unit.runbooks.bench import Bench

ANYTHING = "---\nmaestro: runbook/v1\nparams: {NAME: {from: label.name, pattern: '(?s).*'}}\n---\n"
SECRET = "hunter2-hunter2-hunter2"

ATTACKS = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "| touch pwned",
    "&& touch pwned",
    "\ntouch pwned\n",
    "' ; touch pwned ; '",
    '" ; touch pwned ; "',
    "${IFS}touch${IFS}pwned",
    "$((a[$(touch pwned)]))",
    "() { :; }; touch pwned",
    "{id=x}\n```sh {id=evil}\ntouch pwned\n```",
    "-rf --exec=touch pwned",
    "%n%s\x1b[2J\u202e",
    "__import__('os').system('touch pwned')",
    "{{ labels.x }}",
    "$NAME",
]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def fence(marks: str, body: str, language: str = "sh") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_label_is_data_to_every_shell_and_to_python(bench: Bench, attack: str) -> None:
    text = (
        ANYTHING
        + fence("id=a", 'printf %s "$NAME" > a')
        + fence("id=b", "printf %s \"$NAME\" > 'b'; echo $NAME > /dev/null", "bash")
        + fence("id=c", "import os, pathlib; pathlib.Path('c').write_text(os.environ['NAME'])", "python")
    )
    book = bench.write(text)
    values = resolve_parameters(book, labels={"name": attack})
    assert bench.runner().start(book, values).ok
    assert not (bench.folder / "pwned").exists()
    for name in "abc":
        assert (bench.folder / name).read_text() == attack


@pytest.mark.parametrize("attack", [*ATTACKS, "--all", "", "a" * 5000, "a\0b", "\ud800"])
def test_without_a_pattern_only_plain_values_pass(attack: str) -> None:
    book = parse_runbook("---\nmaestro: runbook/v1\nparams: {NAME: {from: label.name}}\n---\n", "book.md")
    with pytest.raises(UsageError):
        resolve_parameters(book, labels={"name": attack})


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_label_cannot_aim_a_change_elsewhere_nor_widen_a_query(bench: Bench, attack: str) -> None:
    book = bench.write(
        ANYTHING + fence("id=a", "kind: rollback\ntarget: deploy/$NAME\nnamespace: ml", "change")
    )
    result = bench.runner().start(book, {"NAME": attack})
    assert not result.ok
    assert bench.changes.world == []
    query = bench.write(ANYTHING + fence("id=a expect='> 0'", 'up{a="$NAME"}', "promql"), "query.md")
    assert bench.runner().start(query, {"NAME": attack}).ok
    (asked,) = bench.answers.queries
    assert asked.startswith('up{a="')
    assert asked.endswith('"}')
    assert "\n" not in asked


def test_a_captured_line_is_data_to_the_next_step(bench: Bench) -> None:
    text = fence("id=a capture=GOT", "printf '%s' '$(touch pwned) ; touch pwned'") + fence(
        "id=b", 'printf %s "$GOT" > got'
    )
    assert bench.run(text).ok
    assert (bench.folder / "got").read_text() == "$(touch pwned) ; touch pwned"
    assert not (bench.folder / "pwned").exists()


def test_secrets_are_masked_before_they_reach_the_disk(bench: Bench) -> None:
    spellings = [SECRET, base64.b64encode(SECRET.encode()).decode(), json.dumps(SECRET)]
    body = "\n".join(f"printf '%s\\n' '{spelling}'; echo '{spelling}' >&2" for spelling in spellings)
    text = fence("id=a", body + '\necho "$API_TOKEN"') + fence("id=b", f"echo {SECRET} >&2; exit 3")
    environment = {"PATH": os.environ["PATH"], "API_TOKEN": "tok-0123456789"}
    book = bench.write(text)
    result = bench.runner(secrets=(SECRET,), environment=environment).start(book, {})
    assert "«secret»" in result.run.steps[0].output
    bench.close()
    stored = b"".join(path.read_bytes() for path in bench.folder.glob("journal.db*"))
    for secret in (*spellings, "tok-0123456789"):
        assert secret.encode() not in stored


def test_a_captured_secret_fails_its_step(bench: Bench) -> None:
    book = bench.write(fence("id=a capture=GOT", f"echo {SECRET}"))
    result = bench.runner(secrets=(SECRET,)).start(book, {})
    assert "would hold a secret" in result.reason
    assert SECRET not in str(result)


@given(st.integers(0, 3 * (HEAD + MARGIN)), st.integers(1, 7000))
def test_no_cut_leaves_a_part_of_a_secret(offset: int, chunk: int) -> None:
    secret = "".join(chr(0x4E00 + i) for i in range(20))
    redactor = Redactor([secret])
    data = ("." * offset + secret * 40 + "." * (3 * (HEAD + MARGIN) - offset)).encode()
    kept = Kept()
    for start in range(0, len(data), chunk):
        kept.add(data[start : start + chunk])
    text = kept.text(redactor)
    assert not set(secret) & set(text)
    assert "bytes not kept" in text
    assert len(text) <= HEAD + TAIL + 60


def test_endless_output_is_bounded_and_its_processes_end(bench: Bench) -> None:
    body = "echo $$ > pid\nyes first & yes second >&2 & sleep 60"
    result = bench.run(fence("id=a timeout=500ms", body))
    assert result.reason == "a: ran longer than 0.5s"
    assert len(result.run.steps[0].output) <= 2 * (HEAD + TAIL + 60)
    group = int((bench.folder / "pid").read_text())
    _eventually(lambda: not _alive(group))


def test_what_a_step_leaves_in_the_background_ends_with_it(bench: Bench) -> None:
    assert bench.run(fence("id=a", "echo $$ > pid; sleep 300 > /dev/null 2>&1 &")).ok
    group = int((bench.folder / "pid").read_text())
    _eventually(lambda: not _alive(group))


def test_a_step_that_ignores_termination_is_killed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_cli.runbooks.steps.shell.GRACE_SECONDS", 0.3)
    result = bench.run(fence("id=a timeout=300ms", "trap '' TERM; echo $$ > pid; while :; do sleep 1; done"))
    assert result.reason == "a: ran longer than 0.3s"
    group = int((bench.folder / "pid").read_text())
    _eventually(lambda: not _alive(group))


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _eventually(holds: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(4500):
        if holds():
            return
        patience.wait(0.02)
    raise AssertionError("it did not come to hold within 90 s")


_pieces = st.sampled_from(
    [
        *(
            "maestro: ",
            "playbook/v1",
            "runbook/v1",
            "\n",
            "  ",
            "id: x",
            "trigger:",
            "{",
            "}",
            "[",
            "]",
            "- ",
        ),
        *(
            "alert: ",
            "matchers: ",
            "'a=b'",
            "steps:",
            "runbook: ",
            "with: ",
            "&a",
            "*a",
            "<<: ",
            "---\n",
            "on: ",
        ),
        *(
            "!!python/object:os.system",
            "params: ",
            "A: ",
            "pattern: '('",
            "```sh {id=x}",
            "```",
            "\0",
            "\x1b",
        ),
        *("\ud800", "é", "9" * 30, '"'),
    ]
)


def refusal(read: Callable[[], object]) -> InvalidFile | None:
    """The error for people that reading ends in, if any; another error is a failed test."""
    try:
        read()
    except InvalidFile as error:
        return error
    return None


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.lists(_pieces, max_size=30).map("".join))
def test_hostile_files_are_read_or_refused_with_their_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (lambda: read_playbook(path), lambda: parse_runbook("---\nmaestro: " + text, "book.md")):
        error = refusal(read)
        assert error is None or error.file in (str(path), "book.md")


@pytest.mark.parametrize(
    "text",
    [
        "> " * 5000 + "```sh {id=a}\n",
        "- " * 5000,
        "[" * 20000,
        "`" * 50000 + " {id=a}",
        "```sh {" + "id=a " * 20000 + "}\n",
        '```sh {"id":' + "[" * 5000 + "\n",
        "<!-- maestro: " + "{a: " * 200 + "\n-->\n```sh\n",
        "---\nmaestro: " + "[" * 5000 + "\n---\n",
        "x\n" * 200_000,
    ],
)
def test_deep_and_long_files_end(text: str) -> None:
    error = refusal(lambda: parse_runbook(text, "book.md"))
    assert error is None or error.line is None or error.line >= 1


def test_no_attack_is_a_traceback(bench: Bench) -> None:
    """Every attack in every place a value can go ends in a result or an error for people."""
    places = (
        fence("id=a expect='> 0'", "rate(x[$NAME])", "promql"),
        fence("id=a expect='> 0'", "x{a=~'$NAME'}", "promql"),
        fence("id=a", "kind: rollback\ntarget: deploy/x\nnamespace: ${NAME}", "change"),
        fence("id=a", "kind: rollback\ntarget: ml/deploy/x\nto_revision: $NAME", "change"),
    )
    for number, place in enumerate(places):
        book = bench.write(ANYTHING + place, f"{number}.md")
        for attack in [*ATTACKS, "\0", "\ud800", "9" * 4000]:
            try:
                result = bench.runner().start(book, {"NAME": attack})
            except MaestroError:
                continue
            assert result.reason == "" or "\x1b" not in result.reason
    assert bench.changes.world == []


def test_a_value_never_becomes_another_assignment(bench: Bench) -> None:
    step = fence("id=a", "kind: set-env\ntarget: ml/deploy/x\nenv: LEVEL=$NAME", "change")
    book = bench.write(ANYTHING + step)
    for attack in [*ATTACKS, "a b=c", "a' 'b=c", "a\tb-"]:
        with suppress(MaestroError):
            assert not bench.runner().start(book, {"NAME": attack}).ok
    assert bench.changes.world == []
    assert bench.runner().start(book, {"NAME": "debug"}).ok
    assert bench.changes.world == [["set-env", "ml/deploy/x", {"env": ["LEVEL=debug"]}]]
