"""Commands that need no platform, as a person or a script calls them."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from maestro_cli.chaos.drills.scenarios import SCENARIOS, find_scenario
from maestro_cli.config.locations import config_dir, state_dir
from maestro_cli.config.strict import parse_yaml
from maestro_cli.output.formats import parse_format
from maestro_cli.output.renderers.drills import scenarios_view
from maestro_cli.output.writer import OutputOptions, emit
from tests.cli.program import check_golden, maestro

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[*].name}")

# Files that are wrong


@pytest.mark.parametrize(
    ("text", "place", "fix"),
    [
        (
            "contexts:\n  a:\n    promtheus: {url: x}\n",
            ":3: contexts.a.promtheus: ",
            "did you mean 'prometheus'?",
        ),
        ("contexts:\n  a:\n    namespace: 5\n", ":3: contexts.a.namespace: expected text", ""),
        ("contexts:\n  a:\n    serving: {url: h:1}\n", ":3: contexts.a.serving.url: ", "http://host:port"),
        ("contexts:\n  a: {}\n  a: {}\n", ":3: contexts.a: the key is there twice", ""),
        ("contexts: [\n", ":1: is not valid YAML", ""),
        ("contexts:\n  a: &x {}\n", ":2: anchors", ""),
    ],
)
def test_a_broken_config_ends_3_and_names_file_line_and_key(text: str, place: str, fix: str) -> None:
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    result = maestro("context", "list")
    assert (result.code, result.out) == (3, "")
    first, *rest = result.err.splitlines()
    assert first.startswith(f"maestro: error: {file}{place}")
    assert (f"  fix: {fix}" in rest) is bool(fix)


def test_the_nearer_config_is_named_when_it_is_the_broken_one(configured: Path, tmp_path: Path) -> None:
    (tmp_path / "maestro.yaml").write_text("contexts:\n  a: {nope: 1}\n", encoding="utf-8")
    result = maestro("context", "list", cwd=tmp_path)
    assert result.code == 3
    assert f"{tmp_path / 'maestro.yaml'}:2: contexts.a.nope: " in result.err


def test_a_secret_in_the_config_is_refused_and_never_shown() -> None:
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True)
    for url, token in (("http://h", "hunter2"), ("http://me:hunter2@h", "env:X")):
        file.write_text(f"contexts: {{a: {{serving: {{url: '{url}', token: '{token}'}}}}}}", encoding="utf-8")
        for arguments in (["context", "list"], ["doctor", "-o", "json"], ["context", "show", "a"]):
            result = maestro(*arguments, env={"MAESTRO_DEBUG": "1"})
            assert result.code in (3, 10)
            assert "hunter2" not in result.out + result.err


# Contexts


@pytest.mark.parametrize("form", FORMATS)
def test_contexts_are_listed_in_every_format(configured: Path, form: str) -> None:
    result = maestro("context", "list", "-o", form)
    assert (result.code, result.err) == (0, "")
    shown = result.out
    for spelling in (str(configured), str(configured).replace("_", "\\_")):  # Markdown escapes it
        shown = shown.replace(spelling, "/home/ana/config.yaml")
    check_golden(f"context-list.{form.partition('=')[0]}", shown)


def test_the_formats_say_the_same(configured: Path) -> None:
    body = json.loads(maestro("context", "list", "-o", "json").out)
    assert body["schema"] == "maestro.dev/context-list/v1"
    assert [item["name"] for item in body["items"]] == ["lab", "prod"]
    assert parse_yaml(maestro("context", "list", "-o", "yaml").out, "out").data == body
    rows = list(csv.DictReader(io.StringIO(maestro("context", "list", "-o", "csv").out)))
    assert [row["name"] for row in rows] == ["lab", "prod"]


def test_no_context_is_an_empty_list_and_a_remark() -> None:
    result = maestro("context", "list")
    assert (result.code, result.out) == (0, "")
    assert "no context is configured" in result.err


@pytest.mark.parametrize(
    ("arguments", "env", "current"),
    [
        ([], {}, "prod"),
        ([], {"MAESTRO_CONTEXT": "lab"}, "lab"),
        (["--context", "prod"], {"MAESTRO_CONTEXT": "lab"}, "prod"),
    ],
)
def test_a_flag_beats_a_variable_beats_the_file(
    configured: Path, arguments: list[str], env: dict[str, str], current: str
) -> None:
    body = json.loads(maestro(*arguments, "context", "list", "-o", "json", env=env).out)
    assert [item["name"] for item in body["items"] if item["current"]] == [current]


@pytest.mark.parametrize(
    "arguments",
    [["context", "show", "porod"], ["context", "use", "porod"], ["--context", "porod", "context", "show"],
     ["--context", "porod", "journal", "show"]],
)  # fmt: skip
def test_an_unknown_context_ends_6_with_a_suggestion(configured: Path, arguments: list[str]) -> None:
    result = maestro(*arguments)
    assert (result.code, result.out) == (6, "")
    what, why, fix = result.error_lines
    assert what == "there is no context 'porod'"
    assert why == "did you mean 'prod'?"
    assert str(configured) in fix


def test_nothing_is_made_for_a_context_that_is_not_there(configured: Path) -> None:
    maestro("--context", "porod", "journal", "show")
    assert not state_dir().exists() or [p for p in state_dir().rglob("*") if p.is_file()] == []


def test_showing_a_context_asks_its_endpoints_and_ends_4_when_one_is_silent(configured: Path) -> None:
    result = maestro("context", "show", "-o", "json", env={"PROD_TOKEN": "hunter2"})
    assert result.code == 4
    body = json.loads(result.out)
    assert body["name"] == "prod"
    assert body["protected"] is True
    assert [(check["system"], check["ok"]) for check in body["checks"]] == [("Prometheus", False)]
    assert "http://127.0.0.1:1" in result.err
    assert "hunter2" not in result.out + result.err


def test_a_context_without_endpoints_is_shown() -> None:
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("contexts: {a: {}}", encoding="utf-8")
    result = maestro("context", "show", "a")
    assert (result.code, result.err) == (0, "")
    assert "no endpoint is configured" in result.out


def test_using_a_context_changes_one_line(configured: Path) -> None:
    before = configured.read_text(encoding="utf-8")
    result = maestro("context", "use", "lab")
    assert (result.code, result.out) == (0, f"lab is the current context, in {configured}\n")
    assert configured.read_text(encoding="utf-8") == before.replace(
        "current_context: prod", "current_context: lab"
    )
    assert '"name": "lab"' in maestro("context", "show", "-o", "json").out


# The journal


def test_the_doctor_finds_a_tampered_journal(journal_file: Path) -> None:
    tamper(journal_file, "UPDATE events SET actor = 'bob' WHERE seq = 2")
    finding = next(
        f for f in json.loads(maestro("doctor", "-o", "json").out)["findings"] if f["area"] == "journal"
    )
    assert (finding["ok"], finding["fix"]) == (False, "maestro journal verify")


def tamper(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    db.executescript("DROP TRIGGER events_are_not_updated; DROP TRIGGER events_are_not_deleted;")
    db.execute(statement)
    db.commit()
    db.close()


def test_events_are_shown_oldest_first(journal_file: Path) -> None:
    body = json.loads(maestro("journal", "show", "-o", "json").out)
    assert body["schema"] == "maestro.dev/journal/v1"
    assert [event["seq"] for event in body["items"]] == [1, 2, 3]
    assert set(body["items"][0]) == {"seq", "time", "kind", "subject", "actor", "data", "prev", "hash"}


@pytest.mark.parametrize(
    "command", [["incident", "list"], ["change", "list"], ["runbook", "history"], ["journal", "show"]]
)
def test_the_record_is_read_without_any_endpoint(configured: Path, command: list[str]) -> None:
    """`prod` names no cluster, and nobody listens where its Prometheus should."""
    result = maestro(*command, "-o", "json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["items"] == []


@pytest.mark.parametrize(
    ("arguments", "seqs"),
    [
        (["--kind", "try."], "1 2"),
        (["--kind", "said", "--kind", "try.second"], "2 3"),
        (["--subject", "thing/1"], "3"),
        (["--after", "1", "--limit", "1"], "2"),
        (["--kind", "nothing"], ""),
    ],
)
def test_events_are_picked(journal_file: Path, arguments: list[str], seqs: str) -> None:
    out = maestro("journal", "show", *arguments, "-o", "jsonpath={.items[*].seq}").out
    assert out == (f"{seqs}\n" if seqs else "")


@pytest.mark.parametrize(
    "form", ["table", "wide", "json", "yaml", "csv", "md", "jsonpath={.items[2].data.text}"]
)
def test_a_hostile_event_is_text_in_every_format(journal_file: Path, form: str) -> None:
    result = maestro("journal", "show", "-o", form)
    assert (result.code, result.err) == (0, "")
    assert "\x1b" not in result.out
    assert "\u202e" not in result.out


def test_an_untouched_journal_is_intact(journal_file: Path) -> None:
    result = maestro("journal", "verify", "-o", "json")
    body = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert body["schema"] == "maestro.dev/journal-verification/v1"
    assert (body["intact"], body["events"], body["file"]) == (True, 3, str(journal_file))
    anchor = f"{body['head']['seq']}:{body['head']['hash']}"
    assert maestro("journal", "verify", "--anchor", anchor).code == 0
    assert maestro("journal", "verify", "--anchor", f"3:{'0' * 64}").code == 10


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE events SET data = '{}' WHERE seq = 2", "changed"),
        ("DELETE FROM events WHERE seq = 2", "removed"),
        (
            "INSERT INTO events SELECT 4, time, kind, subject, actor, data, hash, 'f' FROM events LIMIT 1",
            "inserted",
        ),
    ],
)
def test_a_tampered_journal_ends_10_and_names_the_event(
    journal_file: Path, statement: str, problem: str
) -> None:
    tamper(journal_file, statement)
    result = maestro("journal", "verify", "-o", "json")
    assert result.code == 10
    body = json.loads(result.out)
    assert body["intact"] is False
    assert problem in [finding["problem"] for finding in body["findings"]]
    what, why, fix = result.error_lines
    assert what == "the journal is not what was written"
    assert f"event {body['findings'][0]['seq']}" in why
    assert "evidence" in fix


def test_what_is_no_journal_ends_3(journal_file: Path) -> None:
    journal_file.write_bytes(b"not a database" * 500)
    for command in ("show", "verify"):
        result = maestro("journal", command)
        assert (result.code, result.out) == (3, "")
        assert str(journal_file) in result.err


def test_no_journal_yet_is_not_found(configured: Path) -> None:
    result = maestro("journal", "verify")
    assert result.code == 6
    assert "nothing has been recorded" in result.err


def test_a_wrong_anchor_is_a_usage_error(journal_file: Path) -> None:
    assert maestro("journal", "verify", "--anchor", "3:abc").code == 2


def test_a_state_folder_that_cannot_be_made_is_told(configured: Path) -> None:
    state_dir().parent.parent.mkdir(parents=True, exist_ok=True)
    state_dir().parent.write_text("", encoding="utf-8")
    result = maestro("journal", "show")
    assert (result.code, result.out) == (12, "")
    what, why, fix = result.error_lines
    assert "cannot be used" in what
    assert why == f"{state_dir().parent} is not a folder"
    assert "XDG_STATE_HOME" in fix


# Drills


@pytest.mark.parametrize("form", FORMATS)
def test_drills_are_listed_in_every_format(form: str) -> None:
    """The shape of two of them; which drills there are is no matter of the shape."""
    shown = io.StringIO()
    two = [find_scenario("bad-release"), find_scenario("slow-model")]
    emit(scenarios_view(two), OutputOptions(parse_format(form)), shown)
    check_golden(f"drill-list.{form.partition('=')[0]}", shown.getvalue())


def test_every_drill_is_listed() -> None:
    result = maestro("drill", "list", "-o", "json")
    assert (result.code, result.err) == (0, "")
    experiments = ["chaos/leaking-replica", "chaos/lost-node", "chaos/slow-replica"]
    names = [one["name"] for one in json.loads(result.out)["items"]]
    assert names == [*(one.name for one in SCENARIOS), *experiments]


def test_an_unknown_drill_ends_6_before_anything_starts() -> None:
    result = maestro("drill", "run", "bad-relase")
    assert (result.code, result.out) == (6, "")
    assert "bad-release" in result.error_lines[1]
    assert not (state_dir() / "local").exists()


def test_a_wrong_format_is_refused_before_anything_starts() -> None:
    result = maestro("drill", "run", "bad-release", "-o", "xml")
    assert result.code == 2
    assert not (state_dir() / "local").exists()


def test_an_error_has_no_traceback_unless_asked() -> None:
    plain = maestro("context", "show", "x")
    debug = maestro("context", "show", "x", env={"MAESTRO_DEBUG": "1"})
    assert "Traceback" not in plain.err
    assert "Traceback" in debug.err
    assert plain.code == debug.code == 6
