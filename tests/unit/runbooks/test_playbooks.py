"""What a playbook may say, what is wrong with one, and what it makes of samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile, NotFound
from maestro_cli.runbooks.alerts import AlertRule, read_alerts
from maestro_cli.runbooks.attributes import ATTRIBUTES
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog
from maestro_cli.runbooks.playbooks.explanation import explain
from maestro_cli.runbooks.playbooks.inline import put_down
from maestro_cli.runbooks.playbooks.lint import lint, lint_ties
from maestro_cli.runbooks.playbooks.readiness import Readiness
from maestro_cli.runbooks.playbooks.spec import PartSpec
from maestro_cli.runbooks.playbooks.tries import try_out, try_samples
from maestro_cli.runbooks.reader import read_runbook
from tests.unit.runbooks.shelf import AUTO, CLOCK, HEAD, STEPS, TRIGGER, Shelf


def test_the_whole_format_is_read(shelf: Shelf) -> None:
    found = shelf.play(
        HEAD
        + "title: All of it\n"
        + "trigger:\n"
        + "  alert: [{matchers: [alertname=Slow]}, {matchers: [alertname=Down, severity=page]}]\n"
        + "  incident: {event: not-acknowledged, after: 10m, severity: [sev1, sev2]}\n"
        + "  schedule: {cron: '0 6 * * mon', zone: Europe/Berlin, within: 1h}\n"
        + "  manual: {params: {WHO: {pattern: '[a-z]+', default: nobody}}}\n"
        + "correlation: {group_by: [namespace], window: 5m, threshold: 3}\n"
        + "incident: {severity: sev1, title: '{{ labels.x }}', roles: {commander: ana, scribe: bo}}\n"
        + AUTO
        + STEPS
        + "on_failure: {runbook: mend, with: {DEPLOY: fraud}, page: 'bao:team/chat#url'}\n"
        + "notifications: [{to: env:CHAT, on: [begun, failed]}]\n"
        + "tests: [{name: it is slow, labels: {alertname: Slow}, expect: one}]\n"
    )
    assert found.triggers == (
        'alertname="Slow"',
        'alertname="Down", severity="page"',
        "incident not-acknowledged for 600s of sev1 or sev2",
        "schedule 0 6 * * mon Europe/Berlin",
        "by hand",
    )
    assert found.correlation is not None
    assert (found.correlation.group_by, found.correlation.window_seconds) == (("namespace",), 300)
    assert found.roles == {"commander": "ana", "scribe": "bo"}
    assert (found.on_failure.page, found.notifications[0].on) == ("bao:team/chat#url", ("begun", "failed"))
    assert found.line_of("trigger.alert[1].matchers[0]") == 5
    assert found.line_of("policy.no.such") == 11


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (HEAD + "trigger: {}\n" + STEPS, "trigger", "is empty"),
        (HEAD + "trigger: {alert: []}\n" + STEPS, "trigger.alert", "is empty"),
        (HEAD + "trigger: {alert: {matchers: ['a=~\"(a\"']}}\n" + STEPS, "matchers[0]", "missing )"),
        (HEAD + "trigger: {alert: {matchers: ['a=~\"a{2000}\"']}}\n" + STEPS, "matchers[0]", "repetition"),
        (HEAD + "trigger: {alert: {matchers: ['a=~\"(?=a)\"']}}\n" + STEPS, "matchers[0]", "perl operator"),
        (HEAD + "trigger: {incident: {event: closed}}\n" + STEPS, "trigger.incident.event", "choices"),
        (HEAD + "trigger: {incident: {event: not-acknowledged}}\n" + STEPS, "incident.after", "missing"),
        (HEAD + "trigger: {incident: {event: opened, after: 5m}}\n" + STEPS, "after", "no meaning"),
        (HEAD + "trigger: {schedule: {cron: '61 * * * *'}}\n" + STEPS, "schedule.cron", "no schedule"),
        (HEAD + "trigger: {schedule: {cron: '1 * * * *', zone: Mars}}\n" + STEPS, "zone", "time zone"),
        (HEAD + "trigger: {schedule: {cron: '1 * * * *', within: 0s}}\n" + STEPS, "within", "longer than"),
        (HEAD + "trigger: {manual: {params: {PATH: {}}}}\n" + STEPS, "params.PATH", "cannot be"),
        (HEAD + "trigger: {manual: {}}\ncorrelation: {}\n" + STEPS, "correlation", "only alerts"),
        (HEAD + TRIGGER + "correlation: {threshold: 0}\n" + STEPS, "threshold", "from 1"),
        (HEAD + TRIGGER + "correlation: {group_by: ['a-b']}\n" + STEPS, "group_by[0]", "not a label"),
        (HEAD + TRIGGER + "steps: []\n", "steps", "is empty"),
        (HEAD + TRIGGER + "steps: [{with: {A: b}}]\n", "steps[0]", "neither"),
        (HEAD + TRIGGER + "steps: [{runbook: a, params: {A: {}}}]\n", "steps[0].params", "has its own"),
        (HEAD + TRIGGER + STEPS + "on_failure: {}\n", "on_failure", "says nothing"),
        (HEAD + TRIGGER + STEPS + "on_failure: {page: 'https://x'}\n", "on_failure.page", "reference"),
        (
            HEAD + TRIGGER + STEPS + "notifications: [{to: env:X, on: []}]\n",
            "notifications[0].on", "is empty",
        ),
        (HEAD + TRIGGER + STEPS + "notifications: [{to: 'xoxb-1', on: [begun]}]\n", "[0].to", "reference"),
        (HEAD + TRIGGER + "steps: [{inline: [{id: a, kind: ruby, body: x}]}]\n", "inline[0]", "kind of step"),
        (
            HEAD + TRIGGER + "steps: [{inline: [{id: a, kind: sh, body: x, within: 5s}]}]\n",
            "inline[0]", "within",
        ),
        (
            HEAD + TRIGGER + "steps: [{inline: [{id: a, kind: sh, body: x, undu: {}}]}]\n",
            "undu", "did you mean 'undo'",
        ),
        (
            HEAD + TRIGGER + "steps: [{inline: [{id: a, kind: runbook, body: {runbook: x}}]}]\n",
            "steps[0]", "runbook",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_key(shelf: Shelf, text: str, key: str, says: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        shelf.play(text)
    error = caught.value
    assert error.line is not None
    assert key in error.key
    assert says in f"{error.what} {error.why} {error.fix}"


def test_of_several_alternatives_one_is_enough_and_the_longest_counts(shelf: Shelf) -> None:
    shelf.play(HEAD + "trigger: {alert: [{matchers: [a=x]}, {matchers: [b=y, c=z]}]}\n" + STEPS)
    shelf.play(HEAD.replace("one", "two") + "trigger: {alert: {matchers: [b=y]}}\n" + STEPS, "two")
    shelf.play(HEAD.replace("one", "by-hand") + "trigger: {manual: {}}\n" + STEPS, "by-hand")
    catalog = PlaybookCatalog([shelf.plays])
    found = catalog.match({"b": "y", "c": "z"})
    assert found.playbook is not None
    assert (found.playbook.id, found.why) == ("one", 'one: b="y", c="z"')
    assert found.why_not == {
        "by-hand": "no alert starts it",
        "two": "it matches too, with 1 matcher; one has 2",
    }
    neither = catalog.match({"c": "z"})
    assert neither.playbook is None
    assert neither.why_not["one"] == 'a="x": it has no such label; b="y": it has no such label'
    assert catalog.match({"a": "x"}, firing=False).playbook is None


def test_values_of_labels_are_not_templates_nor_are_facts_about_the_incident(shelf: Shelf) -> None:
    found = shelf.play(HEAD + TRIGGER + STEPS)
    facts = {"incident": {"title": "{{ labels.deployment }}"}}
    step = shelf.play(
        HEAD + TRIGGER + "steps: [{runbook: mend, with: {DEPLOY: '{{ incident.title }}'}}]\n"
    ).steps[0]
    assert step.parameters({"deployment": "x"}, facts) == {"DEPLOY": "{{ labels.deployment }}"}
    assert found.steps[0].parameters({"deployment": "{{ incident.title }}"}, facts) == {
        "DEPLOY": "{{ incident.title }}"
    }


RULES = (AlertRule("Slow", {"severity": "page", "team": "{{ $labels.team }}"}, {}, "rules.yaml", 1),)


def given(step: str) -> str:
    return TRIGGER + f"steps: [{{{step}}}]\n"


def titled(title: str) -> str:
    return TRIGGER + f"incident: {{title: '{title}'}}\n" + STEPS


def matched(matchers: str) -> str:
    return f"trigger: {{alert: {{matchers: [{matchers}]}}}}\n" + STEPS


@pytest.mark.parametrize(
    ("text", "rule", "key", "says"),
    [
        (given("runbook: mond"), "unknown-runbook", "steps[0].runbook", "did you mean 'mend'"),
        (given("runbook: mend, with: {DEPLOI: a}"), "unknown-parameter", "with.DEPLOI", "DEPLOY"),
        (given("runbook: mend"), "missing-value", "steps[0]", "needs DEPLOY"),
        (given("runbook: mend, with: {DEPLOY: A1}"), "bad-value", "with.DEPLOY", "does not match"),
        (titled("{{ label.x }}"), "placeholder", "incident.title", "stays as it is"),
        (titled("{{ labels.x "), "placeholder", "incident.title", "stays as it is"),
        (titled("{{ incident.sev }}"), "placeholder", "incident.title", "severity"),
        (titled("{{ params.X }}"), "placeholder", "incident.title", "not declared"),
        (titled("{{ schedule.at }}"), "placeholder", "incident.title", "no value"),
        ("trigger: {schedule: {cron: '0 6 * * *'}}\n" + STEPS, "placeholder", "with.DEPLOY", "its schedules"),
        (matched("alertname=Slo"), "unknown-alert", "trigger.alert.matchers", "Slo"),
        (matched("alertname=Slow, severity=low"), "unknown-alert", "matchers", "low"),
        (TRIGGER + "policy: {mode: auto}\n" + STEPS, "not-auto", "policy", "no max_runs_per_hour"),
    ],
)
def test_a_finding_names_its_rule_and_key(shelf: Shelf, text: str, rule: str, key: str, says: str) -> None:
    found = shelf.findings(HEAD + text, RULES)
    ((at, line, told),) = [(at, line, told) for name, at, line, told in found if name == rule]
    assert line > 2
    assert key in at
    assert says in told


def test_what_may_be_so_is_no_finding(shelf: Shelf) -> None:
    assert shelf.findings(HEAD + AUTO + matched("alertname=Slow, team=x, pod=y"), RULES) == []
    assert shelf.findings(HEAD + "trigger: {alert: {matchers: [a=b]}}\n" + STEPS) == []


@pytest.mark.parametrize(
    ("other", "ties"),
    [
        ("[alertname=Slow]", True),
        ("[alertname=Slow, severity=page]", False),
        ("[alertname=Down]", False),
        ("['alertname=~\"S.*\"']", True),
        ("['alertname!=Slow']", False),
        ("[team=x]", True),
    ],
)
def test_two_that_only_an_id_tells_apart_tie(shelf: Shelf, other: str, ties: bool) -> None:
    two = HEAD.replace("one", "two") + f"trigger: {{alert: {{matchers: {other}}}}}\n" + STEPS
    found = lint_ties([shelf.play(HEAD + TRIGGER + STEPS), shelf.play(two, "two")], ())
    assert [one.rule for one in found] == ["tie"] * ties
    assert all("one comes first" in one.text for one in found)


INLINE = """\
steps:
  - inline:
      - {id: ratio, kind: promql, body: 'up{job="$JOB"}', expect: '> 0.1', capture: RATIO, for: 5s}
      - id: mend
        kind: change
        when: $RATIO > 0.5
        title: "> --> ``` {x}"
        body: {kind: scale, target: deploy/$DEPLOY, namespace: ml, replicas: 3}
        verify: [{kind: promql, body: up, expect: present}]
    params: {JOB: {from: label.job, pattern: '[a-z]+'}}
    with: {DEPLOY: "{{ labels.deployment }}"}
"""


def test_steps_that_are_written_in_a_playbook_are_a_runbook_pinned_by_its_digest(shelf: Shelf) -> None:
    found = shelf.play(HEAD + TRIGGER + AUTO + INLINE)
    book = found.steps[0].inline
    assert book is not None
    assert [(step.path, step.kind, step.title) for step in book.steps] == [
        ("ratio", "promql", ""),
        ("mend", "change", "> --> ``` {x}"),
    ]
    assert [part.path for part in book.steps[1].parts] == ["mend/verify"]
    assert {one.name for one in book.parameters} == {"JOB", "DEPLOY"}
    put_down(book)
    again = read_runbook(Path(book.file))
    assert (again.digest, again.steps) == (book.digest, book.steps)
    assert book.digest[:32] in book.file
    again_read = shelf.play(HEAD + TRIGGER + AUTO + INLINE).steps[0].inline
    assert again_read is not None
    assert again_read.file == book.file
    Path(book.file).write_text("# other\n")
    assert read_runbook(Path(put_down(book).file)).digest == book.digest
    assert "mend alters the world and has no rehearsal" in shelf.against(HEAD + TRIGGER + AUTO + INLINE)


def test_steps_of_a_playbook_may_wait_for_what_they_need_alone(shelf: Shelf) -> None:
    by_file, by_needs = (
        shelf.play(HEAD + TRIGGER + INLINE + order).steps[0].inline for order in ("", "    order: needs\n")
    )
    assert by_file is not None
    assert by_needs is not None
    assert (by_file.is_by_needs, by_needs.is_by_needs) == (False, True)
    with pytest.raises(InvalidFile, match=r"steps\[0\]\.order: is for inline steps"):
        shelf.play(HEAD + TRIGGER + "steps: [{runbook: mend, order: needs}]\n")


@pytest.mark.parametrize(
    "body", ["```\n```sh {id=evil}\ntouch pwned\n```", "-->", "`" * 9 + "sh {id=evil}", "---\nid: x\n---"]
)
def test_a_body_cannot_make_another_step(shelf: Shelf, body: str) -> None:
    text = HEAD + TRIGGER + f"steps: [{{inline: [{{id: a, kind: sh, body: {json.dumps(body)}}}]}}]\n"
    book = shelf.play(text).steps[0].inline
    assert book is not None
    assert [(step.path, step.body) for step in book.steps] == [("a", body + "\n")]


def test_every_attribute_of_a_fence_can_be_written_inline() -> None:
    roles = {"id", "pre", "verify", "undo", "probe"}
    written = {name.rstrip("_") for name in PartSpec.__struct_fields__} - {"kind", "body"}
    assert written == set(ATTRIBUTES) - roles


def test_samples_say_what_an_alert_must_choose_and_that_it_has_the_values(shelf: Shelf) -> None:
    samples = (
        "tests:\n"
        "- {name: chosen, labels: {alertname: Slow, deployment: fraud}}\n"
        "- {name: resolved, labels: {alertname: Slow, deployment: fraud}, firing: false, expect: none}\n"
        "- {name: other, labels: {alertname: Down}, expect: one}\n"
        "- {name: lacks, labels: {alertname: Slow}}\n"
    )
    playbook = shelf.play(HEAD + TRIGGER + STEPS + samples)
    trials = list(try_out(playbook, [playbook], shelf.runbooks, CLOCK))
    assert [(one.case, one.fault) for one in trials] == [
        ("chosen", ""),
        ("resolved", ""),
        ("other", "it chose none, expected one"),
        ("lacks", "the alert has no label 'deployment'"),
        ("works", ""),
    ]


def test_an_explanation_has_the_values_of_each_run(shelf: Shelf) -> None:
    shelf.play(HEAD + TRIGGER + STEPS + "incident: {title: '{{ labels.deployment }} is slow'}\n")
    catalog = PlaybookCatalog([shelf.plays])
    told = explain(catalog, shelf.runbooks, {"alertname": "Slow", "deployment": "fraud"}, {}, firing=True)
    assert (told.title, told.runs[0].values) == ("fraud is slow", {"DEPLOY": "fraud"})
    hostile = explain(catalog, shelf.runbooks, {"alertname": "Slow", "deployment": "$(x)"}, {}, firing=True)
    assert "cannot be" in hostile.runs[0].fault
    with pytest.raises(NotFound, match="no playbook"):
        catalog.get("on")


def test_the_shipped_playbooks_are_without_error_and_may_run_by_themselves_if_they_say_so() -> None:
    runbooks = RunbookCatalog([shipped("runbooks")])
    readiness, known = Readiness(runbooks, CLOCK), read_alerts([shipped("deploy")])
    playbooks = PlaybookCatalog([shipped("playbooks")]).all()
    found = [one for playbook in playbooks for one in lint(playbook, runbooks, readiness, known)]
    assert [f"{one.file}:{one.line}: {one.text}" for one in (*found, *lint_ties(playbooks, known))] == []
    for playbook in playbooks:
        assert [one for one in try_samples(playbook, playbooks, runbooks) if one.fault] == []
