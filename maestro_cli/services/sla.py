"""Makes the SLA report of a month, writes it in the form that a file's name asks for, and verifies bundles.

Invariant: what is written is a function of the bundle alone: made again from it, it has the same bytes.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli import __version__
from maestro_cli.config.locations import state_dir
from maestro_cli.core.archives import SUFFIXES, archive_kind, read_archive
from maestro_cli.core.errors import ActionFailed, GateNotMet, InvalidFile, NotFound, UsageError
from maestro_cli.core.files import unusable, write_atomically
from maestro_cli.core.verdict import Verdict
from maestro_cli.output.document import html_page
from maestro_cli.output.renderers.sla import sla_view
from maestro_cli.output.renderers.sla_pictures import pictures_of
from maestro_cli.output.writer import csv_of
from maestro_cli.services.excluding import exclusions_of
from maestro_cli.services.measuring import (
    MeasureWanted,
    beside_one_another,
    raw_metrics,
    store_of,
    tell_without_chunks,
    wanted_objectives,
)
from maestro_cli.services.objectives import contract_of
from maestro_cli.services.recoveries import drill_lines, incident_lines, recovered
from maestro_cli.services.signing import signer_of, trusted_keys
from maestro_cli.slo.files.contract import Contract, read_contract
from maestro_cli.slo.files.exclusions import Maintenance, excluding, read_exclusions
from maestro_cli.slo.measuring.measure import Outside
from maestro_cli.slo.measuring.window import Span, calendar_span, month_span, previous_span
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.report.build import build_report
from maestro_cli.slo.report.bundle import (
    MANIFEST,
    MOST_PERIODS,
    Verification,
    pack_bundle,
    read_packed,
    verify_bundle,
)
from maestro_cli.slo.report.model import Inputs, SlaReport, Terms
from maestro_cli.slo.report.pieces import Piece, packed_pieces
from maestro_cli.slo.report.recording import RecordingMetrics, RecordingStore
from maestro_cli.slo.report.signature import Sign, Signature, nobody_signs, signature_in
from maestro_cli.slo.report.text import report_markdown
from maestro_cli.sources.signing import fits

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

PRINTERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
_PRINT_SECONDS = 60.0
FORMS = (".md", ".html", ".pdf", ".json", ".csv", *SUFFIXES)


@dataclass(frozen=True, slots=True)
class SlaWanted:
    """What was asked for, as it was written; without a month the last one that is over."""

    month: str = ""
    zone: str = ""
    names: tuple[str, ...] = ()
    file: Path | None = None
    prometheus: str = ""
    contract: Path | None = None
    exclusions: tuple[Path, ...] = ()
    previous: int = 1
    bundle: Path | None = None
    to: tuple[Path, ...] = ()
    force: bool = False
    fresh: bool = False
    signing_key: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A report, and the pieces of time that it was made of."""

    report: SlaReport
    pieces: Callable[[], Sequence[Piece]]
    sign: Sign = nobody_signs


def make_report(services: Services, wanted: SlaWanted) -> Made:
    """Measure the month, or recompute what a bundle says, whose signature stays where nobody signs it anew.

    Of another Prometheus than the context's no incident and no drill is known.
    Raises UsageError, NotFound, InvalidFile, Unreachable and Refused.
    """
    for path in wanted.to:
        _form_of(path)  # before anything is asked
        _check_place(path, force=wanted.force)
    if wanted.bundle is not None:
        others = replace(wanted, bundle=None, to=(), force=False, signing_key=None)
        if others != SlaWanted():
            raise UsageError("a bundle says what its report is of", fix="leave out all but --from and --to")
        made = _from_bundle(wanted.bundle)
        return made if wanted.signing_key is None else replace(made, sign=_signing(services, wanted))
    asked = MeasureWanted(
        names=wanted.names, file=wanted.file, prometheus=wanted.prometheus, fresh=wanted.fresh
    )
    known = {one.name: one for one in wanted_objectives(services, asked)}
    contract = _contract(services, wanted, known)
    objectives = [known[name] for name in contract.terms.objectives or known if name in known]
    if not 0 <= wanted.previous <= MOST_PERIODS:
        raise UsageError(f"{wanted.previous} months before are too many", fix=f"0 to {MOST_PERIODS}")
    now = services.clock.now()
    asked_for = _asked_for(services, wanted, contract, objectives, now)
    span = asked_for.whole
    source = raw_metrics(services, asked)
    metrics = RecordingMetrics(source)
    zones = {asked_for.span_of(one).zone for one in objectives}
    store = RecordingStore(store_of(services, asked, source, sorted(zones)))
    is_ours = not wanted.prometheus
    earliest = _earliest(span, contract, wanted.previous)
    before = tuple(one for one in recovered(services, now) if one.at >= earliest) if is_ours else ()
    names = [one.name for one in objectives]
    out = excluding(_maintenance(services, wanted, known), earliest, span.end, names)
    inputs = replace(
        asked_for, exclusions=out.counted, waiting=out.waiting,
        incidents=incident_lines(services, span, now) if is_ours else (),
        drills=drill_lines(services, span) if is_ours else (), recovered=before,
        url=metrics.url, retention_seconds=metrics.retention_seconds(),
    )  # fmt: skip
    report = build_report(inputs, Outside(metrics, now, store, before), beside_one_another)
    tell_without_chunks(source)
    labels = sorted(metrics.label_answers, key=lambda one: (one.label, one.selector, one.start, one.end))
    asked_too = replace(report.inputs, label_values=tuple(labels))
    whole = replace(report, inputs=asked_too)
    return Made(whole, lambda: packed_pieces(store.pieces.values()), _signing(services, wanted))


def _signing(services: Services, wanted: SlaWanted) -> Sign:
    """Signs with the key that is named, else with that of this installation, which is made when it signs."""

    def sign(manifest: bytes) -> Signature:
        signer = signer_of(services.secrets, wanted.signing_key)
        return Signature(signer.public_key, signer.sign(manifest))

    return sign


def default_place(context: str, period: str) -> Path:
    """Where a report is written when nobody says where."""
    return _own_folder() / context / f"{period}.html"


def _own_folder() -> Path:
    return state_dir() / "sla"


def write_reports(made: Made, wanted: SlaWanted) -> Iterator[Path]:
    """Write every form that is wanted; raises what `write_report` raises, before the first is written."""
    for path in wanted.to:
        _check_place(path, force=wanted.force)
    for path in wanted.to:
        yield write_report(made, path, force=wanted.force)


def write_report(made: Made, path: Path, *, force: bool) -> Path:
    """Write it: the form is by the end of the name. Raises UsageError, NotFound, GateNotMet, ActionFailed."""
    _check_place(path, force=force)
    data = _form_of(path)(made)
    pictures = pictures_of(made.report) if path.suffix.lower() == ".md" else {}
    folder = path.parent / _pictures_folder(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if pictures and folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder")
        with tempfile.TemporaryDirectory(prefix=f".{path.name[:80]}.", dir=path.parent) as beside:
            for name, picture in pictures.items():
                write_atomically(Path(beside, name), picture, durable=True)
            write_atomically(path, data, durable=True, new=not force)
            for name in pictures:  # all that could fill the disk is on it
                folder.mkdir(exist_ok=True)
                os.replace(Path(beside, name), folder / name)
    except FileExistsError as error:
        _check_place(path, force=force)
        raise ActionFailed(f"the report could not be written to {path}", why=unusable(path, error)) from error
    except OSError as error:
        raise ActionFailed(
            f"the report could not be written to {path}", why=unusable(path, error), fix="--to FILE elsewhere"
        ) from error
    return path


def _check_place(path: Path, *, force: bool) -> None:
    folder = path.parent
    if not folder.exists() and not folder.is_relative_to(_own_folder()):
        raise NotFound(f"there is no folder {folder}", fix=f"mkdir -p {folder}, or --to FILE elsewhere")
    if not force and (path.exists() or path.is_symlink()):
        raise GateNotMet(
            f"{path} is there already; it was left alone", fix="name another file, or pass --force"
        )


def _pictures_folder(path: Path) -> str:
    """Named after the document, so that those of another month stay: `2026-10.pictures`."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", path.stem) + ".pictures"


def verify(path: Path, keys: tuple[str, ...] = ()) -> tuple[Verification, bool]:
    """Recompute a bundle offline; also whether a key signed it that is named or, with none, is our own.

    INDETERMINATE where keys are named, and none of them signed what else is as it should be.

    Raises NotFound, InvalidFile, UsageError.
    """
    trusted = trusted_keys(keys)
    found = verify_bundle(read_archive(path), str(path), fits)
    is_trusted = found.signed_by in trusted
    if keys and not is_trusted and found.verdict is Verdict.PASS:
        found = replace(found, verdict=Verdict.INDETERMINATE)
    return found, is_trusted


def page_of(report: SlaReport) -> str:
    """The report as one HTML page that stands alone."""
    title = f"SLA report {report.inputs.span.label or report.inputs.span}"
    return html_page(report_markdown(report), pictures_of(report), title=title)


def _from_bundle(path: Path) -> Made:
    """What is not as its manifest and its report say is not made into a document that looks right."""
    files = read_archive(path)
    found = verify_bundle(files, str(path), fits)
    if found.problems:
        raise InvalidFile(
            "is not what was measured",
            file=str(path),
            why=f"{found.problems[0].where}: {found.problems[0].text}",
            fix=f"maestro sla verify {path} tells all of it",
        )
    signature, manifest = signature_in(files), files[MANIFEST]
    pieces = read_packed(files, str(path))
    return Made(found.report, lambda: pieces, lambda data: signature if data == manifest else None)


def _contract(services: Services, wanted: SlaWanted, known: Mapping[str, Objective]) -> Contract:
    """That of the file, else the context's, else one that is about all objectives and owes nothing."""
    if wanted.contract is not None and wanted.names:
        raise UsageError("a contract names its objectives", fix="leave out the names, or --contract")
    if wanted.contract is not None:
        return read_contract(wanted.contract, known)
    found = None if wanted.prometheus or wanted.names else contract_of(services)
    return Contract(Terms()) if found is None else found


def _maintenance(
    services: Services, wanted: SlaWanted, known: Mapping[str, Objective]
) -> Sequence[Maintenance]:
    if wanted.exclusions:
        return read_exclusions(wanted.exclusions, None if wanted.names else known)
    return () if wanted.prometheus else exclusions_of(services)


def _asked_for(
    services: Services, wanted: SlaWanted, contract: Contract, objectives: Sequence[Objective], now: datetime
) -> Inputs:
    """What the report is of, before anything is asked: in the zone that was named, else in the contract's,
    else each objective in its own. Raises UsageError."""
    zone = wanted.zone or (contract.zone if contract.origin else "")
    zones = {one.calendar.zone if one.calendar is not None else "UTC" for one in objectives}
    common = zone or (zones.pop() if len(zones) == 1 else "")

    def of(before: datetime) -> Inputs:
        return Inputs(
            context="" if wanted.prometheus else services.context_name,
            span=_span(wanted, contract, common or "UTC", before), unit=contract.terms.unit,
            previous=wanted.previous, asked_at=now, terms=contract.terms, objectives=tuple(objectives),
            exclusions=(), incidents=(), drills=(), recovered=(), maestro=__version__,
            has_own_zone=not common,
        )  # fmt: skip

    found = of(now)
    if not found.is_over and not wanted.month:  # the last one is not over yet in the west
        found = of(found.span.start)
    if max((found.span_of(one).start for one in objectives), default=found.span.start) >= now:
        raise UsageError(f"{found.span.label} has not begun", fix="a month that has")
    return found


def _span(wanted: SlaWanted, contract: Contract, zone: str, now: datetime) -> Span:
    """The month that was named, else the last period of the contract that is over."""
    unit = contract.terms.unit
    if wanted.month and unit != "month":
        raise UsageError(
            f"the contract is judged by the {unit}", why="--month names a month", fix="leave out --month"
        )
    try:
        if wanted.month:
            return month_span(wanted.month, zone)
        return previous_span(calendar_span(now, unit, zone), unit)
    except ValueError as error:
        raise UsageError(str(error), fix="--month 2026-10 --zone Europe/Berlin") from error


def _earliest(span: Span, contract: Contract, previous: int) -> datetime:
    for _ in range(previous):
        span = previous_span(span, contract.terms.unit)
    return span.start - timedelta(days=1)


def _form_of(path: Path) -> Callable[[Made], bytes]:
    name = path.name.lower()
    if name.endswith(SUFFIXES):
        kind = archive_kind(name)
        return lambda made: pack_bundle(made.report, made.pieces(), kind, made.sign)
    from maestro_cli.core.canonical import canonical_json

    forms: dict[str, Callable[[Made], bytes]] = {
        ".md": lambda made: report_markdown(made.report, _pictures_folder(path)).encode(),
        ".html": lambda made: page_of(made.report).encode(),
        ".pdf": lambda made: _pdf(page_of(made.report)),
        ".csv": lambda made: f"{csv_of(sla_view(made.report))}\n".encode(),
        ".json": lambda made: f"{canonical_json(sla_view(made.report).body())}\n".encode(),
    }
    if path.suffix.lower() not in forms:
        raise UsageError(f"{path.name!r} is no form of a report", fix=f"end it in {', '.join(FORMS)}")
    return forms[path.suffix.lower()]


def _pdf(page: str) -> bytes:
    """Printed by a browser, which is given the page and nothing else. Raises NotFound, ActionFailed."""
    program = next(filter(None, map(shutil.which, PRINTERS)), None)
    if program is None:
        raise NotFound(
            "there is no browser here that prints a PDF", fix="apt-get install chromium, or --to FILE.html"
        )
    with tempfile.TemporaryDirectory(prefix="maestro-sla-") as folder:
        source, target = Path(folder, "report.html"), Path(folder, "report.pdf")
        source.write_text(page, encoding="utf-8")
        command = [
            program, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={folder}/profile", "--no-pdf-header-footer",
            f"--print-to-pdf={target}", *(["--no-sandbox"] if os.getuid() == 0 else []), source.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(  # a browser found on the path, with arguments of our own
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PRINT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ActionFailed(
                "the report could not be printed", why=str(error)[:200], fix="--to FILE.html"
            ) from error
        if done.returncode or not target.is_file():
            why = f"{program} ended with {done.returncode}"
            raise ActionFailed("the report could not be printed", why=why, fix="--to FILE.html")
        return target.read_bytes()
