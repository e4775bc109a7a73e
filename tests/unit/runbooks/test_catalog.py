"""Which runbook and which playbook an alert means, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.parameters import resolve_parameters
from maestro_cli.runbooks.playbooks import PlaybookCatalog, read_playbook

PLAYBOOK = """\
maestro: playbook/v1
id: one
trigger: {alert: {matchers: ['alertname="Slow"', 'severity=~"page|critical"']}}
incident: {severity: sev2, title: "{{ labels.deployment }} is slow"}
policy: {mode: auto, max_runs_per_hour: 3}
steps:
  - runbook: slow
    with: {DEPLOY: "{{ labels.deployment }}", N: 3}
"""


def write(folder: Path, name: str, front: str, body: str = "# Words\n") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"---\nmaestro: runbook/v1\n{front}---\n{body}")


def test_an_alert_is_bound_by_its_own_url_then_a_list_then_its_name(tmp_path: Path) -> None:
    write(tmp_path, "listed.md", "alerts: [Slow]\n")
    write(tmp_path, "linked.md", "")
    write(tmp_path, "Named.md", "id: other\n")
    catalog = RunbookCatalog([tmp_path])
    url = {"runbook_url": "https://example.org/runbooks/linked.md?x=1#top"}

    def bound(alert: str, annotations: dict[str, str] | None = None) -> tuple[str | None, str]:
        binding = catalog.for_alert({"alertname": alert}, annotations)
        return (binding.runbook.id if binding.runbook else None), binding.why

    assert bound("Slow", url) == ("linked", "runbook_url ends in linked")
    assert bound("Slow") == ("listed", "listed lists the alert Slow")
    assert bound("Slow", {"runbook_url": "https://example.org/nobody.md"})[0] == "listed"
    assert bound("Else", url) == ("linked", "runbook_url ends in linked")
    assert bound("Named") == ("other", "its file is named Named.md")
    assert bound("Nothing")[0] is None
    assert bound("")[0] is None
    assert bound("x", {"runbook_url": "http://[bad"})[0] is None


def test_two_claims_on_an_alert_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "alerts: [Slow]\n")
    write(tmp_path, "b.md", "alerts: [Slow]\n")
    with pytest.raises(InvalidFile, match="claims the alert Slow"):
        RunbookCatalog([tmp_path]).for_alert({"alertname": "Slow"})


def test_a_broken_file_hides_no_other_and_an_earlier_folder_wins(tmp_path: Path) -> None:
    write(tmp_path / "mine", "a.md", "title: mine\n")
    write(tmp_path / "theirs", "a.md", "title: theirs\n")
    write(tmp_path / "theirs", "b.md", "")
    write(tmp_path / "theirs", "bad.md", "alert: x\n")
    catalog = RunbookCatalog([tmp_path / "mine", tmp_path / "theirs"])
    assert [(book.id, book.title) for book in catalog.all()] == [("a", "mine"), ("b", "Words")]
    assert list(catalog.broken) == ["bad"]
    with pytest.raises(InvalidFile, match=r"bad\.md:3"):
        catalog.get("bad")
    with pytest.raises(NotFound) as caught:
        catalog.get("bb")
    assert "'b'" in caught.value.fix
    assert catalog.get(str(tmp_path / "theirs" / "a.md")).title == "theirs"


def test_values_come_from_given_then_alert_then_default(tmp_path: Path) -> None:
    params = (
        "params:\n"
        "  A: {from: label.a, default: low}\n"
        "  B: {from: annotation.b, pattern: '[0-9]+'}\n"
        "  C: {pattern: '.*', default: ''}\n"
    )
    write(tmp_path, "a.md", params)
    book = RunbookCatalog([tmp_path]).get("a")
    assert resolve_parameters(book, labels={"a": "high"}, annotations={"b": "7"}) == {
        "A": "high",
        "B": "7",
        "C": "",
    }
    assert resolve_parameters(book, given={"A": "x", "B": "1", "C": "a b"}, labels={"a": "high"})["A"] == "x"
    of_context = RunbookCatalog([tmp_path], {"A": "mid", "B": "5", "OTHER": "1"})
    nothing: dict[str, str] = {}
    assert of_context.values(book, given=nothing, labels=nothing, annotations=nothing)["A"] == "mid"
    told = of_context.values(book, given={"B": "1"}, labels={"a": "high"}, annotations={"b": "7"})
    assert (told["A"], told["B"]) == ("high", "1")
    with pytest.raises(UsageError, match="B \\(of the context\\) cannot be"):
        RunbookCatalog([tmp_path], {"B": "x"}).values(
            book, given=nothing, labels=nothing, annotations=nothing
        )
    for given, says in (
        ({}, "needs B"),
        ({"B": "x"}, "B \\(given\\) cannot be"),
        ({"B": "1\n"}, "cannot be"),
        ({"B": "1", "A": "--force"}, "A \\(given\\) cannot be"),
        ({"B": "1", "A": "a\0b"}, "cannot be"),
        ({"B": "1", "D": "1"}, "'D' is not a parameter"),
    ):
        with pytest.raises(UsageError, match=says):
            resolve_parameters(book, given=given)


def test_a_playbook_matches_only_firing_alerts_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(PLAYBOOK)
    (tmp_path / "two.yml").write_text(
        "maestro: playbook/v1\nid: two\n"
        "trigger: {alert: {matchers: [alertname=Slow]}}\nsteps: [{runbook: slow}]\n"
    )
    catalog = PlaybookCatalog([tmp_path])
    labels = {"alertname": "Slow", "severity": "page", "deployment": "fraud"}
    match = catalog.match(labels)
    assert match.playbook is not None
    assert match.playbook.id == "one"
    assert match.why == 'one: alertname="Slow", severity=~"page|critical"'
    assert list(match.why_not) == ["two"]
    assert match.playbook.title_for(labels) == "fraud is slow"
    assert match.playbook.title_for({}) == "? is slow"
    assert match.playbook.steps[0].parameters(labels) == {"DEPLOY": "fraud", "N": "3"}
    with pytest.raises(UsageError, match="no label 'deployment'"):
        match.playbook.steps[0].parameters({})
    lower = catalog.match({"alertname": "Slow", "severity": "pagers"})
    assert lower.playbook is not None
    assert lower.playbook.id == "two"
    assert lower.why_not == {"one": "severity=~\"page|critical\": it is 'pagers'"}
    assert catalog.match(labels, firing=False).playbook is None
    assert catalog.match({"alertname": "Fast"}).playbook is None


def test_values_of_labels_are_not_templates(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(PLAYBOOK)
    playbook = read_playbook(tmp_path / "one.yaml")
    hostile = {"deployment": "{{ labels.secret }}", "secret": "x"}
    assert playbook.title_for(hostile) == "{{ labels.secret }} is slow"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("playbook/v1", "playbook/v2", 1, "playbook/v1"),
        ("policy:", "polcy:", 5, "did you mean 'policy'"),
        ("mode: auto", "mode: yolo", 5, "known here: auto"),
        ("mode: auto", "mode: autp", 5, "did you mean 'auto'"),
        ("max_runs_per_hour: 3", "max_runs_per_hour: 0", 5, "at least 1"),
        ("max_runs_per_hour: 3", "max_runs_per_hour: many", 5, "whole number"),
        ("'alertname=\"Slow\"'", "alertname", 3, "not a matcher"),
        ("page|critical", "page(", 3, "regular expression"),
        ("['alertname=\"Slow\"', 'severity=~\"page|critical\"']", "[]", 3, "is empty"),
        ("sev2", "sev9", 4, "sev"),
        ("  - runbook: slow\n", "  - runbok: slow\n", 7, "did you mean 'runbook'"),
    ],
)
def test_a_wrong_playbook_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    path = tmp_path / "one.yaml"
    assert old in PLAYBOOK
    path.write_text(PLAYBOOK.replace(old, new))
    with pytest.raises(InvalidFile) as caught:
        PlaybookCatalog([tmp_path]).all()
    assert caught.value.line == line
    assert says in f"{caught.value.what} {caught.value.why} {caught.value.fix}"


def test_what_ships_can_be_read_and_fits_together() -> None:
    runbooks = RunbookCatalog([shipped("runbooks")])
    books = runbooks.all()
    assert books
    assert runbooks.broken == {}
    labels = {
        "alertname": "ErrorBudgetBurn",
        "severity": "page",
        "namespace": "ml",
        "deployment": "fraud",
        "objective": "fraud-availability",
    }
    catalog = PlaybookCatalog([shipped("playbooks")])
    slow = catalog.match({**labels, "objective": "fraud-latency"}).playbook
    assert slow is not None
    assert [step.runbook for step in slow.steps] == ["high-latency"]
    match = catalog.match(labels)
    assert match.playbook is not None
    assert match.playbook.severity < slow.severity  # errors come first
    told = {
        **labels,
        "key": "partner",
        "job_name": "backup-1",
        "secret_namespace": "ml",
        "secret_name": "tls",
        "model": "fraud",
        "node": "node-a",
    }
    for playbook in PlaybookCatalog([shipped("playbooks")]).all():
        for step in playbook.steps:
            resolve_parameters(runbooks.get(step.runbook), given=step.parameters(told), labels=told)
    bound = runbooks.for_alert(labels).runbook
    assert bound is not None
    assert bound.id == match.playbook.steps[0].runbook
    wanted = {"Meaning", "Impact", "Diagnosis", "Mitigation", "Verification", "Escalation"}
    for book in books:
        assert wanted <= {heading.text for heading in book.headings}
