"""Writes the post-mortem of an incident, with what it cost the users, and publishes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.config.locations import state_dir
from maestro_cli.incidents.model import State
from maestro_cli.incidents.report.postmortem import PostMortem

if TYPE_CHECKING:
    from maestro_cli.services.root import Services


def write_postmortem(services: Services, ref: str, path: Path | None, *, force: bool, beside: bool) -> Path:
    """Write it to `path`, by default `postmortems/<context>/<id>.md` in the state folder.

    The impact is measured first while the incident is not published; a published one is only rewritten.
    `force` and `beside` say what becomes of a file that somebody has edited: see `PostMortem.place`.
    """
    desk = services.desk
    incident = desk.get(ref)
    wanted = path or state_dir() / "postmortems" / services.context_name / f"{incident.id}.md"
    if wanted.is_symlink():
        wanted = wanted.resolve()  # the link stays, and what it leads to is written
    postmortem = PostMortem(services.journal, services.clock, services.actor, costs=services.context.costs)
    target = postmortem.place(incident.id, wanted, force=force, beside=beside)
    if incident.state is State.RESOLVED:
        desk.record_evidence(
            incident.id, [services.triage.measure_impact(incident, desk.signals(incident.id))]
        )
    written = postmortem.write(incident.id, target)
    if incident.state is State.RESOLVED:
        desk.publish_postmortem(incident.id, path=str(written.path), sha256=written.sha256)
    return written.path
