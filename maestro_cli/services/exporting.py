"""Exports an incident for other programs and as a signed bundle, and verifies bundles."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli import __version__
from maestro_cli.core.archives import archive_kind, read_archive
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import ActionFailed, GateNotMet, UsageError
from maestro_cli.core.files import open_file, unusable, write_atomically
from maestro_cli.incidents.model import Incident
from maestro_cli.incidents.report import bundle
from maestro_cli.incidents.report.bundle_check import BundleReport, check
from maestro_cli.incidents.report.export import (
    cloudevent_lines,
    json_document,
    json_line,
    postmortem_document,
    timeline_lines,
)
from maestro_cli.incidents.report.human import PLACEHOLDER, without_marks
from maestro_cli.incidents.report.record_text import pictures_folder
from maestro_cli.incidents.timeline import events_of
from maestro_cli.journal.model import Event
from maestro_cli.journal.verification import parse_anchor
from maestro_cli.output.document import html_page
from maestro_cli.services.reporting import markdown_of, pictures_of, postmortem_of
from maestro_cli.services.signing import signer_of, trusted_keys
from maestro_cli.sources.signing import fits

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

FORMS = ("json", "jsonl", "cloudevents")
MAX_PUBLISHED_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written."""

    path: Path
    incident: str
    sha256: str
    bytes: int
    events: int
    whole_chain: bool
    key: str


def export_text(services: Services, ref: str, form: str) -> str:
    """The incident as one JSON document, or its timeline line by line; raises NotFound, UsageError."""
    incident = services.desk.get(ref)
    if form == "json":
        postmortem = postmortem_of(services)
        written = _written(services, incident)
        return json_document(postmortem_document(postmortem.story(incident.id), written))
    events = events_of(services.journal, incident.id)
    if form == "jsonl":
        return timeline_lines(events)
    if form == "cloudevents":
        return cloudevent_lines(events, incident_id=incident.id, context=services.context_name)
    raise UsageError(
        f"{form!r} is not a form of an export", fix=f"--as {', '.join(FORMS)}, or --to FILE.tar.gz"
    )


def export_to(services: Services, text: str, path: Path, *, force: bool) -> None:
    """Put an export into a file that is not there yet; raises GateNotMet, ActionFailed."""
    _write(path, text.encode(), force=force)


def export_bundle(
    services: Services, ref: str, path: Path, *, whole_chain: bool, signing_key: str | None, force: bool
) -> Exported:
    """Write the signed bundle of an incident, with what people wrote in the Markdown that was written last.

    Raises NotFound, UsageError, InvalidFile, GateNotMet, ActionFailed.
    """
    kind = archive_kind(path.name)
    incident = services.desk.get(ref)
    signer = signer_of(services.secrets, signing_key)
    own = events_of(services.journal, incident.id)
    head = services.journal.head()
    between = _between(services, own, head.seq) if whole_chain else None
    chain = bundle.Chain(own, between, head)
    chain.require_intact(str(services.journal.path))
    about = {
        "incident": incident.id,
        "number": incident.number,
        "context": services.context_name,
        "made_by": f"maestro {__version__}",
    }
    data = bundle.build(_files(services, incident, own), chain, about, signer, kind)
    _write(path, data, force=force)
    return Exported(
        path,
        incident.id,
        hashlib.sha256(data).hexdigest(),
        len(data),
        len(own),
        whole_chain,
        signer.public_key,
    )


def _between(services: Services, own: tuple[Event, ...], last: int) -> list[Event]:
    """The events of the chain from the first of the incident to the head that are not its own."""
    first = own[0].seq if own else last
    mine = {event.seq for event in own}
    chain = services.journal.events(after=first - 1, limit=last - first + 1)
    return [event for event in chain if event.seq not in mine]


def _files(services: Services, incident: Incident, own: tuple[Event, ...]) -> dict[str, str]:
    """The documents of a bundle, as of the last event of the incident: made again, they are the same."""
    postmortem = postmortem_of(services)
    now = from_rfc3339(own[-1].time) if own else services.clock.now()
    written = _written(services, incident)
    story = postmortem.story(incident.id, now=now)
    text = postmortem.render(incident.id, written, now=now)
    pictures = pictures_of(story)
    title = f"Post-mortem of incident {incident.number}"
    files = {
        **_published(services, own),
        "postmortem.md": text,
        "postmortem.html": html_page(without_marks(text), pictures, title=title, placeholder=PLACEHOLDER),
        "postmortem.json": json_document(postmortem_document(story, written)),
        "timeline.jsonl": timeline_lines(own),
        "timeline.cloudevents.jsonl": cloudevent_lines(
            own, incident_id=incident.id, context=services.context_name
        ),
        "evidence.jsonl": "".join(
            f"{json_line({'seq': event.seq, **event.data})}\n"
            for event in own
            if event.kind == "incident.evidence"
        ),
        "metrics.json": json_document(story.surroundings),
    }
    return files | {f"{pictures_folder(story)}/{name}": picture for name, picture in pictures.items()}


def _written(services: Services, incident: Incident) -> dict[str, str]:
    """What people wrote, without the secrets that the context knows."""
    place = markdown_of(services, incident)
    found = postmortem_of(services).written_by_people(incident.id, place) or {}
    return {name: services.redactor.clean(words) for name, words in found.items()}


def _published(services: Services, own: tuple[Event, ...]) -> dict[str, str]:
    """The post-mortem as it was published; nothing when that text is not there any more or holds a secret."""
    wanted = bundle.published_sha256(own)
    if not wanted:
        return {}
    last = [event for event in own if event.kind == "incident.postmortem_published"][-1]
    try:
        with open_file(Path(str(last.data["path"]))) as stream:
            data = stream.read(MAX_PUBLISHED_BYTES)
        text = data.decode()
    except (OSError, ValueError):
        return {}
    is_whole = hashlib.sha256(data).hexdigest() == wanted and services.redactor.clean(text) == text
    return {bundle.PUBLISHED: text} if is_whole else {}


def _write(path: Path, data: bytes, *, force: bool) -> None:
    try:
        if not force and (path.exists() or path.is_symlink()):
            raise GateNotMet(
                f"{path} is there already; it was left alone", fix="name another file, or pass --force"
            )
        write_atomically(path, data, durable=True)
    except OSError as error:
        raise ActionFailed(
            f"the export could not be written to {path}", why=unusable(path, error), fix="--to FILE elsewhere"
        ) from error


def verify_bundle(path: Path, *, keys: tuple[str, ...], anchor: str | None) -> BundleReport:
    """What a bundle proves against the keys that are trusted; with none, against this machine's own.

    Needs no context, no journal and no network. Raises NotFound, InvalidFile, UsageError.
    """
    head = parse_anchor(anchor) if anchor is not None else None
    return check(read_archive(path), fits, trusted=trusted_keys(keys), anchor=head)
