"""Names in quotes: what a selector asks for has to be there before nothing counts none."""

from __future__ import annotations

import pytest

from maestro_cli.slo.measuring.quoted import labelled
from maestro_cli.slo.objectives import Queries
from maestro_cli.slo.telling import telling_of


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ('{"http.requests","http.code"="500"}', ['{"http.requests","http.code"!=""}']),
        (
            'plain_total{"http.code"=~"5..", job="a"}',
            ['plain_total{"http.code"!=""}', 'plain_total{job!=""}'],
        ),
        ('plain_total{"http.code"!="200"}', []),
        ('plain_total{"http.code"=""}', []),
        ('{"http.code"="500"}', []),
        ('{"a\\"b","c"=\'5\'}', ['{"a\\"b","c"!=""}']),
    ],
)
def test_each_label_that_a_series_has_to_have_is_asked_for(selector: str, found: list[str]) -> None:
    assert [one for _, one in labelled(selector)] == found


def test_burn_and_rules_ask_for_them_too() -> None:
    one = Queries('sum(rate(t{job="a"}[$window]))', bad='sum(rate(t{"http.code"="500"}[$window]))')
    assert telling_of(one).now == 'group(t{"http.code"!=""})'
