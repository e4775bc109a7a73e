"""Names in quotes: what a selector asks for has to be there before nothing counts none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from maestro_cli.slo.measuring.matching import read_unlabelled
from maestro_cli.slo.measuring.quoted import parse_quoted
from maestro_cli.slo.objectives import Queries
from maestro_cli.slo.telling import telling_of
from tests.unit.slo.measuring.told import START, Told, span

HTTP = '__name__="http.requests"'


@dataclass
class Asked(Told):
    """Says that each series is there, or that none is, and knows which were asked for."""

    names: Sequence[str] = ("t",)
    selectors: list[str] = field(default_factory=list)

    def label_values(self, label: str, selector: str, start: datetime, end: datetime) -> Sequence[str]:
        self.selectors.append(selector)
        return self.names


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ('{"http.requests","http.code"="500"}', [f'{{{HTTP},"http.code"!=""}}']),
        (
            'plain_total{"http.code"=~"5..", job="a"}',
            ['{__name__="plain_total","http.code"!=""}', '{__name__="plain_total",job="a"}'],
        ),
        ('plain_total{"http.code"!="200"}', []),
        ('plain_total{"http.code"=""}', []),
        ('plain_total{"http.code"!=""}', ['{__name__="plain_total","http.code"!=""}']),
        ('plain_total{"http.code"=~".*"}', []),
        ('plain_total{"http.code"=~"(5..)?"}', []),
        ('plain_total{"http.code"!~"(2..)?"}', ['{__name__="plain_total","http.code"!=""}']),
        ('{"http.code"="500"}', []),
        ('{"a\\"b","c"=\'5\'}', ['{__name__="a\\"b",c!=""}']),
    ],
)
def test_each_label_that_a_series_has_to_have_is_asked_for(selector: str, found: list[str]) -> None:
    """By whether the matcher holds where the label is missing, as with plain names."""
    told = Asked([])
    assert read_unlabelled(selector, True, span(60), told, START + timedelta(hours=1)).why == ""
    assert told.selectors == found


def test_a_label_and_a_target_that_nothing_has_are_named() -> None:
    for text, why in (
        ('t{"http.code"="500"}', "has the label http.code"),
        ('t{job="b","x.y"!~"a"}', 'job="b"'),
    ):
        assert (
            why in read_unlabelled(text, True, span(60), Asked([], names=()), START + timedelta(hours=1)).why
        )


def test_what_is_no_selector_of_one_metric_is_none() -> None:
    for text in ('{"http.code"="500"}', "", "5"):
        with pytest.raises(ValueError, match=r"metric|selector"):
            parse_quoted(text)


def test_burn_and_rules_ask_for_them_too() -> None:
    one = Queries('sum(rate(t{job="a"}[$window]))', bad='sum(rate(t{"http.code"="500"}[$window]))')
    assert telling_of(one).now == 'group(t{"http.code"!=""})'


def test_burn_and_rules_ask_for_the_target_too_and_see_what_contradicts() -> None:
    bad = 'sum(rate(t{job="b","http.code"="500"}[$window]))'
    assert telling_of(Queries("sum(rate(t[$window]))", bad=bad)).now == (
        'group(t{job="b"}) and on () group(t{"http.code"!=""})'
    )
    assert not telling_of(Queries('sum(rate(t{job="a"}[$window]))', bad=bad)).may_be_none
