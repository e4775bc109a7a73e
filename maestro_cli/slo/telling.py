"""What has to be there before a query of bad (or good) events without an answer may count none.

Invariant: as verdicts have it: no answer counts none of one counter that is there among the targets that are
named, with the labels that its selector asks for; of any other query it is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro_cli.slo.measuring.matching import asking, contradiction
from maestro_cli.slo.measuring.pieces import TARGET_LABELS
from maestro_cli.slo.measuring.quoted import parse_quoted
from maestro_cli.slo.measuring.selectors import Match, Selector, parse_selector, selectors_in
from maestro_cli.slo.measuring.silence import counted_alone, counts_none
from maestro_cli.slo.objectives import Counters, Indicator, Queries

_NAME = "__name__"
_STEP = "5m"  # as long as Prometheus takes a sample for the value of its series


@dataclass(frozen=True, slots=True)
class Telling:
    """`scraped` is the counter on the targets that are named, "" where all events are of it too; `labelled`
    are its series, on whatever target, that have the labels asked for. Without `may_be_none` no answer never
    counts none.
    """

    may_be_none: bool = True
    scraped: str = ""
    labelled: tuple[str, ...] = ()

    @property
    def now(self) -> str:
        """PromQL with an answer where both are there; "" where nothing has to be asked."""
        return _all(*([self.scraped] if self.scraped else []), *self.labelled)

    def was_scraped(self, span: str) -> str:
        """PromQL with an answer where the counter was there in the last `1d`; "" where it has to be."""
        if not self.scraped:
            return ""
        one = f"group({self.scraped})"
        return f"({one} or group(last_over_time({one}[{span}:{_STEP}])))"

    def condition(self, promql: str) -> str | None:
        """For `Objective.error_ratio`: the condition, or None where there is none that would do."""
        return promql if self.may_be_none else None

    def seen(self, span: str) -> str:
        """As `now`, of a counter that may have been there in the last `1d` alone."""
        return " and on () ".join(filter(None, (self.was_scraped(span), _all(*self.labelled))))


def telling_of(kind: Indicator) -> Telling:
    """By its selectors alone. Of what is no count of events, nothing has to be asked."""
    if isinstance(kind, Counters):
        return _of_counters(kind.good if kind.good is not None else kind.bad or "", kind.total)
    if not isinstance(kind, Queries):
        return Telling()
    if not counts_none(kind):
        return Telling(may_be_none=False)
    return _of_counters(counted_alone(kind), *selectors_in(kind.total))


def _of_counters(counted: str, *totals: str) -> Telling:
    try:
        one = _parsed(counted)
        all_ = [_parsed(total) for total in totals]
    except ValueError:  # it names no metric
        return Telling()
    beside = next((total for total in all_ if total.name is not None and total.name == one.name), None)
    if beside is not None and contradiction(beside, one):
        return Telling(may_be_none=False)
    named = {match for match in one.matches if match.label == _NAME}
    where = {match for match in one.matches if match.label in TARGET_LABELS}
    is_there = beside is not None and where <= beside.matches
    labels = dict.fromkeys(match.label for match in asking(one) if match.label not in TARGET_LABELS)
    return Telling(
        scraped="" if is_there else _written(named | where),
        labelled=tuple(_written(named | {Match(label, "!=", "")}) for label in labels),
    )


def _parsed(text: str) -> Selector:
    try:
        return parse_selector(text)
    except ValueError:
        return parse_quoted(text)


def _written(matches: set[Match]) -> str:
    """`name{label="value"}`"""
    names = [match for match in matches if match.label == _NAME]
    if len(names) != 1 or names[0].sign != "=":
        return str(Selector(frozenset(matches)))
    rest = ", ".join(map(str, sorted(matches - set(names))))
    return f"{names[0].value}{{{rest}}}" if rest else names[0].value


def _all(*selectors: str) -> str:
    return " and on () ".join(f"group({one})" for one in selectors)
