"""A bundle gives the report again, and whatever is not as it was is noticed."""

from __future__ import annotations

import errno
import hashlib
import json
import threading
import tracemalloc
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from maestro_cli.core import archives
from maestro_cli.core.archives import pack, read_archive
from maestro_cli.core.errors import ActionFailed, GateNotMet, InvalidFile, NotFound
from maestro_cli.core.files import write_atomically
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.renderers.sla_pictures import pictures_of
from maestro_cli.services import sla
from maestro_cli.services.sla import Made, SlaWanted, make_report, write_report
from maestro_cli.slo.measuring.keeping import Kept
from maestro_cli.slo.report import bundle, pieces
from maestro_cli.slo.report.bundle import INPUTS, MANIFEST, PIECES, REPORT, pack_bundle, verify_bundle
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import SlaReport
from maestro_cli.slo.report.pieces import MOST_PIECE_BYTES, Piece
from tests.unit.slo.report.month import ANSWERS, BROKEN, LAG, inputs, reported

Files = dict[str, bytes]
NOBODY: Any = None  # a report of a bundle asks no service


@pytest.fixture(scope="module")
def made() -> tuple[SlaReport, list[Piece]]:
    return reported(inputs())


@pytest.fixture(scope="module")
def packed(made: tuple[SlaReport, list[Piece]]) -> bytes:
    return pack_bundle(*made, ".tar.gz")


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
    made: tuple[SlaReport, list[Piece]], monkeypatch: pytest.MonkeyPatch, limit: str, kind: str
) -> None:
    assert getattr(bundle, limit) == getattr(archives, limit)
    monkeypatch.setattr(bundle, limit, 3)
    with pytest.raises(ActionFailed, match=r"the bundle would have [1-9][0-9]* bytes") as refused:
        pack_bundle(*made, kind)
    assert "--previous" in refused.value.fix


def _a_better_figure(files: Files) -> None:
    document = json.loads(files[REPORT])
    document["items"][0]["raw"]["ratio"] = 0.99999
    files[REPORT] = json.dumps(document).encode()


def _fewer_bad_events(files: Files) -> None:
    pieces = msgspec.msgpack.decode(files[PIECES], type=list[Piece])
    files[PIECES] = msgspec.msgpack.encode(list(map(_all_good, pieces)))


def _all_good(one: Piece) -> Piece:
    kept = msgspec.msgpack.decode(one.kept, type=Kept)
    better = msgspec.structs.replace(kept, piece=msgspec.structs.replace(kept.piece, counted=b"0\x01"))
    return Piece(one.key, msgspec.Raw(msgspec.msgpack.encode(better)))


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


def _agreeing(files: Files) -> Files:
    """With a manifest of what the files are now."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in manifest["files"]}
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def _others(piece: Piece, count: int) -> list[Piece]:
    """As many pieces of other queries, whose columns of two bytes each stand for a day."""
    kept = msgspec.msgpack.decode(piece.kept, type=Kept)
    small = msgspec.structs.replace(kept.piece, counted=b"0\x01", total=b"0\x01", minutes=2880)
    raw = msgspec.Raw(msgspec.msgpack.encode(msgspec.structs.replace(kept, piece=small)))
    return [Piece(replace(piece.key, promql=f"other_{number}"), raw) for number in range(count)]


def test_pieces_that_nobody_asked_for_are_found_and_never_unpacked(files: Files, tmp_path: Path) -> None:
    pieces = msgspec.msgpack.decode(files[PIECES], type=list[Piece])
    files[PIECES] = msgspec.msgpack.encode([*pieces, *_others(pieces[0], 20_000)])
    path = tmp_path / "b.zip"
    path.write_bytes(pack(_agreeing(files), ".zip"))
    assert path.stat().st_size < 5 << 20
    tracemalloc.start()
    try:
        (problem,) = verify_bundle(read_archive(path), "b").problems
        with pytest.raises(InvalidFile, match="is not what was measured"):
            make_report(NOBODY, SlaWanted(bundle=path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (problem.where, problem.text) == (PIECES, "20000 pieces that the report does not rest on")
    assert peak < 200 << 20, "unpacked they have 900 MB"


def test_a_report_that_is_made_again_passes_its_pieces_on_as_they_are(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, again = tmp_path / "b.tar.gz", tmp_path / "again.tar.gz"
    path.write_bytes(packed)
    made = make_report(NOBODY, SlaWanted(bundle=path))
    monkeypatch.setattr(pieces, "_decode_kept", None)  # nothing is unpacked any more
    write_report(made, again, force=False)
    assert again.read_bytes() == packed


def _written_otherwise(piece: Piece) -> bytes:
    """A whole number stands in a byte where a double has nine: many times as much once it is read."""
    kept = msgspec.to_builtins(msgspec.msgpack.decode(piece.kept, type=Kept), builtin_types=(bytes, datetime))
    kept[1][4][0][6] = 1  # the increase of a series
    return msgspec.msgpack.encode(kept)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_written_otherwise, "not written as it should be"),
        (lambda piece: msgspec.msgpack.encode(b"\0" * MOST_PIECE_BYTES), "a piece of"),
        (lambda _: msgspec.msgpack.encode({}), "Expected"),
    ],
    ids=["written otherwise", "large", "none"],
)
def test_a_piece_that_was_not_packed_here_is_refused(
    files: Files, change: Callable[[Piece], bytes], why: str
) -> None:
    first, *others = msgspec.msgpack.decode(files[PIECES], type=list[Piece])
    files[PIECES] = msgspec.msgpack.encode([Piece(first.key, msgspec.Raw(change(first))), *others])
    with pytest.raises(InvalidFile, match="that cannot be read") as refused:
        verify_bundle(files, "b")
    assert why in refused.value.why


@pytest.mark.parametrize(
    ("limit", "value"), [("MOST_DAYS", 90), ("MOST_BYTES", {INPUTS: 100}), ("MOST_BYTES", {MANIFEST: 100})]
)
def test_what_would_take_all_of_the_memory_is_neither_read_nor_made(
    files: Files,
    made: tuple[SlaReport, list[Piece]],
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    value: object,
) -> None:
    monkeypatch.setattr(bundle, limit, value)
    with pytest.raises(InvalidFile):
        verify_bundle(files, "b")
    if value != {MANIFEST: 100}:
        monkeypatch.setattr(bundle, "MOST_BYTES", {INPUTS: 100})
        with pytest.raises(ActionFailed):
            pack_bundle(*made, ".zip")


def test_a_stated_report_of_another_size_is_not_read(files: Files) -> None:
    files[REPORT] = b"[" + b"[]," * 1_000_000 + b"[]]"
    (problem,) = verify_bundle(_agreeing(files), "b").problems
    assert problem.where == REPORT
    assert "it has 3000004 bytes, recomputed it has" in problem.text


def test_a_bundle_of_another_version_is_told_by_its_name(files: Files) -> None:
    files[MANIFEST] = files[MANIFEST].replace(b"sla-bundle/v2", b"sla-bundle/v1")
    with pytest.raises(InvalidFile, match="is a bundle of another version") as refused:
        verify_bundle(files, "b")
    assert "sla-bundle/v1" in refused.value.why
    assert "sla-bundle/v2" in refused.value.why


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


@pytest.fixture
def written(packed: bytes, tmp_path: Path) -> Made:
    path = tmp_path / "b.tar.gz"
    path.write_bytes(packed)
    return make_report(NOBODY, SlaWanted(bundle=path))


def _left(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.name != "home")


def test_of_two_who_write_the_same_file_at_once_one_does(written: Made, tmp_path: Path) -> None:
    path, both = tmp_path / "same.md", threading.Barrier(2)

    def drawn(report: SlaReport) -> Mapping[str, str]:
        both.wait(30)  # both have seen that there is none
        return pictures_of(report)

    def write() -> str:
        try:
            return str(write_report(written, path, force=False))
        except GateNotMet as error:
            return error.what

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr(sla, "pictures_of", drawn)
        told = sorted(one.result() for one in [pool.submit(write) for _ in range(2)])
    assert told == [str(path), f"{path} is there already; it was left alone"]
    assert _left(tmp_path) == ["b.tar.gz", "same.md", "same.pictures"]


@pytest.mark.parametrize("writes", range(3))
def test_a_full_disk_leaves_neither_a_document_nor_a_folder_without_its_pictures(
    written: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    path, count = tmp_path / "z.md", iter(range(100))
    pictures = len(pictures_of(written.report))
    full_at = (0, 1, pictures)[writes]  # the first picture, the second, the document

    def until_full(*arguments: Any, **options: Any) -> None:
        if next(count) == full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_atomically(*arguments, **options)

    monkeypatch.setattr(sla, "write_atomically", until_full)
    with pytest.raises(ActionFailed, match="could not be written") as refused:
        write_report(written, path, force=False)
    assert refused.value.why == "No space left on device"
    assert _left(tmp_path) == ["b.tar.gz"]


def test_no_folder_is_made_that_nobody_asked_for(written: Made, tmp_path: Path) -> None:
    path = tmp_path / "nosuch" / "x.html"
    for call in (
        lambda: write_report(written, path, force=False),
        lambda: make_report(NOBODY, SlaWanted(bundle=tmp_path / "b.tar.gz", to=(path,))),
    ):
        with pytest.raises(NotFound, match="there is no folder"):
            call()
    assert not path.parent.exists()


def test_the_place_that_is_proposed_is_made(
    written: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = sla.default_place("prod", "2026-10")
    assert write_report(written, path, force=False).is_file()


def test_a_table_is_written_as_it_is_printed(written: Made, tmp_path: Path) -> None:
    head, *rows = write_report(written, tmp_path / "x.csv", force=False).read_text().splitlines()
    assert head.startswith("objective,verdict,measured")
    assert [row.partition(",")[0] for row in rows] == ["answers", "fast", "back"]
