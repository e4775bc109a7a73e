"""Alerts are read strictly, and a rehearsal's differ from them in nothing but times."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import InvalidFile
from maestro_cli.slo.alert_files import group_document, read_alert_files, shortened_query
from maestro_cli.slo.windows import PROFILES

DRILL, PRODUCTION = PROFILES["drill"], PROFILES["production"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rate(x[5m])", "rate(x[5s])"),
        ("rate(x[1m])", "rate(x[5s])"),  # never fewer than five scrapes
        ("rate(x[10m])", "rate(x[10s])"),
        ("rate(x[1h])", "rate(x[1m])"),
        ("rate(x[3d])", "rate(x[1m])"),  # never longer than the longest window
        ("rate(x[1h30m])", "rate(x[1m])"),
        ("max_over_time(rate(x[5m])[30m:1m])", "max_over_time(rate(x[5s])[30s:1s])"),
        ("max_over_time(x[30m:])", "max_over_time(x[30s:])"),
        ("x offset 5m", "x offset 5s"),
        ("x offset -5m", "x offset -5s"),
        ('x{a=~"[5m]",b="offset 5m"}', 'x{a=~"[5m]",b="offset 5m"}'),
        ("x{a='[5m]'} # [5m] offset 5m", "x{a='[5m]'} # [5m] offset 5m"),
        ("x{a=`[5m]`} > 300", "x{a=`[5m]`} > 300"),
        ("predict_linear(x[1h], 4 * 3600) < 0", "predict_linear(x[1m], 4 * 3600) < 0"),
        ('x{a="\\"[5m]"}', 'x{a="\\"[5m]"}'),
    ],
)
def test_only_ranges_and_offsets_are_shortened(query: str, expected: str) -> None:
    assert shortened_query(query, DRILL) == expected
    assert shortened_query(query, PRODUCTION) == query


GROUPS = """\
groups:
  - name: pods
    interval: 1m
    rules:
      - alert: Down
        expr: up[5m] == 0
        for: 15m
        keep_firing_for: 1m
        labels: {severity: page}
        annotations: {summary: "gone for [5m]"}
      - record: x:rate5m
        expr: rate(x[5m])
"""


def write(folder: Path, text: str) -> Path:
    (folder / "one.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_rehearsal_waits_seconds_for_minutes_and_keeps_the_rest(tmp_path: Path) -> None:
    (group,) = read_alert_files(write(tmp_path, GROUPS))
    assert group_document(group, DRILL) == {
        "name": "one/pods",
        "interval": "1s",
        "rules": [
            {
                "alert": "Down",
                "expr": "up[5s] == 0",
                "for": "15s",
                "keep_firing_for": "5s",  # never less: a scrape may be late
                "labels": {"severity": "page"},
                "annotations": {"summary": "gone for [5m]"},
            },
            {"record": "x:rate5m", "expr": "rate(x[5s])"},
        ],
    }
    production = group_document(group, PRODUCTION)
    assert production["interval"] == "1m"
    assert production["rules"][0]["for"] == "15m"
    assert production["rules"][0]["expr"] == "up[5m] == 0"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("for: 15m", "for: soon", 7, "not a duration"),
        ("rate(x[5m])", "rate(x[5x])", 12, "not a duration"),
        ("alert: Down", "alert: Down\n        record: both", 5, "neither"),
        ("for: 15m", "fro: 15m", 7, "not known"),
        ("expr: up[5m] == 0\n", "\n", 5, "expr"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in GROUPS
    with pytest.raises(InvalidFile) as caught:
        read_alert_files(write(tmp_path, GROUPS.replace(old, new, 1)))
    assert says in f"{caught.value.what} {caught.value.why} {caught.value.fix} {caught.value.where}"
    assert caught.value.line == line


def test_a_folder_that_is_not_there_has_no_alerts(tmp_path: Path) -> None:
    assert read_alert_files(tmp_path / "none") == ()


def test_every_shipped_alert_says_what_a_responder_needs() -> None:
    alerts = [
        rule for group in read_alert_files(shipped("deploy") / "alerts") for rule in group.rules if rule.alert
    ]
    assert len({rule.alert for rule in alerts}) == len(alerts) >= 1
    for rule in alerts:
        assert rule.labels["severity"] in ("page", "ticket"), rule.alert
        assert set(rule.annotations) == {"summary", "description", "runbook_url"}, rule.alert
        book = re.fullmatch(r"https://\S+/blob/main/(runbooks/[a-z-]+\.md)", rule.annotations["runbook_url"])
        assert book is not None, rule.alert
        assert (shipped("runbooks").parent / book[1]).exists(), rule.alert
