"""Writes and publishes the post-mortem of an incident, with what it cost and the metrics around it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import state_dir
from maestro_cli.config.settings import Context
from maestro_cli.core.errors import ActionFailed, GateNotMet, NotFound, UsageError
from maestro_cli.core.files import open_file, unusable
from maestro_cli.incidents.desk.writing import DeskPolicy
from maestro_cli.incidents.model import Incident, State
from maestro_cli.incidents.report.human import PLACEHOLDER, sections_to_fill, without_marks
from maestro_cli.incidents.report.postmortem import PostMortem, PostMortemFile
from maestro_cli.incidents.report.record_text import pictures_folder
from maestro_cli.incidents.report.review import review
from maestro_cli.incidents.report.story import Story
from maestro_cli.incidents.report.surroundings import measure_surroundings, needs_measuring
from maestro_cli.incidents.triage.investigate import Triage, TriageSettings
from maestro_cli.incidents.triage.queries import INFERENCE
from maestro_cli.output.document import html_page
from maestro_cli.output.plots import Mark, Plot, svg
from maestro_cli.runbooks.lint import Finding
from maestro_cli.services.incident_credit import measure_credit

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

FORMS = ("md", "html")
_MAX_DOCUMENT_BYTES = 4 << 20


def write_postmortem(
    services: Services, ref: str, path: Path | None, *, form: str = "md", force: bool, beside: bool
) -> Path:
    """Write it to `path`, by default `postmortems/<context>/<id>.md` in the state folder.

    What is not known of the impact and the metrics around it is measured first, while the incident is not
    published. The Markdown of a drill and of an incident that is not grave is published with it; that of a
    grave one by people. `force` and `beside` say what becomes of a file that somebody has edited: see
    `PostMortem.place`.
    """
    if form not in FORMS:
        raise UsageError(f"{form!r} is not a form of a post-mortem", fix=f"--format {' or '.join(FORMS)}")
    incident = services.desk.get(ref)
    wanted = path or default_place(services, incident, form)
    if wanted.is_symlink():
        wanted = _followed(wanted)  # the link stays, and what it leads to is written
    postmortem = postmortem_of(services)
    target = postmortem.place(incident.id, wanted, force=force, beside=beside)
    _measure(services, incident)
    if form == "html":
        return _write_page(services, postmortem, incident, target)
    written = postmortem.write(incident.id, target, afresh=force)
    story = postmortem.story(incident.id)
    for name, picture in pictures_of(story).items():
        postmortem.keep_picture(target.parent / pictures_folder(story) / name, picture)
    if incident.state is State.RESOLVED and (
        incident.drill or incident.severity not in DeskPolicy().postmortem_for
    ):
        _publish_as_written(services, incident, written)
    return written.path


def _followed(link: Path) -> Path:
    try:
        return link.resolve()
    except (OSError, RuntimeError) as error:
        raise ActionFailed(
            f"the post-mortem could not be written to {link}",
            why="it is a link that leads back to itself",
            fix="choose another place: --to FILE",
        ) from error


def postmortem_of(services: Services) -> PostMortem:
    return PostMortem(services.journal, services.clock, services.actor, costs=_context(services).costs)


def _context(services: Services) -> Context:
    """The context; an empty one where only its journal is left, as that of a platform that is down."""
    return services.settings.contexts.get(services.context_name, Context())


def default_place(services: Services, incident: Incident, form: str) -> Path:
    return state_dir() / "postmortems" / services.context_name / f"{incident.id}.{form}"


def markdown_of(services: Services, incident: Incident) -> Path:
    """The Markdown that was written last, else where it would be."""
    return postmortem_of(services).last_markdown(incident.id) or default_place(services, incident, "md")


def _measure(services: Services, incident: Incident) -> None:
    """Needs no cluster: what can be written by hand is written by hand."""
    desk = services.desk
    context = _context(services)
    metrics = services.prometheus if context.prometheus is not None else None
    if incident.state is State.RESOLVED:
        settings = TriageSettings(
            objectives=tuple(services.objectives.values()) if context.objectives else ()
        )
        triage = Triage(None, metrics, services.clock, settings=settings)
        measured = [triage.measure_impact(incident, desk.signals(incident.id))]
        if context.contract and metrics is not None and not incident.drill:
            credit = measure_credit(services, incident, services.clock.now())
            measured += [credit] if credit is not None else []
        desk.record_evidence(incident.id, measured)
    now = services.clock.now()
    if needs_measuring(incident, desk.timeline(incident.id), now):
        found = measure_surroundings(metrics, INFERENCE, incident, now)
        desk.record_evidence(incident.id, [found])


def _publish_as_written(services: Services, incident: Incident, written: PostMortemFile) -> None:
    why = "a drill" if incident.drill else ""
    services.desk.publish_postmortem(
        incident.id,
        path=str(written.path),
        sha256=written.sha256,
        to_fill=written.to_fill,
        force=bool(why),
        reason=why,
    )


def _write_page(services: Services, postmortem: PostMortem, incident: Incident, target: Path) -> Path:
    """One HTML file, with the words that people wrote in the Markdown beside it, or in the last one."""
    sources = (target.with_suffix(".md"), markdown_of(services, incident))
    found = (postmortem.written_by_people(incident.id, source) for source in sources)
    text = postmortem.render(incident.id, next((parts for parts in found if parts is not None), None))
    title = f"Post-mortem of incident {incident.number}"
    pictures = pictures_of(postmortem.story(incident.id))
    page = html_page(without_marks(text), pictures, title=title, placeholder=PLACEHOLDER)
    return postmortem.keep(incident.id, target, page, to_fill=sections_to_fill(text)).path


def pictures_of(story: Story) -> dict[str, str]:
    """The plots of a post-mortem, SVG by file name; none without metrics."""
    read = story.surroundings
    if read is None:
        return {}
    over = story.incident.times.resolved_at or read.end
    return {
        f"{reading.name}.svg": svg(
            Plot(
                title=reading.title,
                unit=reading.unit,
                points=[(at.timestamp(), value) for at, value in reading.points],
                start=read.start.timestamp(),
                end=read.end.timestamp(),
                gap_seconds=2.5 * read.step_seconds,
                marks=[Mark(one.at.timestamp(), one.label) for one in story.moments],
                band=(story.incident.times.started_at.timestamp(), over.timestamp()),
            )
        )
        for reading in read.readings
        if reading.points
    }


def review_postmortem(services: Services, ref: str, path: Path | None) -> tuple[Finding, ...]:
    """What the written post-mortem lacks; raises NotFound when it was not written."""
    incident = services.desk.get(ref)
    place = path or markdown_of(services, incident)
    return review(_read(place, incident).decode("utf-8", "replace"), str(place))


def publish_postmortem(
    services: Services, ref: str, path: Path | None, *, force: bool, reason: str
) -> Incident:
    """Record that the Markdown at `path` is out, as it stands there; see `desk.publish_postmortem`."""
    incident = services.desk.get(ref)
    place = path or markdown_of(services, incident)
    if place.suffix.lower() in (".html", ".htm"):
        raise UsageError("the Markdown is published, not a page made of it", fix="--to FILE.md")
    data = _read(place, incident)
    lacking = [one for one in review(data.decode("utf-8", "replace"), str(place)) if one.level == "error"]
    return services.desk.publish_postmortem(
        incident.id,
        path=str(place),
        sha256=hashlib.sha256(data).hexdigest(),
        to_fill=len(lacking),
        force=force,
        reason=reason,
    )


def _read(path: Path, incident: Incident) -> bytes:
    try:
        with open_file(path) as stream:
            data = stream.read(_MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise NotFound(
            f"the post-mortem {path} cannot be read",
            why=unusable(path, error),
            fix=f"maestro incident postmortem {incident.number} --to FILE writes it",
        ) from error
    if len(data) > _MAX_DOCUMENT_BYTES:
        raise GateNotMet(f"{path} is too large for a post-mortem", why="it is over 4 MiB")
    return data
