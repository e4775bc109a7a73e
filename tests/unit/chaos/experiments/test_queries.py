"""Lint finds a query that is no PromQL wherever an experiment asks one, and passes over what is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from maestro_cli.chaos.experiments.lint import lint_files
from maestro_cli.chaos.experiments.queries import queries_of
from maestro_cli.chaos.experiments.reading import experiment_of, read_document
from maestro_cli.slo.files.syntax import Parser

SHIPPED = Path(__file__).resolve().parents[4] / "playbooks" / "chaos" / "network-latency.yaml"


def counted(expressions: Sequence[str]) -> Sequence[str]:
    """FAKE: a parser that knows brackets alone."""
    return ["" if one.count("(") == one.count(")") else "1:5: parse error: unclosed" for one in expressions]


def found(path: Path, says: object = counted) -> list[tuple[str, int]]:
    return [(one.rule, one.line) for one in lint_files([path], lambda: Parser("it", says), lambda one: ())]  # type: ignore[arg-type]


def test_a_query_that_is_no_promql_is_found_with_its_line(tmp_path: Path) -> None:
    assert found(SHIPPED) == []
    file = tmp_path / "x.yaml"
    text = SHIPPED.read_text()
    probe = text.index("1 - sum", text.index("steady-state-hypothesis"))
    file.write_text(f"{text[:probe]}sum(({text[probe:]}")
    ((rule, line),) = found(file)
    assert rule == "invalid"
    assert "query" in text.splitlines()[line - 1]
    assert found(file, None) == [], "nobody can tell"


def test_queries_of_stop_conditions_and_arms_are_looked_at_too(tmp_path: Path) -> None:
    file, text = tmp_path / "x.yaml", SHIPPED.read_text()
    file.write_text(text.replace("1 - sum(rate", "1 - (sum(rate", 1).replace("all: sum(", "all: (sum("))
    assert len(found(file)) == 2


def test_what_chaos_toolkit_fills_in_is_not_judged_before(tmp_path: Path) -> None:
    file, text = tmp_path / "x.yaml", SHIPPED.read_text()
    probe = text.index("1 - sum", text.index("steady-state-hypothesis"))
    file.write_text(f"{text[:probe]}sum((${{what}} + {text[probe:]}")
    assert found(file) == []


@pytest.mark.parametrize("name", ["network-latency", "dependency-failure", "resource-exhaustion"])
def test_faults_of_model_servers_are_shipped_with_both_arms_counted_by_the_same_query(name: str) -> None:
    document = read_document(SHIPPED.with_name(f"{name}.yaml"))
    guarded = experiment_of(document).guarded
    assert guarded is not None
    assert (guarded.control, guarded.arms is not None) == (1, True)
    keys = [one.key for one in queries_of(document)]
    assert {"extensions[0].arms.bad", "extensions[0].arms.all"} <= set(keys)
