"""Whether the queries of files are PromQL, by whoever can tell.

Invariant: a query is broken only where a parser of Prometheus says so; what nobody parsed is said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible
from maestro_cli.slo.files.found import Query
from maestro_cli.slo.objectives import WINDOW

_FIX = "try it in Prometheus, with a range such as 5m in the place of the window"
_SPAN = "5m"  # in the place of the window
_PLACE = re.compile(r"^(?:invalid parameter \"query\": )?(?:\d+:\d+: )?(?:parse error: )?")
_UNKNOWN = re.compile(r'unknown function with name "([^"]*)"')
# what objectives are written with; a name that is like none of them is told without a suggestion
_FUNCTIONS = (
    "rate", "irate", "increase", "delta", "sum", "avg", "min", "max", "count", "quantile", "topk", "bottomk",
    "sum_over_time", "avg_over_time", "count_over_time", "min_over_time", "max_over_time", "last_over_time",
    "quantile_over_time", "histogram_quantile", "histogram_fraction", "histogram_count", "histogram_sum",
    "clamp", "clamp_max", "clamp_min", "vector", "scalar", "absent", "absent_over_time", "label_replace",
    "label_join", "abs", "round", "ceil", "floor", "time", "timestamp", "changes", "resets",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parser:
    """Who parses, in words, and what it says of each expression: "" where it is PromQL.

    `says` is None where nobody can tell: then brackets, quotes and matchers alone were checked.
    """

    name: str
    says: Callable[[Sequence[str]], Sequence[str]] | None


def broken_queries(queries: Iterable[Query], parser: Parser) -> Iterator[InvalidFile]:
    """An error for each that is no PromQL, in their order; raises what the parser raises."""
    if parser.says is None:
        return
    asked = sorted(dict.fromkeys(queries), key=lambda one: (one.file, one.line))
    said = parser.says([one.text.replace(WINDOW, _SPAN) for one in asked])
    for one, problem in zip(asked, said, strict=True):
        if problem:
            text = visible(_PLACE.sub("", problem), 300)
            unknown = _UNKNOWN.search(text)
            fix = suggestion(unknown[1], _FUNCTIONS) if unknown else _FIX
            what = f"is no PromQL: {text}"
            yield InvalidFile(
                what, file=one.file, line=one.line, key=one.key, why=f"says {parser.name}", fix=fix
            )
