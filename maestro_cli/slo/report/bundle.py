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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from maestro_cli.core.archives import MAX_ARCHIVE_BYTES, MAX_TOTAL_BYTES, pack
from maestro_cli.core.canonical import canonical_json, plain
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import ActionFailed, InvalidFile
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.keeping import Kept
from maestro_cli.slo.measuring.measure import Outside
from maestro_cli.slo.measuring.window import zone_named
from maestro_cli.slo.report.build import build_report
from maestro_cli.slo.report.document import report_document
from maestro_cli.slo.report.model import Inputs, SlaReport
from maestro_cli.slo.report.pieces import (
    MOST_PIECE_BYTES,
    MOST_PIECES,
    Piece,
    read_pieces,
    unpacked_piece,
    write_pieces,
)
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
OF_ZONES = "maestro.dev/sla-bundle/v3"  # of objectives with zones of their own, which v2 knows nothing of
MANIFEST, INPUTS, REPORT, PIECES = "manifest.json", "inputs.json", "report.json", "pieces.msgpack"
MAX_PROBLEMS = 100
MOST_PERIODS = 24
MOST_OBJECTIVES = 1000
LONGEST_PERIOD = timedelta(days=367)
MOST_DAYS = 65_000  # of all objectives and periods: each has 24 KB of minutes in memory
MOST_BYTES = {MANIFEST: 1 << 20, INPUTS: 16 << 20}  # unpacked, read they have many times as many


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


def pack_bundle(report: SlaReport, pieces: Iterable[Piece], kind: str, sign: Sign = nobody_signs) -> bytes:
    """The bytes of the archive; `kind` is `.tar.gz` or `.zip`.

    Raises ActionFailed when it would be larger than what is read again: it could not be verified.
    """
    needed = _needed(report.inputs, list(pieces))
    _limit(_days(report.inputs), MOST_DAYS, "days of objectives")
    _limit(len(needed), MOST_PIECES, "pieces of time")
    _limit(max((one.size_bytes for one in needed), default=0), MOST_PIECE_BYTES, "bytes in a piece of time")
    files = {
        INPUTS: _json(_stated(report.inputs)),
        REPORT: _json(report_document(report)),
        PIECES: write_pieces(needed),
    }
    files[MANIFEST] = _json(
        {
            "schema": OF_ZONES if report.inputs.has_own_zone else SCHEMA,
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
        }
    )
    signature = sign(files[MANIFEST])
    whole = files if signature is None else files | signature_files(signature)
    _limit(len(files[INPUTS]), MOST_BYTES[INPUTS], f"bytes of {INPUTS}")
    _limit(sum(map(len, whole.values())), MAX_TOTAL_BYTES, "bytes unpacked")
    archive = pack(whole, kind)
    _limit(len(archive), MAX_ARCHIVE_BYTES, "bytes packed")
    return archive


def _stated(inputs: Inputs) -> dict[str, Any]:
    """With one zone as it ever was, so that a bundle that is made again keeps its bytes and its signature."""
    told: dict[str, Any] = msgspec.to_builtins(inputs)
    if not inputs.has_own_zone:
        del told["has_own_zone"]
    return told


def _needed(inputs: Inputs, pieces: Sequence[Piece]) -> list[Piece]:
    """Without those that were asked for alone for what then could not be measured, by their names."""
    found = sorted(pieces, key=lambda one: one.key.name)
    if not (inputs.unmeasured or inputs.undistributed):
        return found
    _, asked = _recomputed(inputs, found, "the bundle")
    return [one for one in found if one.key.name in asked]


def _limit(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise ActionFailed(
            f"the bundle would have {size} {what}; nothing was written",
            why=f"none with more than {limit} could be verified",
            fix="a smaller --previous, or a contract of fewer objectives; --to FILE.json has no limit",
        )


def recompute(files: Mapping[str, bytes], file: str) -> SlaReport:
    """The report that a bundle gives. Raises InvalidFile for what is no bundle, and for what is missing."""
    report, _ = _recomputed(_inputs(files, file), read_packed(files, file), file)
    return report


def read_packed(files: Mapping[str, bytes], file: str) -> list[Piece]:
    """The pieces of a bundle as they are in it; raises InvalidFile."""
    found: list[Piece] = _decoded(files, PIECES, file, read_pieces)
    return found


def _inputs(files: Mapping[str, bytes], file: str) -> Inputs:
    inputs: Inputs = _decoded(files, INPUTS, file, lambda data: msgspec.json.decode(data, type=ready(Inputs)))
    _check_spans(inputs, file)
    return inputs


def _recomputed(inputs: Inputs, pieces: Sequence[Piece], file: str) -> tuple[SlaReport, set[str]]:
    """The report, and the names of the pieces that it asked for."""

    def unpack(piece: Piece) -> Kept:
        try:
            return unpacked_piece(piece)
        except (ValueError, msgspec.MsgspecError) as error:
            raise _refused(file, f"has a {PIECES} that cannot be read", str(error)[:200]) from error

    store = RecordedStore({one.key.name: one for one in pieces}, unpack)
    outside = Outside(RecordedMetrics(inputs, file), inputs.asked_at, store, inputs.recovered)
    try:
        return build_report(inputs, outside), store.asked
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
    if _days(inputs) > MOST_DAYS:
        raise _refused(file, "cannot be recomputed", f"over {MOST_DAYS} days of objectives")


def _days(inputs: Inputs) -> int:
    """How many days are measured, those of each objective and period."""
    return len(inputs.objectives) * (1 + inputs.previous) * ((inputs.span.end - inputs.span.start).days + 1)


def verify_bundle(files: Mapping[str, bytes], file: str, fits: Fits = fits_nothing) -> Verification:
    """Compare the files with the manifest, and the report with what recomputing gives; raises InvalidFile."""
    problems = list(_check_files(files, file))
    signature = signature_in(files)
    has_signed = signature is not None and fits(signature.public_key, signature.value, files[MANIFEST])
    if is_signed(files) and not has_signed:
        problems.append(Problem(SIGNATURE, "the signature does not fit the manifest"))
    pieces = read_packed(files, file)
    report, asked = _recomputed(_inputs(files, file), pieces, file)
    if len(pieces) > len(asked):
        problems.append(
            Problem(PIECES, f"{len(pieces) - len(asked)} pieces that the report does not rest on")
        )
    problems += _check_report(files, file, report)
    digest = hashlib.sha256(files.get(MANIFEST, b"")).hexdigest()
    verdict = Verdict.FAIL if problems else Verdict.PASS
    signed_by = signature.public_key if signature is not None and has_signed else ""
    return Verification(verdict, digest, report, tuple(problems[:MAX_PROBLEMS]), signed_by)


def _check_report(files: Mapping[str, bytes], file: str, report: SlaReport) -> Iterable[Problem]:
    document = report_document(report)
    found, stated = _json(document), files.get(REPORT)
    if stated == found:
        return ()
    if stated is not None and len(stated) > 2 * len(found):  # no figure that is another makes it that large
        return (Problem(REPORT, f"it has {len(stated)} bytes, recomputed it has {len(found)}"),)
    return differences(_decoded(files, REPORT, file, json.loads), plain(document))


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
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    is_read = schema in (SCHEMA, OF_ZONES)
    if isinstance(schema, str) and not is_read and schema.startswith(SCHEMA.rpartition("/")[0] + "/"):
        why = f"it is of the schema {schema[:60]}, and this maestro reads {SCHEMA} and {OF_ZONES}"
        fix = "verify it with the maestro that its inputs.json names, or make the report again"
        raise InvalidFile("is a bundle of another version", file=file, why=why, fix=fix)
    if not isinstance(listed, dict) or not is_read:
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
    if len(files[name]) > MOST_BYTES.get(name, MAX_TOTAL_BYTES):
        raise _refused(file, f"has a {name} of {len(files[name])} bytes", "no report has as much to say")
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
