"""What a bundle proves.

Invariant: trusts the key that the caller trusts and the hashes, nothing that the bundle says of itself. A key
that came with the bundle proves that nothing was changed since somebody signed it, not who that was: that is
INDETERMINATE, never PASS.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from maestro_cli.core.verdict import Verdict
from maestro_cli.incidents.report import bundle
from maestro_cli.incidents.report.bundle import BETWEEN, EVENTS, MANIFEST, PUBLIC_KEY, SIGNATURE
from maestro_cli.journal.model import Event, Head

MAX_PROBLEMS = 100
Verify = Callable[[str, bytes, bytes], bool]  # public key, signature, data: whether it fits


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was signed or written."""

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What was found. `key` signed it; `is_trusted`: the caller trusts it; `gaps`: how many links of the
    chain are not in it, so that only the signature says that nothing of the incident stood there;
    `anchor_found`: the head kept elsewhere is of an event in it, None when there is no such head."""

    verdict: Verdict
    incident: str
    context: str
    key: str
    is_trusted: bool
    files: int
    events: int
    gaps: int
    whole_chain: bool
    head: Head
    problems: tuple[Problem, ...]
    anchor_found: bool | None = None


def check(
    files: Mapping[str, bytes], verify: Verify, *, trusted: Sequence[str], anchor: Head | None = None
) -> BundleReport:
    """Check the signature, every file, every hash and every link; never raises for what a bundle holds."""
    problems: list[Problem] = []
    manifest = _manifest(files, problems)
    key = _text(files.get(PUBLIC_KEY, b""))
    signed_by = next((one for one in dict.fromkeys((*trusted, key)) if _fits(files, verify, one)), "")
    if not signed_by:
        problems.append(Problem(SIGNATURE, "the signature does not fit the manifest"))
    elif files.get(PUBLIC_KEY) != f"{signed_by}\n".encode():
        problems.append(Problem(PUBLIC_KEY, "it is not the key that the bundle was signed with"))
    problems += _check_files(files, manifest)
    own, between = _events(files, EVENTS, problems), _events(files, BETWEEN, problems)
    whole = bool(manifest.get("whole_chain"))
    head = _head(manifest)
    gaps = _check_chain(own, between, whole=whole, head=head, problems=problems)
    if manifest.get("events") != len(own):
        problems.append(Problem(EVENTS, "it holds another number of events than the manifest says"))
    anchor_found = None if anchor is None else _check_anchor((*own, *between), anchor, problems)
    published = files.get(bundle.PUBLISHED)
    if published is not None and hashlib.sha256(published).hexdigest() != bundle.published_sha256(own):
        problems.append(Problem(bundle.PUBLISHED, "it is not what the journal says was published"))
    is_trusted = signed_by in trusted
    known = is_trusted and anchor_found is not False
    verdict = Verdict.FAIL if problems else Verdict.PASS if known else Verdict.INDETERMINATE
    return BundleReport(
        verdict=verdict,
        incident=str(manifest.get("incident", ""))[:100],
        context=str(manifest.get("context", ""))[:200],
        key=signed_by or key[:200],
        is_trusted=is_trusted,
        files=len(files),
        events=len(own),
        gaps=gaps,
        whole_chain=whole,
        head=head,
        problems=tuple(problems[:MAX_PROBLEMS]),
        anchor_found=anchor_found,
    )


def _text(data: bytes) -> str:
    return data[:1000].decode("utf-8", "replace").strip()


def _manifest(files: Mapping[str, bytes], problems: list[Problem]) -> Mapping[str, Any]:
    try:
        found = json.loads(files.get(MANIFEST, b""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("schema") != bundle.SCHEMA:
        problems.append(Problem(MANIFEST, f"it is not a manifest of {bundle.SCHEMA}"))
        return {}
    return found


def _head(manifest: Mapping[str, Any]) -> Head:
    head = manifest.get("head")
    seq, own = (head.get("seq"), head.get("hash")) if isinstance(head, dict) else (0, "")
    return Head(seq if isinstance(seq, int) else 0, str(own)[:64])


def _fits(files: Mapping[str, bytes], verify: Verify, key: str) -> bool:
    try:
        signature = bytes.fromhex(_text(files.get(SIGNATURE, b"")))
    except ValueError:
        return False
    # Exactly as it is written: a bundle has one form.
    if files.get(SIGNATURE) != f"{signature.hex()}\n".encode():
        return False
    return verify(key, signature, files.get(MANIFEST, b""))


def _check_files(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Iterator[Problem]:
    named = manifest.get("files")
    named = named if isinstance(named, dict) else {}
    for path in sorted({*named, *files} - {MANIFEST, SIGNATURE, PUBLIC_KEY}, key=str):
        told = named.get(path)
        if path not in files:
            yield Problem(str(path)[:200], "it is missing")
        elif not isinstance(told, dict):
            yield Problem(path, "the manifest does not name it")
        elif told.get("sha256") != hashlib.sha256(files[path]).hexdigest():
            yield Problem(path, "it was changed: its SHA-256 is another")


_TEXTS = ("time", "kind", "subject", "actor", "prev", "hash")


def _events(files: Mapping[str, bytes], path: str, problems: list[Problem]) -> list[Event]:
    events: list[Event] = []
    for number, line in enumerate(files.get(path, b"").splitlines(), 1):
        try:
            found = json.loads(line)
            time, kind, subject, actor, prev, own = (found[name] for name in _TEXTS)
            if type(found["seq"]) is not int:
                raise TypeError("a sequence number is a whole number")
            event = Event(found["seq"], time, kind, subject, actor, found["data"], prev, own)
            fits = (
                all(isinstance(found[name], str) for name in _TEXTS) and bundle.hash_of(event) == event.hash
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            problems.append(Problem(path, f"line {number} is no event"))
            return events
        if not fits:
            problems.append(Problem(path, f"event {event.seq} does not match its hash"))
        events.append(event)
    return events


def _check_chain(
    own: Sequence[Event], between: Sequence[Event], *, whole: bool, head: Head, problems: list[Problem]
) -> int:
    """How many links are not in the bundle."""
    seqs = [event.seq for event in own]
    if seqs != sorted(set(seqs)):
        problems.append(Problem(EVENTS, "its events are not in order"))
    chain = sorted((*own, *between), key=lambda event: event.seq)
    gaps = 0
    for before, after in pairwise(chain):
        if after.seq != before.seq + 1:
            gaps += 1
        elif after.prev != before.hash:
            problems.append(Problem(EVENTS, f"event {after.seq} does not follow event {before.seq}"))
    last = chain[-1] if chain else None
    if last is not None and last.seq == head.seq and last.hash != head.hash:
        problems.append(Problem(EVENTS, "its end is not the head that the manifest names"))
    reaches = last is not None and last.seq == head.seq
    if whole and (gaps or not reaches):
        problems.append(Problem(BETWEEN, "the chain has gaps, and the manifest says it is whole"))
    return gaps + (0 if reaches else 1)


def _check_anchor(events: Sequence[Event], anchor: Head, problems: list[Problem]) -> bool:
    """Whether its event is in the bundle; one that is not there proves nothing, for or against it."""
    known = {event.seq: event.hash for event in events} | {event.seq - 1: event.prev for event in events}
    if anchor.seq in known and known[anchor.seq] != anchor.hash:
        problems.append(Problem(EVENTS, f"event {anchor.seq} has another hash than the one kept elsewhere"))
    return anchor.seq in known
