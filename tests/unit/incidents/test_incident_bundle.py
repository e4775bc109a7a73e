"""A bundle proves what it says it proves, and anything that is not as it was signed is seen."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from maestro_cli.core import archives
from maestro_cli.core.archives import archive_kind, read_archive
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ActionFailed, InvalidFile, NotFound, UsageError
from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.desk import IncidentDesk
from maestro_cli.incidents.report import bundle
from maestro_cli.incidents.report.bundle import Chain, build
from maestro_cli.incidents.report.bundle_check import BundleReport, check
from maestro_cli.incidents.timeline import events_of
from maestro_cli.journal.model import Event, Head
from maestro_cli.output.renderers.bundles import bundle_view
from maestro_cli.sources.signing import Ed25519Signer, fits
from tests.unit.incidents.world import Room, alert

SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
FILES = {"postmortem.md": "# It broke — \u202ebadly\n", "inc.pictures/errors.svg": "<svg/>"}
ABOUT = {"incident": "inc-1", "number": 1, "context": "prod", "made_by": "maestro"}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """An incident whose events stand beside those of another thing."""
    made = Room(tmp_path)
    made.detector.reconcile([alert()], source="alertmanager-api")
    desk = IncidentDesk(made.journal, made.clock, "ana")
    made.journal.append("try.first", "thing/1", "bob", {"secret": "of another team"})
    desk.note("latest", "a note, 1.5 \U0001f600 \x7f")
    desk.ack("latest")
    made.journal.append("try.second", "thing/1", "bob", {})
    yield made
    made.journal.close()


def chain_of(room: Room, *, whole: bool) -> Chain:
    own = events_of(room.journal, IncidentDesk(room.journal, room.clock, "ana").get("1").id)
    mine = {event.seq for event in own}
    between = [event for event in room.journal.events() if event.seq not in mine] if whole else None
    return Chain(own, between, room.journal.head())


def made(room: Room, *, whole: bool = False, kind: str = ".tar.gz") -> bytes:
    return build(FILES, chain_of(room, whole=whole), ABOUT, SIGNER, kind)


def opened(data: bytes, tmp_path: Path) -> dict[str, bytes]:
    path = tmp_path / "bundle"
    path.write_bytes(data)
    return read_archive(path)


def judged(
    files: dict[str, bytes], trusted: tuple[str, ...] = (SIGNER.public_key,), anchor: Head | None = None
) -> BundleReport:
    return check(files, fits, trusted=trusted, anchor=anchor)


@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_the_same_journal_gives_the_same_bytes_and_they_verify(room: Room, tmp_path: Path, kind: str) -> None:
    data = made(room, kind=kind)
    assert data == made(room, kind=kind)
    report = judged(opened(data, tmp_path))
    assert (report.verdict, report.problems) == (Verdict.PASS, ())
    assert (report.gaps, report.whole_chain) == (2, False)
    assert b"of another team" not in b"".join(opened(data, tmp_path).values())


def test_the_whole_chain_has_no_gap_and_reaches_the_head(room: Room, tmp_path: Path) -> None:
    report = judged(opened(made(room, whole=True), tmp_path))
    assert (report.verdict, report.gaps) == (Verdict.PASS, 0)
    assert report.head == room.journal.head()


def test_a_key_that_nobody_named_is_never_a_pass(room: Room, tmp_path: Path) -> None:
    files = opened(made(room), tmp_path)
    for trusted in ((), (OTHER.public_key,)):
        report = judged(files, trusted)
        assert (report.verdict, report.is_trusted, report.problems) == (Verdict.INDETERMINATE, False, ())


def test_whoever_signs_a_false_bundle_anew_is_not_trusted(room: Room, tmp_path: Path) -> None:
    forged = build(
        {**FILES, "postmortem.md": "all was well"}, chain_of(room, whole=False), ABOUT, OTHER, ".zip"
    )
    assert judged(opened(forged, tmp_path)).verdict is Verdict.INDETERMINATE
    with_our_key = opened(forged, tmp_path) | {bundle.PUBLIC_KEY: f"{SIGNER.public_key}\n".encode()}
    assert judged(with_our_key).verdict is Verdict.FAIL


@pytest.mark.parametrize("whole", [False, True])
def test_a_changed_byte_in_any_file_is_seen(room: Room, tmp_path: Path, whole: bool) -> None:
    files = opened(made(room, whole=whole), tmp_path)
    for path, data in files.items():
        for place in {0, len(data) // 2, len(data) - 1}:
            changed = bytearray(data)
            changed[place] ^= 1
            assert judged(files | {path: bytes(changed)}).verdict is Verdict.FAIL, (path, place)


def test_a_file_more_or_less_is_seen(room: Room, tmp_path: Path) -> None:
    files = opened(made(room), tmp_path)
    assert judged(files | {"more.txt": b""}).verdict is Verdict.FAIL
    for path in files:
        assert judged({name: data for name, data in files.items() if name != path}).verdict is Verdict.FAIL, (
            path
        )


def lied(room: Room, change: Callable[[list[Event]], list[Event]], *, whole: bool) -> BundleReport:
    """What is found when the signer of the trusted key itself exports something else than the journal has."""
    chain = chain_of(room, whole=whole)
    files = {path: text.encode() for path, text in FILES.items()}
    data = build(FILES, Chain(change(list(chain.own)), chain.between, chain.head), ABOUT, SIGNER, ".zip")
    assert files
    path = room.journal.path.with_name("lied.zip")
    path.write_bytes(data)
    return judged(read_archive(path))


def test_even_under_a_trusted_key_events_must_be_as_their_hashes_say(room: Room) -> None:
    def rewritten(events: list[Event]) -> list[Event]:
        return [
            Event(one.seq, one.time, one.kind, one.subject, "mallory", one.data, one.prev, one.hash)
            for one in events
        ]

    assert lied(room, lambda events: events, whole=True).verdict is Verdict.PASS
    assert lied(room, rewritten, whole=False).verdict is Verdict.FAIL
    assert lied(room, lambda events: events[::-1], whole=False).verdict is Verdict.FAIL
    assert lied(room, lambda events: events[:1] + events[2:], whole=True).verdict is Verdict.FAIL
    assert lied(room, lambda events: events[:-1], whole=True).verdict is Verdict.FAIL


def by_mallory(event: Event) -> Event:
    """Another event, with the hash that it then has."""
    other = replace(event, actor="mallory")
    return replace(other, hash=bundle.hash_of(other))


def test_an_event_that_was_made_up_with_its_hash_does_not_fit_its_neighbours(room: Room) -> None:
    def one_rewritten(events: list[Event]) -> list[Event]:
        return [events[0], by_mallory(events[1]), *events[2:]]

    def last_rewritten(events: list[Event]) -> list[Event]:
        return [*events[:-1], by_mallory(events[-1])]

    assert lied(room, one_rewritten, whole=True).verdict is Verdict.FAIL
    assert lied(room, last_rewritten, whole=True).verdict is Verdict.FAIL
    last = chain_of(room, whole=False).own[-1]
    IncidentDesk(room.journal, room.clock, "ana").note("1", "the last event is of the incident")
    assert room.journal.head().seq > last.seq
    assert lied(room, last_rewritten, whole=True).problems[-1].text.startswith("its end is not the head")


def test_a_journal_that_was_changed_is_not_exported(room: Room) -> None:
    chain = chain_of(room, whole=False)
    chain.require_intact("journal")
    one = chain.own[0]
    changed = Event(one.seq, one.time, one.kind, one.subject, "mallory", one.data, one.prev, one.hash)
    with pytest.raises(InvalidFile, match="not what was written"):
        Chain([changed, *chain.own[1:]], None, chain.head).require_intact("journal")


def test_a_head_that_was_kept_elsewhere_must_be_in_the_chain(room: Room, tmp_path: Path) -> None:
    files = opened(made(room, whole=True), tmp_path)
    known = room.journal.events()[2]
    assert judged(files, anchor=Head(known.seq, known.hash)).verdict is Verdict.PASS
    assert judged(files, anchor=Head(known.seq, "0" * 64)).verdict is Verdict.FAIL
    unknown = judged(files, anchor=Head(999, known.hash))
    assert (unknown.verdict, unknown.problems) == (Verdict.INDETERMINATE, ())
    assert "kept elsewhere is not in the bundle" in str(bundle_view(tmp_path, unknown).document)


def test_what_is_told_to_be_published_is_what_the_journal_says(room: Room, tmp_path: Path) -> None:
    desk, text = IncidentDesk(room.journal, room.clock, "ana"), "# It broke\n"
    desk.resolve("1", force=True, reason="test")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    desk.publish_postmortem("1", path="pm.md", sha256=sha256)
    for words, verdict in ((text, Verdict.PASS), ("# All was well\n", Verdict.FAIL)):
        data = build({bundle.PUBLISHED: words}, chain_of(room, whole=False), ABOUT, SIGNER, ".zip")
        assert judged(opened(data, tmp_path)).verdict is verdict


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def of_type(kind: bytes, name: str = "link") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    return member


def zipped(name: str, *, mode: int = 0o100644, twice: bool = False) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, b"x")
        if twice:
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(member, b"y")
    return packed.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "..",
        ".hidden",
        "a//b",
        "a\\b",
        "C:x",
        "",
        "a b",
        "\u202e",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidFile):
        opened(zipped(name), tmp_path)
    with pytest.raises(InvalidFile):
        opened(tar((tarfile.TarInfo(name), b"x")), tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        tar((of_type(tarfile.SYMTYPE), b"")),
        tar((of_type(tarfile.LNKTYPE), b"")),
        tar((of_type(tarfile.CHRTYPE), b"")),
        tar((of_type(tarfile.FIFOTYPE), b"")),
        tar((of_type(tarfile.DIRTYPE), b"")),
        tar((tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")),
        zipped("link", mode=0o120777),
        zipped("folder/"),
        b"",
        b"PK nothing",
        b"\x1f\x8bnothing",
        gzip.compress(b"no tar at all" * 100),
        gzip.compress(bytes(2_000_000)),
        b"just text",
    ],
    ids=range(14),  # the data is no name: compressed, it has the time in it
)
def test_what_is_no_plain_file_or_no_archive_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="is not a bundle"):
        opened(data, tmp_path)


def test_the_same_name_twice_in_a_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="is not a bundle"):
        opened(zipped("a", twice=True), tmp_path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_that_no_bundle_has_is_refused(packing: int, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        archive.writestr("a", b"x" * 1000)
    with pytest.raises(InvalidFile) as refused:
        opened(packed.getvalue(), tmp_path)
    assert "packed as no bundle is" in refused.value.why


def test_a_list_of_files_that_is_too_long_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(12_000):
            archive.writestr(f"f{number}", b"")
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda *_: pytest.fail("it was read"))
    with pytest.raises(InvalidFile) as refused:
        opened(packed.getvalue(), tmp_path)
    assert "more than 500 files" in refused.value.why


@pytest.mark.parametrize("limit", ["MAX_ARCHIVE_BYTES", "MAX_TOTAL_BYTES", "MAX_MEMBERS"])
@pytest.mark.parametrize("kind", [".tar.gz", ".zip"])
def test_no_bundle_is_made_that_would_not_be_read(
    room: Room, monkeypatch: pytest.MonkeyPatch, limit: str, kind: str
) -> None:
    assert getattr(bundle, limit) == getattr(archives, limit)
    monkeypatch.setattr(bundle, limit, 3)
    with pytest.raises(ActionFailed, match=r"the bundle would have [1-9][0-9]* ") as refused:
        made(room, whole=True, kind=kind)
    assert "--whole-chain" in refused.value.fix


def test_a_bomb_is_refused_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 100_000)
    bomb = bytes(2_000_000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bomb)
    for data in (packed.getvalue(), tar((tarfile.TarInfo("bomb"), bomb))):
        assert len(data) < 5000
        with pytest.raises(InvalidFile) as refused:
            opened(data, tmp_path)
        assert "unpacks to more than" in refused.value.why


def test_a_giant_header_is_refused_while_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a")
        member.pax_headers = {"comment": "x" * 2_000_000}
        archive.addfile(member)
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 100_000)
    with pytest.raises(InvalidFile) as refused:
        opened(packed.getvalue(), tmp_path)
    assert "unpacks to more than" in refused.value.why


def test_too_many_files_and_a_giant_archive_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [(tarfile.TarInfo(f"f{number}"), b"") for number in range(archives.MAX_MEMBERS + 1)]
    with pytest.raises(InvalidFile) as refused:
        opened(tar(*many), tmp_path)
    assert "more than 500 files" in refused.value.why
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", 10)
    with pytest.raises(InvalidFile) as refused:
        opened(tar((tarfile.TarInfo("a"), b"1")), tmp_path)
    assert "larger than" in refused.value.why


def test_a_manifest_of_nonsense_is_a_problem_and_no_crash(room: Room, tmp_path: Path) -> None:
    files = opened(made(room), tmp_path)
    for nonsense in (
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"schema":"maestro.dev/incident-bundle/v1","files":[1],"head":7}',
    ):
        assert judged(files | {bundle.MANIFEST: nonsense}).verdict is Verdict.FAIL
    without_end = json.dumps(plain(chain_of(room, whole=False).own[0]) | {"seq": float("inf")}).encode()
    without_end = without_end.replace(b"Infinity", b"1e999")
    for nonsense in (b"{}\n", b"[" * 100_000, json.dumps({"seq": "x"}).encode(), without_end):
        assert judged(files | {bundle.EVENTS: nonsense}).verdict is Verdict.FAIL


def test_a_bundle_that_is_not_there_and_a_name_of_no_archive(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_archive(tmp_path / "none.zip")
    with pytest.raises(UsageError, match="no name of a bundle"):
        archive_kind("incident.rar")
    assert archive_kind("A.TGZ") == ".tar.gz"
