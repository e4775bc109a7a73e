"""What Prometheus would not answer is refused offline with the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.slo.ports import RawSeries
from maestro_cli.slo.report.recording import RecordedMetrics, RecordingMetrics
from tests.unit.slo.measuring.told import Told
from tests.unit.slo.report.month import SPAN, inputs


class Partial(Told):
    """A Prometheus that says that its answer may not be whole."""

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterator[RawSeries]:
        raise NoData("not whole", why="a store did not answer")


def test_an_answer_that_was_not_whole_is_none_in_the_bundle_either() -> None:
    metrics = RecordingMetrics(Partial([]))
    with pytest.raises(NoData):
        metrics.samples("r_total", SPAN.start, SPAN.end)
    offline = RecordedMetrics(replace(inputs(), refusals=tuple(metrics.refusals)), "b")
    with pytest.raises(UsageError) as refused:
        offline.samples("r_total", SPAN.start, SPAN.end)
    assert (refused.value.what, refused.value.why) == ("not whole", "a store did not answer")
