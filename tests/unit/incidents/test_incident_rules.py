"""Rules of incidents: how files are read, and which rule takes a signal."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile
from maestro_cli.incidents.intake.correlation import SEVERITIES
from maestro_cli.incidents.intake.rules.lint import lint_rules
from maestro_cli.incidents.intake.rules.model import RuleBook
from maestro_cli.incidents.intake.rules.reader import read_rules
from maestro_cli.incidents.model import Severity
from maestro_cli.runbooks.alerts import AlertRule

SHIPPED = shipped("deploy") / "incident-rules.yaml"
HEAD = "maestro: incident-rules/v1\n"


def read(tmp_path: Path, text: str, *, with_shipped: bool = True) -> RuleBook:
    file = tmp_path / "rules.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return read_rules((file, SHIPPED) if with_shipped else (file,))


def test_the_first_rule_whose_matchers_all_hold_takes_a_signal(tmp_path: Path) -> None:
    book = read(
        tmp_path,
        "rules:\n"
        "- {id: nodes, matchers: ['alertname=~\"KubeNode.*\"'], group_by: [node]}\n"
        "- {id: any-node, matchers: ['node!=\"\"'], group_by: [node]}\n",
        with_shipped=False,
    )
    assert [one.id for one in book.rules] == ["nodes", "any-node", "workload"]
    node = {"alertname": "KubeNodeNotReady", "node": "a/b"}
    assert (book.match(node).id, book.match(node).key(node)) == ("nodes", "rule/nodes/a%2Fb")
    other = {"alertname": "Disk", "node": "a"}
    assert (book.match(other).id, book.match(other).key(other)) == ("any-node", "rule/any-node/a")
    plain = {"alertname": "Slow", "namespace": "ml", "deployment": "fraud"}
    assert (book.match(plain).id, book.match(plain).key(plain)) == ("workload", "ml/fraud")
    assert {one.id: why for one, why in book.why_not(node)} == {
        "any-node": "it matches too; nodes comes first",
        "workload": "it matches too; nodes comes first",
    }


def test_a_rule_of_the_context_takes_the_place_of_a_shipped_one_and_tables_are_added_to(
    tmp_path: Path,
) -> None:
    book = read(
        tmp_path,
        "severities: {blocker: sev1, info: none}\nunknown_severity: sev2\nheartbeats: [Pulse]\n"
        "unused_after: 7d\nrules:\n- {id: workload, reopen_window: 0s, threshold: 2}\n",
    )
    assert [one.id for one in book.rules] == ["workload", "node"]
    rule = book.rules[0]
    assert (rule.id, rule.threshold, rule.reopen_window_seconds) == ("workload", 2, 0.0)
    words = book.policy.severities
    assert (words["blocker"], words["info"], words["page"]) == (Severity.SEV1, None, Severity.SEV2)
    assert (book.policy.unknown_severity, book.unused_after_seconds) == (Severity.SEV2, 7 * 86_400)
    assert {"Watchdog", "Pulse"} <= book.policy.heartbeats


def test_without_group_by_it_is_the_workload_and_with_an_empty_one_all_are_one(tmp_path: Path) -> None:
    book = read(tmp_path, "rules:\n- {id: all, matchers: [team=x], group_by: []}\n- {id: each}\n")
    assert book.match({"team": "x", "pod": "p"}).key({"team": "x", "pod": "p"}) == "rule/all"
    assert book.match({}).key({"namespace": "ml", "alertname": "A"}) == "alert/ml/A"


def test_a_file_without_a_last_rule_gets_the_built_in_one(tmp_path: Path) -> None:
    book = read(tmp_path, "rules:\n- {id: one, matchers: [team=x]}\n", with_shipped=False)
    assert [one.id for one in book.rules] == ["one", "workload"]


@pytest.mark.parametrize(
    ("text", "line", "key", "fix"),
    [
        ("rulez: []\n", 2, "rulez", "did you mean 'rules'?"),
        ("rules:\n- id: a\n  groupby: [x]\n", 4, "rules[0].groupby", "did you mean 'group_by'?"),
        ("rules:\n- id: a\n  matchers: [x]\n", 4, "rules[0].matchers[0]", "write 'severity=\"page\"'"),
        ("rules:\n- id: a\n  group_by: ['a b']\n", 4, "rules[0].group_by[0]", ""),
        ("rules:\n- id: a\n- id: a\n", 4, "rules[1].id", ""),
        ("rules:\n- id: a\n  window: soon\n", 4, "rules[0].window", "write 10m"),
        ("rules:\n- id: a\n  threshold: 0\n", 4, "rules[0].threshold", ""),
        ("rules:\n- id: a\n  title: '{{ incident.id }}'\n", 4, "rules[0].title", "{{ labels.NAME }}"),
        ("severities: {Big: sev1}\n", 2, "severities.Big", ""),
        ("severities: {big: sev9}\n", 2, "severities.big", ""),
        ("unknown_severity: sev4\n", 2, "unknown_severity", ""),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, fix: str
) -> None:
    with pytest.raises(InvalidFile) as caught:
        read(tmp_path, text)
    error = caught.value
    assert (error.file, error.line, error.key) == (str(tmp_path / "rules.yaml"), line, key)
    assert fix in error.fix


def test_the_shipped_rules_have_nothing_wrong() -> None:
    book = read_rules((SHIPPED,))
    assert lint_rules(book, (), (), {}) == ()
    assert book.policy.severities == SEVERITIES


def findings(book: RuleBook, *words: str, alerts: tuple[AlertRule, ...] = ()) -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in lint_rules(book, alerts, words, {})]


def test_lint_tells_rules_that_are_never_reached_or_that_no_signal_can_satisfy(tmp_path: Path) -> None:
    book = read(
        tmp_path,
        "rules:\n"
        "- {id: a, matchers: [team=x]}\n"
        "- {id: b, matchers: [team=x, job=y]}\n"
        "- {id: c, matchers: [team=z, team=w]}\n",
    )
    assert findings(book) == [("never-reached", 4), ("contradiction", 5)]


def test_lint_tells_names_and_severity_words_that_nothing_knows(tmp_path: Path) -> None:
    book = read(tmp_path, "rules:\n- {id: a, matchers: [alertname=Burm, severity=panic]}\n")
    burn = AlertRule("Burn", {"severity": "loud"}, {}, "alerts.yaml", 7)
    found = lint_rules(book, (burn,), ("page", "Fatal", ""), {})
    assert [(one.rule, Path(one.file).name, one.line) for one in found] == [
        ("unknown-severity", "rules.yaml", 1),
        ("unknown-alert", "rules.yaml", 3),
        ("unknown-severity", "rules.yaml", 3),
        ("unknown-severity", "alerts.yaml", 7),
    ]
    assert all("counts as sev3" in one.text for one in found if one.rule == "unknown-severity")
    assert "did you mean 'Burn'?" in next(one.text for one in found if one.rule == "unknown-alert")
