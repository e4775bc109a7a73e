"""What http and notify steps send, and what their answers come to."""

from __future__ import annotations

import json
import os

import pytest

from maestro_cli.core.errors import ExitCode, OutcomeUnknown, Unreachable
from maestro_cli.core.facts.web import WebAnswer
from maestro_cli.journal.messages import Standing
from maestro_cli.runbooks.model import RunStatus, State
from tests.unit.runbooks.bench import Bench

FRONT = "---\nmaestro: runbook/v1\nparams: {NAME: {default: fraud, pattern: '(?s).*'}}\n---\n"


def fence(marks: str, body: str = "true", language: str = "http") -> str:
    return f"```{language} {{{marks}}}\n{body}\n```\n\n"


def answers(status: int = 200, body: str = "well") -> WebAnswer:
    return WebAnswer(status, {}, body.encode())


def test_a_request_is_sent_as_it_is_written(bench: Bench) -> None:
    body = 'PUT http://$NAME:8080/v2/models/$NAME?q=$NAME\nX-Who: $NAME\n\n{"n": "$NAME"}'
    result = bench.run(FRONT + fence("id=a timeout=3s", body))
    assert result.ok, result.reason
    (sent,) = bench.systems.requests
    assert (sent.method, sent.url) == ("PUT", "http://fraud:8080/v2/models/fraud?q=fraud")
    assert sent.headers == {"Idempotency-Key": f"run/{result.id}/a", "X-Who": "fraud"}
    assert (sent.body, sent.timeout_seconds) == (b'{"n": "fraud"}', 3.0)
    assert result.run.steps[0].mutates


@pytest.mark.parametrize(
    ("marks", "answer", "reason"),
    [
        ("", answers(404), "a: status 404, expected 2xx"),
        ("status=200,404", answers(503), "a: status 503, expected 200 or 404"),
        ("match=ready", answers(200, "no"), "a: status 200, but nothing in the answer matches ready"),
        (  # takes an engine that goes back longer than the universe is old
            "match=(a+)+b",
            answers(200, "a" * 65_536),
            "a: status 200, but nothing in the answer matches (a+)+b",
        ),
    ],
)
def test_an_answer_that_is_not_as_expected_stops_the_run(
    bench: Bench, marks: str, answer: WebAnswer, reason: str
) -> None:
    bench.systems.answers = [answer]
    result = bench.run(fence(f"id=a {marks}", "GET https://x/") + fence("id=b", "touch ran", "sh"))
    assert (result.exit_code, result.reason) == (ExitCode.CONDITION_NOT_MET, reason)
    assert not (bench.folder / "ran").exists()


def test_an_answer_is_waited_for_and_what_it_holds_is_kept(bench: Bench) -> None:
    bench.systems.answers = [Unreachable("nobody"), answers(503), answers(200, '{"version": "7"}')]
    text = fence("""id=a within=60s capture=V match='"version": "([0-9]+)"'""", "GET https://x/")
    result = bench.run(text + fence("id=b", 'printf %s "$V" > got', "sh"))
    assert result.ok, result.reason
    assert len(bench.systems.requests) == 3
    assert (bench.folder / "got").read_text() == "7"


def test_nobody_there_is_exit_4_and_a_write_without_answer_is_unknown(bench: Bench) -> None:
    bench.systems.answers = [Unreachable("nobody")]
    assert bench.run(fence("id=a", "GET https://x/")).exit_code is ExitCode.UNREACHABLE
    bench.systems.answers = [OutcomeUnknown("no answer", why="it broke off")]
    result = bench.run(fence("id=a retries=3", "POST https://x/"))
    assert (result.status, result.exit_code) == (RunStatus.UNKNOWN, ExitCode.UNDO_FAILED)
    assert len(bench.systems.requests) == 2
    probed = fence("id=a", "POST https://x/") + fence("probe=a", "true", "sh")
    assert bench.run(probed).run.steps[0].reason == "its probe says it was done (0)"


HOSTILE = [
    "a/../b",
    "..",
    "a?x=1",
    "a#b",
    "a b",
    "a\r\nX: y",
    'a","b":"c',
    "é",
    "%2e%2e",
    "@evil",
    "evil/",
    "\\",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_where_it_was_put(bench: Bench, value: str) -> None:
    parts = {
        "path": "POST https://good.example/$NAME/x?q=$NAME",
        "host": "POST https://$NAME.good.example/",
        "header": "POST https://good.example/\nX-A: $NAME",
        "json": 'POST https://good.example/\n\n{"a": "$NAME", "b": [1]}',
        "number": 'POST https://good.example/\n\n{"a": $NAME}',
    }
    for place, body in parts.items():
        bench.systems.requests.clear()
        book = bench.write(FRONT + fence("id=a", body if place != "number" else body.replace("$NAME", "1")))
        result = bench.runner().start(book, {"NAME": value})
        for sent in bench.systems.requests:
            assert sent.url.startswith("https://good.example/"), place
            assert not set(sent.url) & set(" \r\n#\\"), place
            assert ".." not in sent.url.split("/"), place
            assert all("\n" not in text and "\r" not in text for text in sent.headers.values())
            if sent.body is not None:
                assert list(json.loads(sent.body)) in (["a", "b"], ["a"])
        assert result.ok or result.exit_code is ExitCode.ACTION_FAILED


def test_a_secret_is_read_for_its_step_and_reaches_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT_ELSEWHERE", "hunter2-and-more")
    bench.systems.answers = [answers(200, "you sent hunter2-and-more")]
    text = (
        fence("id=a secret='KEY=env:KEPT_ELSEWHERE'", "GET https://x/\nAuthorization: Bearer $KEY")
        + fence("id=b secret='KEY=env:KEPT_ELSEWHERE'", 'printf %s "$KEY" > got; echo "$KEY"', "sh")
        + fence("id=c", 'echo "${KEY-none}"', "sh")
        + fence("id=d secret='KEY=env:KEPT_ELSEWHERE' capture=GOT", 'echo "$KEY"', "sh")
    )
    runner = bench.runner(environment={"PATH": os.environ["PATH"]})
    result = runner.start(bench.write(text), {})
    assert bench.systems.requests[0].headers["Authorization"] == "Bearer hunter2-and-more"
    assert (bench.folder / "got").read_text() == "hunter2-and-more"
    assert [step.output for step in result.run.steps][:3] == ["you sent «secret»", "«secret»", "none"]
    assert "would hold a secret" in result.reason
    bench.close()
    stored = b"".join(path.read_bytes() for path in bench.folder.glob("journal.db*"))
    assert b"hunter2" not in stored


def test_a_secret_that_is_not_there_fails_its_step(bench: Bench) -> None:
    result = bench.run(fence("id=a secret='KEY=env:NOT_SET_ANYWHERE'", "touch ran", "sh"))
    assert (result.status, result.run.steps[0].state) == (RunStatus.FAILED, State.FAILED)
    assert "NOT_SET_ANYWHERE is not set" in result.reason
    assert not (bench.folder / "ran").exists()


def test_a_message_is_posted_and_its_address_is_a_secret(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "https://chat.example/hooks/T0/abcdef")
    book = bench.write(FRONT + fence("id=tell to=env:CHAT", "$NAME is slow", "notify"))
    result = bench.runner().start(book, {"NAME": "<!channel> @all\x1b[31m"})
    assert result.ok, result.reason
    (sent,) = bench.systems.requests
    assert (sent.method, sent.url) == ("POST", "https://chat.example/hooks/T0/abcdef")
    said = json.loads(sent.body or b"")
    assert said["text"] == "‹!channel› ＠all␛[31m is slow"
    assert (said["run"], said["step"], said["key"]) == (result.id, "tell", f"run/{result.id}/tell")
    assert "hooks" not in str([event.data for event in bench.journal.events()])
    monkeypatch.setenv("CHAT", "not a url")
    assert "not an http or https URL" in bench.run(FRONT + fence("id=t to=env:CHAT", "x", "notify")).reason


def test_a_message_whose_channel_is_down_waits_and_the_run_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "https://chat.example/hooks/T0/abcdef?x=1")
    bench.systems.answers = [Unreachable("nobody at https://chat.example/hooks/T0/abcdef")]
    result = bench.run(FRONT + fence("id=tell to=env:CHAT", "hello", "notify"))
    (kept,) = bench.systems.outbox.messages()
    assert (result.status, kept.attempts) == (RunStatus.SUCCEEDED, 1)
    assert result.run.steps[0].reason == f"waits as {kept.id}: nobody at «secret»"
    assert (kept.channel, kept.key) == ("env:CHAT", f"run/{result.id}/tell")
    bench.systems.answers = [answers()]
    assert bench.systems.outbox.deliver(kept.id).standing is Standing.DELIVERED
    assert [json.loads(sent.body or b"")["text"] for sent in bench.systems.requests] == ["hello", "hello"]


def test_who_wants_it_delivered_now_hears_that_it_was_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "https://chat.example/")
    step = FRONT + fence("id=tell to=env:CHAT deliver=now retries=1 backoff=10ms", "hello", "notify")
    bench.systems.answers = [answers(503), answers(429)]
    result = bench.run(step)
    assert (result.status, result.exit_code) == (RunStatus.FAILED, ExitCode.UNREACHABLE)
    assert result.reason.startswith("tell: not delivered: the channel answered 429; it waits as msg-")
    assert len(bench.systems.outbox.messages()) == 1
    bench.systems.answers = [answers(503), answers(200)]
    assert bench.run(step).ok


def test_a_channel_that_refuses_fails_the_step_and_keeps_the_message(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "https://chat.example/")
    bench.systems.answers = [answers(404)]
    result = bench.run(FRONT + fence("id=tell to=env:CHAT", "hello", "notify"))
    assert result.status is RunStatus.FAILED
    assert "answered 404; it is kept as msg-" in result.reason
    assert [one.standing for one in bench.systems.outbox.messages()] == [Standing.REFUSED]


def test_a_file_that_holds_the_address_is_found_from_any_folder(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder)
    (bench.folder / "address").write_text("https://chat.example/")
    assert bench.run(FRONT + fence("id=tell to=file:address", "hello", "notify")).ok
    (kept,) = bench.systems.outbox.messages(ended=True)
    assert kept.channel == f"file:{bench.folder}/address"
