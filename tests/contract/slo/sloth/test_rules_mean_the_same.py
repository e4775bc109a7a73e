"""Our rules mean what those of the real Sloth mean: the same alerts at the same instants, the same ratios.

What Sloth writes is kept in `rules.json`, since to build Sloth takes minutes; `tests.peers.sloth.write_rules`
writes it. Where the binary is there, the file is compared with what it writes now.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.slo.rules.alerts import RuleOptions, rule_file
from maestro_cli.slo.rules.naming import MAESTRO, NAMES, SLOTH, Names
from maestro_cli.slo.windows import PROFILES
from tests.contract.slo.sloth.cases import Case, cases
from tests.contract.slo.sloth.comparing import differences, same_records
from tests.contract.slo.sloth.program import RULES, VARIABLE, VERSION, found_program, written_by

pytestmark = pytest.mark.contract
CASES = {case.name: case for case in cases()}
WITH_NAMES = [name for name in CASES if name.startswith("raw")]  # one has windows of hours and minutes
PROGRAM = found_program()  # asked for here: a test has a cache folder of its own
THEIRS: dict[str, Any] = json.loads(RULES.read_text(encoding="utf-8"))
_WITH_BUDGET = "slo:period_error_budget_remaining:ratio"


def ours(case: Case, names: Names = MAESTRO) -> dict[str, Any]:
    return rule_file([case.objective], PROFILES["production"], RuleOptions(names=names, budget=True))


def text_of(document: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The document with another text for each expression of an alert."""
    found: dict[str, Any] = json.loads(json.dumps(document))
    for group in found["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rule["expr"] = change(rule["expr"])
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_same_alerts_fire_at_the_same_instants_and_ratios_agree(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    assert differences(case, ours(case), THEIRS[name], MAESTRO, tmp_path) == ""


@pytest.mark.parametrize("name", WITH_NAMES)
def test_with_names_of_sloth_every_record_has_its_name_its_labels_and_its_value(
    tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    mine, theirs = ours(case, SLOTH), THEIRS[name]
    records = {rule["record"] for group in theirs["groups"] for rule in group["rules"] if "record" in rule}
    assert _WITH_BUDGET in records
    assert records == {
        rule["record"] for group in mine["groups"] for rule in group["rules"] if "record" in rule
    }
    assert same_records(case, sorted(records - {"sloth_slo_info"}), mine, theirs, tmp_path) == ""
    assert differences(case, mine, theirs, SLOTH, tmp_path) == ""


MUTATIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "another factor": ("by_bad", lambda text: text.replace("> 14.4 *", "> 20 *").replace("> 6 *", "> 9 *")),
    "one window for both": (
        "by_bad",
        lambda text: text.replace("rate5m", "rate1h").replace("rate30m", "rate6h"),
    ),
    "the wrong window": ("by_bad", lambda text: text.replace("rate1h", "rate6h").replace("rate6h", "rate3d")),
    "or for and": ("by_bad", lambda text: text.replace(" and ", " or ")),
    "the limit itself fires": ("boundary", lambda text: text.replace(" > ", " >= ")),
    "the target for the budget": ("by_bad", lambda text: text.replace("* 0.0", "* 0.9")),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_comparison_finds_rules_that_mean_something_else(tmp_path: Path, mutation: str) -> None:
    start, change = MUTATIONS[mutation]
    case = next(case for name, case in CASES.items() if name.startswith(start))
    mutated = text_of(ours(case), change)
    assert mutated != ours(case)
    assert "exp" in differences(case, mutated, THEIRS[case.name], MAESTRO, tmp_path)


@pytest.mark.parametrize("names", NAMES)
def test_the_comparison_finds_a_ratio_over_another_window(tmp_path: Path, names: str) -> None:
    case = cases()[0]
    text = json.dumps(ours(case, NAMES[names])).replace("[1h]", "[2h]")
    assert "exp" in differences(case, json.loads(text), THEIRS[case.name], NAMES[names], tmp_path)


def test_what_is_kept_is_what_sloth_writes() -> None:
    if PROGRAM is None:
        pytest.skip(f"Sloth {VERSION} is not built: see tests/peers/sloth/write_rules.py; or set {VARIABLE}")
    assert {name: written_by(PROGRAM, case) for name, case in CASES.items()} == THEIRS
