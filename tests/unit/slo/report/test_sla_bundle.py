"""A bundle gives the report again, and whatever is not as it was is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from maestro_cli.core import archives
from maestro_cli.core.archives import read_archive
from maestro_cli.core.errors import ActionFailed, InvalidFile
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.report import bundle
from maestro_cli.slo.report.bundle import INPUTS, MANIFEST, PIECES, REPORT, Piece, pack_bundle, verify_bundle
from maestro_cli.slo.report.document import report_document
from tests.unit.slo.report.month import ANSWERS, BROKEN, LAG, inputs, reported

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    report, pieces = reported(inputs())
    return pack_bundle(report, pieces, ".tar.gz")


@pytest.fixture
def files(packed: bytes, tmp_path: Path) -> Files:
    path = tmp_path / "b.tar.gz"
    path.write_bytes(packed)
    return read_archive(path)


def test_a_bundle_is_recomputed_to_the_same_report(files: Files) -> None:
    found = verify_bundle(files, "b")
    assert found.problems == ()
    assert found.verdict is Verdict.PASS
    assert len(found.report.lines) == 3


def test_two_people_get_the_same_bytes(packed: bytes) -> None:
    report, pieces = reported(inputs())
    assert pack_bundle(report, reversed(pieces), ".tar.gz") == packed


@pytest.mark.parametrize("limit", ["MAX_ARCHIVE_BYTES", "MAX_TOTAL_BYTES"])
@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_no_bundle_is_made_that_could_not_be_verified(
    monkeypatch: pytest.MonkeyPatch, limit: str, kind: str
) -> None:
    assert getattr(bundle, limit) == getattr(archives, limit)
    monkeypatch.setattr(bundle, limit, 3)
    with pytest.raises(ActionFailed, match=r"the bundle would have [1-9][0-9]* bytes") as refused:
        pack_bundle(*reported(inputs()), kind)
    assert "--previous" in refused.value.fix


def _a_better_figure(files: Files) -> None:
    document = json.loads(files[REPORT])
    document["items"][0]["raw"]["ratio"] = 0.99999
    files[REPORT] = json.dumps(document).encode()


def _fewer_bad_events(files: Files) -> None:
    pieces = msgspec.msgpack.decode(files[PIECES], type=list[Piece])
    kept = [
        msgspec.structs.replace(one, kept=msgspec.structs.replace(one.kept, piece=_all_good(one)))
        for one in pieces
    ]
    files[PIECES] = msgspec.msgpack.encode(kept)


def _all_good(one: Piece) -> object:
    return msgspec.structs.replace(one.kept.piece, counted=b"0\x01")


def _another_target(files: Files) -> None:
    document = json.loads(files[INPUTS])
    document["objectives"][0]["target"] = 0.9
    files[INPUTS] = json.dumps(document).encode()


def _another_exclusion(files: Files) -> None:
    document = json.loads(files[INPUTS])
    document["exclusions"][0]["end"] = "2026-10-06T05:00:00Z"
    files[INPUTS] = json.dumps(document).encode()


CHANGED = {
    "a better figure": _a_better_figure,
    "fewer bad events": _fewer_bad_events,
    "another target": _another_target,
    "another exclusion": _another_exclusion,
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_what_was_changed_is_noticed_even_when_the_manifest_agrees(
    files: Files, change: Callable[[Files], None]
) -> None:
    change(files)
    assert verify_bundle(files, "b").verdict is Verdict.FAIL, "by the manifest"
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["files"]}
    files[MANIFEST] = json.dumps(manifest).encode()
    found = verify_bundle(files, "b")
    assert found.verdict is Verdict.FAIL, "by recomputing"
    assert all("recomputed it is" in problem.text for problem in found.problems)


def test_a_piece_that_is_missing_is_an_error_and_not_an_absence(files: Files) -> None:
    pieces = msgspec.msgpack.decode(files[PIECES], type=list[Piece])
    files[PIECES] = msgspec.msgpack.encode(pieces[1:])
    with pytest.raises(InvalidFile, match="holds no answer"):
        verify_bundle(files, "b")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"[" * 100_000, b"\xff\x00", b'{"schema": 1}'], ids=range(6)
)
@pytest.mark.parametrize("name", [MANIFEST, INPUTS, PIECES])
def test_what_is_no_bundle_is_said_so(files: Files, name: str, data: bytes) -> None:
    files[name] = data
    with pytest.raises(InvalidFile):
        verify_bundle(files, "b")


FOR_EVER = {
    "no period": {"span": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-01T00:00:00Z"}},
    "all of history": {"span": {"start": "0001-01-01T00:00:00Z", "end": "9999-01-01T00:00:00Z"}},
    "no zone": {"asked_at": "2026-10-01T00:00:00"},
    "periods without end": {"previous": 10**18, "unit": None},
    "a zone that is none": {
        "span": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z", "zone": "x"}
    },
}


@pytest.mark.parametrize("change", FOR_EVER.values(), ids=FOR_EVER)
def test_what_would_be_measured_for_ever_is_refused(files: Files, change: dict[str, object]) -> None:
    document = {**json.loads(files[INPUTS]), **change}
    files[INPUTS] = json.dumps(document).encode()
    with pytest.raises(InvalidFile):
        verify_bundle(files, "b")


def test_what_promql_evaluates_is_recomputed_too(tmp_path: Path) -> None:
    report, pieces = reported(inputs(objectives=(LAG, ANSWERS)))
    assert report.lines[0].measured.queries, "it was asked for"
    path = tmp_path / "b.zip"
    path.write_bytes(pack_bundle(report, pieces, ".zip"))
    assert verify_bundle(read_archive(path), "b").verdict is Verdict.PASS


def test_an_objective_that_cannot_be_asked_for_hides_no_other_and_is_recomputed(tmp_path: Path) -> None:
    report, pieces = reported(inputs(objectives=(BROKEN, ANSWERS), previous=1))
    path = tmp_path / "b.zip"
    path.write_bytes(pack_bundle(report, pieces, ".zip"))
    found = verify_bundle(read_archive(path), "b")
    assert found.verdict is Verdict.PASS
    assert report.lines[0].measured.judgement.verdict is Verdict.INDETERMINATE
    assert "unclosed" in report.lines[0].measured.judgement.reason
    assert report_document(found.report) == report_document(report)
