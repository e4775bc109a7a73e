"""A thousand generated attacks on every place that a value, a file or an answer can go.

Each is drawn from a fixed seed, so that a failure comes again. What is attacked ends in a result or an error
for people with its place; no command of an attack runs, and what is data stays the same to the byte.
"""

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_cli.config.secrets import Secrets
from maestro_cli.core.errors import InvalidFile, UsageError
from maestro_cli.core.facts.web import WebAnswer
from maestro_cli.output.renderers.runbooks import run_view
from maestro_cli.output.writer import OutputOptions, emit
from maestro_cli.runbooks.attributes import ATTRIBUTES
from maestro_cli.runbooks.model import Answer, Question, Runbook, RunStatus, State
from maestro_cli.runbooks.prose import walkable
from maestro_cli.runbooks.questions import read_answer
from maestro_cli.runbooks.reader import parse_runbook
from maestro_cli.runbooks.runme import MEANINGS
from maestro_cli.runbooks.steps.registry import KINDS
from tests.unit.runbooks.bench import Bench

SEED = 20261126
VALUES, FILES, ANSWERS, SECRETS = 14, 740, 16, 8
ANYTHING = "---\nmaestro: runbook/v1\nparams: {NAME: {from: label.name, pattern: '(?s).*'}}\n---\n"
_PIECES = (
    "$(touch pwned)", "`touch pwned`", ";touch pwned;", "|touch pwned", "&& touch pwned #",
    "\ntouch pwned\n", "'", '"', "\\", "${NAME}", "$NAME", "$$", "{{ labels.x }}", "}", "{id=x}", "%s%n",
    "\x1b[2J", "\u202e", "\u200b", "\xe9", "a", "-", "--all", "=", "../", "\t", "\r",
    "999999999999999999999999999999", "#", "*", "?", "[", "]", "<!channel>", "@all", ":", ",",
    "//evil.example/", "http://", " ", "NaN", "1e999", "yes", "or 1 == 1",
    "```\n```sh {id=evil}\ntouch pwned\n```", "\x00", "\ud800", "!!python/x",
)  # fmt: skip
_MARKUP = (
    "# ", "## x", "```", "~~~", "sh", "bash", "promql", "http", "kube", "notify", "ask", "runbook",
    "change", "python", "js", " {id=a", " {name=b", " {", "}", "}\n", "\n", "\n\n", "id=a", "verify=a",
    "undo=a", 'when="', "$A == 'x'", '"', "'", "for_each=", "parallel", "expect='> 0'", "on_fail=goto x",
    "deliver=now", "to=env:X", "secret=A=bao:x#y", "cwd=..", ' {"name":"c","interactive":"true"',
    ' {"id":"01HPM33PJFH2Q9R5S123X0HCSC"', "excludeFromRunAll=true", "background=true", "interpreter=bash",
    "---\n", "---\nmaestro: runbook/v1\n", "---\nshell: bash\ncwd: [\n---\n", "params: {A: {}}\n", "---",
    "<!-- maestro: ", "-->", "> ", "- ", "    ", "=====\n", "\x1b", "\x00", "\ud800", "\u2028", "\x0c",
    "\xe9", "&a", "*a", "GET http://x/", "kind: scale\ntarget: x\n", "runbook: book\n", "touch pwned\n",
    "$NAME", ",", "=", "999999999999",
)  # fmt: skip


def drawn(source: random.Random, pieces: tuple[str, ...], most: int) -> str:
    return "".join(source.choice(pieces) for _ in range(source.randint(1, most)))


def marked(source: random.Random) -> str:
    """Fences that mean to be steps, with attributes that may fit and values that may not."""
    text = source.choice(("", "# Title\n\n", ANYTHING, "---\nshell: bash\n---\n"))
    for number in range(source.randint(1, 4)):
        kind = source.choice((*KINDS, "js", ""))
        names = source.sample(list(ATTRIBUTES), source.randint(0, 3)) + source.sample(
            list(MEANINGS), source.choice((0, 0, 2))
        )
        values = {
            name: source.choice(("a", "true", "5s", "now", "> 0", "A", drawn(source, _PIECES, 2)))
            for name in names
        }
        attributes = {**values, source.choice(("id", "id", "name", "verify")): f"a{number // 2}"}
        info = (
            json.dumps(attributes)
            if source.random() < 0.7
            else "{" + " ".join(f"{k}={v}" for k, v in attributes.items()) + "}"
        )
        text += f"```{kind} {info}\n{drawn(source, _MARKUP, 3)}\n```\n\n"
    return text


def fence(marks: str, body: str, language: str = "sh") -> str:
    return f"```{language} {{{marks} on_fail=continue}}\n{body}\n```\n\n"


PLACES = (
    fence("id=shell secret=SEEN=bao:x#y", 'printf %s "$NAME" > shell; printf %s "$SEEN" > secret')
    + fence(
        "id=bash capture=LINE", "printf %s \"$NAME\" > bash; printf 'a%s' \"$NAME\" | tr -d '\\n\\0'", "bash"
    )
    + fence("id=python", "import os; open('python', 'w', newline='').write(os.environ['NAME'])", "python")
    + fence("id=query expect='> 0'", 'up{a="$NAME", b=~"x$NAME"}', "promql")
    + fence("id=bare expect='> 0'", "rate(x[$NAME])", "promql")
    + fence("id=path", "GET http://h/$NAME?q=$NAME\nX-A: $NAME", "http")
    + fence("id=host", "GET http://$NAME/", "http")
    + fence("id=json", 'POST http://h/\n\n{"a": "$NAME", "b": $NAME}', "http")
    + fence("id=header secret=SEEN=bao:x#y", "GET http://h/\nAuthorization: Bearer $SEEN", "http")
    + fence(
        "id=object expect=present", "target: deploy/$NAME\nnamespace: $NAME\nfield: spec.replicas", "kube"
    )
    + fence("id=change", "kind: set-env\ntarget: ml/deploy/$NAME\nenv: LEVEL=$NAME", "change")
    + fence("id=inner", "runbook: inner\nwith: {NAME: $NAME}", "runbook")
    + fence("id=tell to=env:CHAT", "about $NAME", "notify")
    + fence("id=tell-hidden to=bao:x#y", "about $NAME", "notify")
    + fence("id=asked pattern='(?s).*' capture=SAID", "what?", "ask")
    + fence("id=said", 'printf %s "$SAID" > said')
    + fence("id=cond when=\"$NAME == 'x' or $NAME > 3 or $NAME =~ 'a.*'\"", "true")
    + fence("id=locked lock=deploy/$NAME", "true")
)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAT", "https://chat.example/hook")
    yield made
    made.close()
    assert not list(tmp_path.rglob("pwned"))


def test_generated_values_are_data_in_every_place(bench: Bench) -> None:
    bench.write(ANYTHING + '```sh {id=in}\nprintf %s "$NAME" > inner\n```\n', "inner.md")
    book = bench.write(ANYTHING + PLACES)
    source = random.Random(SEED)
    finished = 0
    for _ in range(VALUES):
        value, secret, said = (drawn(source, _PIECES, 6) for _ in range(3))
        bench.systems.secrets = Secrets(lambda path, key, held=secret: held)  # type: ignore[misc]
        for name in ("shell", "bash", "python", "secret", "said"):
            (bench.folder / name).unlink(missing_ok=True)

        def answer(question: Question, text: str = said) -> Answer | None:
            try:
                return read_answer(question, text)
            except UsageError:
                return None

        try:
            result = bench.runner().start(book, {"NAME": value}, confirm=answer)
        except UsageError:
            continue  # it is no text at all
        finished += 1
        assert result.status in (RunStatus.SUCCEEDED, RunStatus.WAITING), result.reason
        screen = io.StringIO()
        emit(run_view(result.run), OutputOptions(is_plain=True), screen)
        assert not {"\x1b", "\u202e", "\r"} & set(screen.getvalue())
        for name in ("bash", "python"):
            assert (bench.folder / name).read_bytes() == value.encode(), name
        if result.run.steps[0].state is State.OK:
            assert (bench.folder / "secret").read_bytes() == secret.encode()
    assert finished > VALUES // 2
    assert bench.changes.world == []
    assert {request.url.split("/")[2] for request in bench.systems.requests} <= {
        "h",
        "chat.example",
        *_hosts(),
    }


def _hosts() -> set[str]:
    """What a generated value may be as a host: plain words."""
    return {piece for piece in _PIECES if piece.isalnum() and piece.isascii()}


def read(text: str) -> Runbook | None:
    try:
        return walkable(parse_runbook(text, "book.md"))
    except InvalidFile as error:
        refusal = error
    assert refusal.file == "book.md"
    assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + text.count("\r") + 1
    assert refusal.what
    return None


def test_generated_files_are_read_or_refused_with_their_line(bench: Bench) -> None:
    source = random.Random(SEED + 1)
    texts = [drawn(source, _MARKUP, 14) if number % 2 else marked(source) for number in range(FILES)]
    books = [read(text) for text in texts]
    assert sum(book is not None for book in books) > 50
    assert sum(book is None for book in books) > 50
    for book in books:
        for step in book.steps if book is not None else ():
            assert "\x1b" not in step.title
            assert "/" not in step.path


def test_generated_answers_of_systems_are_data_to_the_next_step(bench: Bench) -> None:
    source = random.Random(SEED + 2)
    text = (
        fence("id=ask capture=GOT match='v=((?s:.*))'", "GET http://h/", "http")
        + fence("id=see capture=FIELD", "target: deploy/x\nnamespace: ml\nfield: spec.x", "kube")
        + fence("id=use", 'printf %s "${GOT-}" > got; printf %s "${FIELD-}" > field')
    )
    book = bench.write(text)
    kept = 0
    for _ in range(ANSWERS):
        value = drawn(source, _PIECES, 5)
        for name in ("got", "field"):
            (bench.folder / name).unlink(missing_ok=True)
        bench.systems.answers = [WebAnswer(200, {}, f"v={value}".encode("utf-8", "surrogatepass"))]
        bench.systems.objects = [{"spec": {"x": value}}]
        result = bench.runner().start(book, {})
        assert result.status is RunStatus.SUCCEEDED, result.reason
        for name, step in zip(("got", "field"), result.run.steps[:2], strict=True):
            if step.captures:
                kept += 1
                assert (bench.folder / name).read_bytes().decode() == next(iter(step.captures.values()))
    assert kept > 4


def test_generated_secrets_reach_no_record(bench: Bench) -> None:
    source = random.Random(SEED + 3)
    book = bench.write(
        fence("id=a secret=SEEN=bao:x#y", 'printf "%s\\n" "$SEEN"; printf "%s\\n" "$SEEN" >&2')
    )
    marks = []
    for number in range(SECRETS):
        mark = f"mark{number}-{source.getrandbits(60):x}"
        marks.append(mark)
        held = mark + drawn(source, _PIECES, 3)
        bench.systems.secrets = Secrets(lambda path, key, held=held: held)  # type: ignore[misc]
        assert mark not in bench.runner().start(book, {}).reason
    stored = b"".join(path.read_bytes() for path in bench.folder.glob("journal.db*"))
    assert os.path.getsize(bench.folder / "journal.db") > 0
    assert not [mark for mark in marks if mark.encode() in stored]
