"""A report with all that it was made of, as one archive that recomputes it without a network.

Format: `.tar.gz` or `.zip` of `manifest.json` (SHA-256 of each file), `inputs.json` (period, objectives,
contract, exclusions, incidents, drills), `report.json` (the figures) and `pieces.msgpack` (for each query and
stretch of time the increases by minute, as `columns` packs them); `manifest.sig` and `public-key` where it is
signed. Invariant: the same inputs and pieces give the same bytes; a bundle is believed in nothing: its report
is the one that is recomputed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from maestro_cli.core.archives import MAX_ARCHIVE_BYTES, MAX_TOTAL_BYTES, pack
from maestro_cli.core.canonical import canonical_json, plain
from maestro_cli.core.errors import ActionFailed, InvalidFile
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import Kept, Key
from maestro_cli.slo.measuring.measure import Outside
from maestro_cli.slo.measuring.window import zone_named
from maestro_cli.slo.report.build import build_report
from maestro_cli.slo.report.columns import packed, unpacked
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import Inputs, SlaReport
from maestro_cli.slo.report.recording import RecordedMetrics, RecordedStore
from maestro_cli.slo.report.signature import (
    PUBLIC_KEY,
    SIGNATURE,
    Fits,
    Sign,
    fits_nothing,
    is_signed,
    nobody_signs,
    signature_files,
    signature_in,
)

SCHEMA = "maestro.dev/sla-bundle/v2"
MANIFEST, INPUTS, REPORT, PIECES = "manifest.json", "inputs.json", "report.json", "pieces.msgpack"
MAX_PROBLEMS = 100
MOST_PERIODS = 24
MOST_OBJECTIVES = 1000
LONGEST_PERIOD = timedelta(days=367)


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A piece of time in a bundle, packed, with what it answers."""

    key: Key
    kept: Kept


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the manifest says, or not as it is when it is recomputed."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """PASS when every file is as the manifest says and the report is what recomputing gives.

    `digest` is the SHA-256 of the manifest: who was told it elsewhere knows that nothing was exchanged.
    `signed_by` is the public key that it was signed with; "" where nobody signed it.
    """

    verdict: Verdict
    digest: str
    report: SlaReport
    problems: tuple[Problem, ...]
    signed_by: str = ""


def pack_bundle(
    report: SlaReport, pieces: Iterable[tuple[Key, Kept]], kind: str, sign: Sign = nobody_signs
) -> bytes:
    """The bytes of the archive; `kind` is `.tar.gz` or `.zip`.

    Raises ActionFailed when it would be larger than what is read again: it could not be verified.
    """
    inputs = msgspec.to_builtins(report.inputs)
    files = {
        INPUTS: _json(inputs),
        REPORT: _json(report_document(report)),
        PIECES: msgspec.msgpack.encode(
            [
                Piece(key, msgspec.structs.replace(kept, piece=packed(kept.piece)))
                for key, kept in sorted(pieces, key=lambda pair: pair[0].name)
            ]
        ),
    }
    files[MANIFEST] = _json(
        {
            "schema": SCHEMA,
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
        }
    )
    signature = sign(files[MANIFEST])
    whole = files if signature is None else files | signature_files(signature)
    _limit(sum(map(len, whole.values())), MAX_TOTAL_BYTES, "unpacked")
    archive = pack(whole, kind)
    _limit(len(archive), MAX_ARCHIVE_BYTES, "packed")
    return archive


def _limit(size: int, limit: int, how: str) -> None:
    if size > limit:
        raise ActionFailed(
            f"the bundle would have {size} bytes {how}; nothing was written",
            why=f"none with more than {limit} bytes could be verified",
            fix="a smaller --previous, or a contract of fewer objectives; --to FILE.json has no limit",
        )


def recompute(files: Mapping[str, bytes], file: str) -> SlaReport:
    """The report that a bundle gives. Raises InvalidFile for what is no bundle, and for what is missing."""
    inputs = _decoded(files, INPUTS, file, lambda data: msgspec.json.decode(data, type=Inputs))
    _check_spans(inputs, file)
    pieces = _packed_pieces(files, file)
    outside = Outside(
        metrics=RecordedMetrics(inputs, file),
        now=inputs.asked_at,
        store=RecordedStore({one.key.name: one.kept for one in pieces}, unpacked),
        recovered=inputs.recovered,
    )
    try:
        return build_report(inputs, outside)
    except (ArithmeticError, TypeError, ValueError, LookupError) as error:  # what nobody measured
        raise _refused(file, "cannot be recomputed", str(error)[:200]) from error


def _check_spans(inputs: Inputs, file: str) -> None:
    """Refuse what would be measured for ever. Raises InvalidFile."""
    span, zones = inputs.span, (inputs.span.start.tzinfo, inputs.span.end.tzinfo, inputs.asked_at.tzinfo)
    if None in zones or not 0 <= inputs.previous <= MOST_PERIODS:
        raise _refused(file, "cannot be recomputed", "its period is none")
    try:
        zone_named(span.zone)
    except ValueError as error:
        raise _refused(file, "cannot be recomputed", str(error)) from error
    if len(inputs.objectives) > MOST_OBJECTIVES:
        raise _refused(file, "cannot be recomputed", f"over {MOST_OBJECTIVES} objectives")
    if not timedelta(0) < span.end - span.start <= LONGEST_PERIOD:
        raise _refused(file, "cannot be recomputed", "its period is empty, or longer than a year")


def read_pieces(files: Mapping[str, bytes], file: str) -> tuple[tuple[Key, Kept], ...]:
    """What was measured of each stretch of time; raises InvalidFile."""
    try:
        return tuple(
            (one.key, msgspec.structs.replace(one.kept, piece=unpacked(one.kept.piece)))
            for one in _packed_pieces(files, file)
        )
    except ValueError as error:
        raise _refused(file, f"has a {PIECES} that cannot be read", str(error)[:200]) from error


def _packed_pieces(files: Mapping[str, bytes], file: str) -> list[Piece]:
    found: list[Piece] = _decoded(
        files, PIECES, file, lambda data: msgspec.msgpack.decode(data, type=list[Piece])
    )
    return found


def verify_bundle(files: Mapping[str, bytes], file: str, fits: Fits = fits_nothing) -> Verification:
    """Compare the files with the manifest, and the report with what recomputing gives; raises InvalidFile."""
    problems = list(_check_files(files, file))
    signature = signature_in(files)
    has_signed = signature is not None and fits(signature.public_key, signature.value, files[MANIFEST])
    if is_signed(files) and not has_signed:
        problems.append(Problem(SIGNATURE, "the signature does not fit the manifest"))
    report = recompute(files, file)
    stated = _decoded(files, REPORT, file, json.loads)
    problems += differences(stated, plain(report_document(report)))
    digest = hashlib.sha256(files.get(MANIFEST, b"")).hexdigest()
    verdict = Verdict.FAIL if problems else Verdict.PASS
    signed_by = signature.public_key if signature is not None and has_signed else ""
    return Verification(verdict, digest, report, tuple(problems[:MAX_PROBLEMS]), signed_by)


def differences(stated: Any, found: Any, where: str = "") -> list[Problem]:
    """Where two JSON documents differ, by the path to it; what is stated first."""
    if isinstance(stated, dict) and isinstance(found, dict):
        told: list[Problem] = []
        for key in sorted({*stated, *found}, key=str):
            at = f"{where}.{key}" if where else str(key)
            if key not in stated or key not in found:
                told.append(Problem(at, "is missing" if key not in stated else "is not part of it"))
            else:
                told += differences(stated[key], found[key], at)
        return told
    if isinstance(stated, list) and isinstance(found, list) and len(stated) == len(found):
        return [
            each
            for index, pair in enumerate(zip(stated, found, strict=True))
            for each in differences(*pair, f"{where}[{index}]")
        ]
    if stated == found and type(stated) is type(found):
        return []
    return [Problem(where, f"it says {_short(stated)}, recomputed it is {_short(found)}")]


def _check_files(files: Mapping[str, bytes], file: str) -> Iterable[Problem]:
    manifest = _decoded(files, MANIFEST, file, json.loads)
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(listed, dict) or manifest.get("schema") != SCHEMA:
        raise _refused(file, "is not the bundle of an SLA report", "its manifest is another")
    for name in sorted({*listed, *files} - {MANIFEST, SIGNATURE, PUBLIC_KEY}):
        if name not in files:
            yield Problem(name, "is missing")
        elif name not in listed:
            yield Problem(name, "is not in the manifest")
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            yield Problem(name, "is not what the manifest says")


def _decoded(files: Mapping[str, bytes], name: str, file: str, decode: Callable[[bytes], Any]) -> Any:
    if name not in files:
        raise _refused(file, "is not the bundle of an SLA report", f"it has no {name}")
    try:
        return decode(files[name])
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _refused(file, f"has a {name} that cannot be read", str(error)[:200]) from error


def _refused(file: str, what: str, why: str) -> InvalidFile:
    return InvalidFile(what, file=file, why=why, fix="ask who made it for it again")


def _json(value: Any) -> bytes:
    return f"{canonical_json(value)}\n".encode("utf-8", "replace")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
