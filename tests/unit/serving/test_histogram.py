"""The server's own histogram tells what prometheus-client's would."""

from __future__ import annotations

import re

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import choose_encoder

from maestro_cli.serving.telemetry.histogram import Histogram

BOUNDS = (0.005, 0.1, 0.2, 1.0)
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
# multiples of 1/1024: sums are exact in any order of adding
SECONDS = st.sampled_from([*BOUNDS, 0.0]) | st.integers(0, 4096).map(lambda number: number / 1024)
ONE = st.tuples(st.sampled_from("ab"), SECONDS, st.sampled_from([None, "t1", "t2"]))
OBSERVED = st.lists(ONE, max_size=30)


def pages(accept: str, observed: list[tuple[str, float, str | None]]) -> tuple[str, str]:
    """What ours says, and what the library says, without the moments of exemplars."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    ours, theirs = prometheus_client.CollectorRegistry(), prometheus_client.CollectorRegistry()
    own = Histogram("x_seconds", "Text.", ("model",), BOUNDS)
    ours.register(own)
    peer = prometheus_client.Histogram("x_seconds", "Text.", ["model"], buckets=BOUNDS, registry=theirs)
    for label, seconds, trace in observed:
        exemplar = None if trace is None else {"trace_id": trace}
        own.of(label).observe(seconds, exemplar)
        peer.labels(label).observe(seconds, exemplar)
    encode, _ = choose_encoder(accept)
    told = [encode(registry).decode() for registry in (ours, theirs)]
    moment = re.compile(r"(# \{.*\} \S+) \S+$", re.MULTILINE)
    return moment.sub(r"\1", told[0]), moment.sub(r"\1", told[1])


@given(OBSERVED)
def test_the_page_is_that_of_the_library(observed: list[tuple[str, float, str | None]]) -> None:
    ours, theirs = pages("", observed)
    assert ours == theirs


@given(OBSERVED)
def test_so_is_the_page_with_exemplars(observed: list[tuple[str, float, str | None]]) -> None:
    ours, theirs = pages(OPEN_METRICS, observed)
    assert ours == theirs


@pytest.mark.parametrize(("seconds", "bucket"), [(0.1, "0.1"), (0.1000001, "0.2"), (7.0, "+Inf")])
def test_a_bound_belongs_to_its_own_bucket(seconds: float, bucket: str) -> None:
    ours, _ = pages("", [("a", seconds, None)])
    first = next(line for line in ours.splitlines() if "_bucket" in line and line.endswith(" 1.0"))
    assert f'le="{bucket}"' in first
