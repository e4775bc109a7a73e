"""A query that Prometheus would refuse is found before it is loaded, by Prometheus itself or by promtool."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from maestro_cli.config.settings import Endpoint
from maestro_cli.core.errors import InvalidQuery
from maestro_cli.services.promql_parsers import LEXICAL
from maestro_cli.slo.files.found import Query
from maestro_cli.slo.files.reading import find_in_text
from maestro_cli.slo.files.syntax import Parser, broken_queries
from maestro_cli.sources.prometheus import Prometheus
from maestro_cli.sources.promtool import find_promtool, parse_with
from tests.cli.program import Result, maestro
from tests.contract.recorded_prometheus import recorded_prometheus

pytestmark = pytest.mark.contract
FILE = """
version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: 99.9
    sli:
      events:
        error_query: ERROR
        total_query: sum(rate(http_total[{{.window}}]))
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
"""
GOOD = [
    "sum(rate(http_total{code=~'5..'}[{{.window}}]))",
    "sum by (a) (rate(x_total[{{.window}}] offset 1h)) # a comment",
    "sum(increase({__name__=~'x.+', b!=''}[{{.window}}])) or vector(0)",
    "sum(rate(x[{{.window}}])) - 1e-3 * Inf + 0x1F",
    "count_over_time((up == bool 0)[{{.window}}:30s])",
    "label_replace(sum(rate(x[{{.window}}] @ end())), 'a', '\"}{$1', '', '')",
    "sum(rate(x[{{.window}}])) / ignoring(a) group_left sum(rate(y[{{.window}}]))",
]
BAD = [
    ("sum(raet(http_total[{{.window}}]))", 'unknown function with name "raet"', "did you mean 'rate'?"),
    ("sum(rate(http_total[{{.window}}])) by by (x)", "grouping", "try it in Prometheus"),
    ("rate(http_total{code=500}[{{.window}}])", "", ""),
    ("sum(rate(http_total[{{.window}}]) +)", "unexpected", "try it in Prometheus"),
    ("sum(rate({code=~'.*'}[{{.window}}]))", "", ""),
    ("http_total[{{.window}}] + 1", "", "try it in Prometheus"),
]


@pytest.fixture(scope="module")
def parsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Parser]]:
    program = find_promtool()
    assert program is not None, "promtool is missing; it comes with prometheus"
    text = "# TYPE x counter\nx_total 1 1790000000\n# EOF\n"
    with recorded_prometheus(tmp_path_factory.mktemp("promql"), text) as url:
        source = Prometheus(Endpoint(url=url))

        def said(expressions: list[str]) -> list[str]:
            return [_said(source, one) for one in expressions]

        yield {
            "promtool": Parser("promtool", partial(parse_with, program)),
            "prometheus": Parser("prometheus", said),  # type: ignore[arg-type]
        }
        source.close()


def _said(source: Prometheus, expression: str) -> str:
    try:
        source.parse(expression)
    except InvalidQuery as error:
        return error.why
    return ""


def queries(text: str) -> tuple[Query, ...]:
    return find_in_text(FILE.replace("ERROR", json.dumps(text)), "shop.yaml").queries


@pytest.mark.parametrize("who", ["promtool", "prometheus"])
def test_what_is_promql_is_never_refused(parsers: dict[str, Parser], who: str) -> None:
    found = [one for text in GOOD for one in queries(text)]
    assert len({one.text for one in found}) == len(GOOD) + 1
    assert list(broken_queries(found, parsers[who])) == []


@pytest.mark.parametrize("who", ["promtool", "prometheus"])
@pytest.mark.parametrize(("text", "says", "fix"), BAD, ids=[text for text, _, _ in BAD])
def test_what_is_none_is_told_with_its_place(
    parsers: dict[str, Parser], who: str, text: str, says: str, fix: str
) -> None:
    found = find_in_text(FILE.replace("ERROR", json.dumps(text)), "shop.yaml")
    (error,) = (*found.broken, *broken_queries(found.queries, parsers[who]))
    assert (error.file, error.line, error.key) == ("shop.yaml", 9, "slos[0].sli.events.error_query")
    assert says in error.what
    assert fix in error.fix


def test_where_nobody_parses_nothing_is_refused_and_it_is_said() -> None:
    assert list(broken_queries(queries(BAD[0][0]), LEXICAL)) == []
    assert "alone" in LEXICAL.name


def lint(tmp_path: Path, *more: str, path: str | None = None) -> Result:
    (tmp_path / "shop.yaml").write_text(FILE.replace("ERROR", json.dumps(BAD[0][0])))
    env = {"HOME": str(tmp_path), **({} if path is None else {"PATH": path})}
    return maestro("slo", *more, str(tmp_path / "shop.yaml"), env=env)


def test_lint_and_rules_say_who_checked_the_queries(tmp_path: Path) -> None:
    done = lint(tmp_path, "lint")
    assert (done.code, "raet" in done.out, "did you mean 'rate'?" in done.out) == (10, True, True)
    assert f"queries are checked by {shutil.which('promtool')}" in done.err
    made = lint(tmp_path, "rules", "generate")
    assert (made.code, made.out) == (3, "")
    assert "shop.yaml:9: slos[0].sli.events.error_query: is no PromQL" in made.err
    blind = lint(tmp_path, "lint", path="/nowhere")
    assert (blind.code, "neither a Prometheus nor promtool is there" in blind.err) == (0, True)
