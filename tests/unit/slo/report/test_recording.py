"""What Prometheus would not answer is not known offline either, in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from maestro_cli.core.archives import read_archive
from maestro_cli.core.errors import NoData
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import Kept, Key, Nowhere
from maestro_cli.slo.measuring.measure import Outside
from maestro_cli.slo.ports import RawSeries
from maestro_cli.slo.report.build import build_report
from maestro_cli.slo.report.bundle import pack_bundle, verify_bundle
from maestro_cli.slo.report.pieces import packed_pieces
from maestro_cli.slo.report.recording import RecordingMetrics, RecordingStore
from tests.unit.slo.measuring.told import START, Told, piece, series
from tests.unit.slo.report.month import ANSWERS, BAD, SPAN, inputs, requests


class Partial(Told):
    """A Prometheus whose answers are whole to the middle of the month, and no longer then."""

    def samples(self, selector: str, start: datetime, end: datetime) -> Iterator[RawSeries]:
        if end > SPAN.start + (SPAN.end - SPAN.start) / 2:
            raise NoData("not whole", why="a store did not answer")
        return super().samples(selector, start, end)


def test_all_who_measure_by_a_piece_have_the_one_that_is_in_the_bundle() -> None:
    """Two objectives of the same counters ask at the same time, and late samples come in between."""
    key = Key("http://told", "r_total", "", None, START, START + timedelta(minutes=2))
    early, late = (Kept(START, piece([series([(0, 1), (60, value)])], 2)) for value in (5, 6))
    store = RecordingStore(Nowhere())
    assert store.save([(key, early)]) == [early]
    assert store.save([(key, late)]) == [early]
    assert store.load([key]) == [early]
    assert list(store.pieces.values()) == [(key, early)]


def test_an_answer_that_was_not_whole_is_none_in_the_bundle_either(tmp_path: Path) -> None:
    wanted, store = inputs(objectives=(ANSWERS,)), RecordingStore(Nowhere())
    report = build_report(wanted, Outside(RecordingMetrics(Partial(requests(*BAD))), wanted.asked_at, store))
    (line,) = report.lines
    assert line.measured.judgement.verdict is Verdict.INDETERMINATE
    assert line.measured.judgement.reason == "not whole: a store did not answer"
    assert store.pieces, "half of it was answered"
    path = tmp_path / "b.zip"
    path.write_bytes(pack_bundle(report, packed_pieces(store.pieces.values()), ".zip"))
    assert verify_bundle(read_archive(path), "b").verdict is Verdict.PASS
