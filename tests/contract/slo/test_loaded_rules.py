"""What the real Prometheus says it has loaded is found to be what was written, or found to be other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.config.strict import dump_yaml, parse_yaml
from maestro_cli.core.facts.rules import LoadedRule
from maestro_cli.slo.rules.alerts import RuleOptions, rule_file
from maestro_cli.slo.rules.difference import Verdict, differences, rules_of
from maestro_cli.slo.rules.naming import NAMES
from maestro_cli.slo.windows import PROFILES
from maestro_cli.sources.prometheus import Prometheus
from tests.contract.slo.sloth.cases import cases
from tests.contract.sources.conftest import listening, program

pytestmark = pytest.mark.contract
Document = dict[str, Any]


def wanted(names: str) -> Document:
    """Rules of every indicator, with everything that can be written."""
    options = RuleOptions(names=NAMES[names], absent=True, budget=True)
    return rule_file([case.objective for case in cases()], PROFILES["production"], options)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LoadedRule, ...]]:
    """Both namings, and rules of somebody else."""
    folder = tmp_path_factory.mktemp("prometheus")
    for names in NAMES:
        (folder / f"{names}.yaml").write_text(dump_yaml(wanted(names)), encoding="utf-8")
    other = {"record": "slo:error_ratio:rate5m", "expr": "vector(1)", "labels": {"service": "x"}}
    own = {"alert": "ErrorBudgetBurn", "expr": "vector(0)"}
    (folder / "other.yaml").write_text(
        dump_yaml({"groups": [{"name": "other", "rules": [other, own]}]}), encoding="utf-8"
    )

    def command(port: int) -> list[str]:
        files = {"rule_files": [str(folder / "*.yaml")]}
        (folder / "config.json").write_text(json.dumps(files), encoding="utf-8")
        return [
            program("prometheus"),
            f"--config.file={folder / 'config.json'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]

    with listening(command, folder) as url:
        source = Prometheus(Endpoint(url))
        yield source.rules()
        source.close()


@pytest.mark.parametrize("names", NAMES)
def test_what_was_written_is_what_is_loaded(loaded: tuple[LoadedRule, ...], names: str) -> None:
    mine = [rule for rule in loaded if rule.file.endswith((f"{names}.yaml", "other.yaml"))]
    assert len(mine) > 100
    assert differences(rules_of(wanted(names)), mine) == ()


CHANGES: dict[str, tuple[str, str, str]] = {
    "a factor": ("> 14.4 * ", "> 14 * ", "expr"),
    "or for and": ("and slo", "or slo", "expr"),
    "a window": ("[1h]", "[2h]", "expr"),
    "a wait": ("for: 5m", "for: 6m", "for"),
    "a severity": ("severity: ticket", "severity: page", "labels.severity"),
    "a text": ("has no data", "has data", "annotations.summary"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_loaded_otherwise_is_found(loaded: tuple[LoadedRule, ...], change: str) -> None:
    before, after, what = CHANGES[change]
    text = dump_yaml(wanted("maestro"))
    assert before in text
    changed = parse_yaml(text.replace(before, after), "rules.yaml").data
    found = differences(rules_of(changed), [one for one in loaded if one.file.endswith("maestro.yaml")])
    assert {(one.verdict, one.what) for one in found} == {(Verdict.DIFFERENT, what)}


def test_what_is_not_loaded_is_missing_and_what_is_of_no_objective_any_more_extra(
    loaded: tuple[LoadedRule, ...],
) -> None:
    mine = [one for one in loaded if one.file.endswith("maestro.yaml")]
    should = rules_of(wanted("maestro"))
    first = should[0].labels["objective"]
    fewer = [rule for rule in should if rule.labels["objective"] != first]
    assert {(one.verdict, one.objective) for one in differences(fewer, mine)} == {(Verdict.EXTRA, first)}
    left = [rule for rule in mine if rule.labels.get("objective") != first]
    assert {(one.verdict, one.objective) for one in differences(should, left)} == {(Verdict.MISSING, first)}
    twice = differences(should, [*mine, mine[0]])
    assert [(one.verdict, one.what) for one in twice] == [(Verdict.EXTRA, "twice")]
