"""Rules that share a name, an objective and a long window are told apart by what they say."""

from __future__ import annotations

from dataclasses import replace

from maestro_cli.core.facts.rules import LoadedRule
from maestro_cli.slo.objectives import Counters, Objective
from maestro_cli.slo.rules.alerts import RuleOptions, rule_file
from maestro_cli.slo.rules.difference import Difference, Verdict, differences, rules_of
from maestro_cli.slo.windows import PROFILES, BurnWindow

MONTH = 30 * 86400.0
PROMISE = Objective("web", "web", "web", 0.999, MONTH, Counters("all_total", bad="bad_total"), {})
# one long window for a page, for another page and for a ticket
WINDOWS = (
    BurnWindow("page", 14.4, 3600.0, 300.0),
    BurnWindow("page", 6.0, 3600.0, 600.0),
    BurnWindow("ticket", 1.0, 3600.0, 300.0),
)
RULES = rules_of(rule_file([PROMISE], PROFILES["production"], RuleOptions(windows={MONTH: WINDOWS})))
ALERTS = [rule for rule in RULES if rule.kind == "alert"]


def told(loaded: list[LoadedRule]) -> list[tuple[Verdict, str]]:
    found: tuple[Difference, ...] = differences(RULES, loaded)
    return [(one.verdict, one.what) for one in found]


def test_alerts_over_one_long_window_differ_from_themselves_in_nothing() -> None:
    assert len(ALERTS) == 3
    assert told(list(RULES)) == []
    assert told(list(reversed(RULES))) == []


def test_of_alerts_over_one_long_window_the_one_that_is_not_loaded_is_missing() -> None:
    for gone in ALERTS:
        assert told([rule for rule in RULES if rule is not gone]) == [(Verdict.MISSING, "")]


def test_of_alerts_over_one_long_window_the_one_that_was_changed_is_different() -> None:
    for one in ALERTS:
        changed = replace(one, hold_seconds=77.0)
        assert told([changed if rule is one else rule for rule in RULES]) == [(Verdict.DIFFERENT, "for")]


def test_a_rule_that_is_loaded_twice_is_said_to_be() -> None:
    for one in ALERTS:
        assert told([*RULES, one]) == [(Verdict.EXTRA, "twice")]
