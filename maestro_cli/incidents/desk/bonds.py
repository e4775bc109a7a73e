"""What ties an incident to another one: links and merges.

Invariant: an incident goes into one that is open, and once, so that no merge makes a cycle; what was
appended for it is one event, whole or not there.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from maestro_cli.core.errors import GateNotMet, NotFound, UsageError
from maestro_cli.incidents.desk.writing import Writing, require, require_not_merged
from maestro_cli.incidents.intake.correlation import capped
from maestro_cli.incidents.merging import merge_events
from maestro_cli.incidents.model import Incident, Link, LinkKind
from maestro_cli.incidents.register import Reads, find_incident, links_of

MAX_URL_CHARACTERS = 2000


class Bonds(Writing):
    """Links incidents, and merges one into another."""

    def links(self, ref: str) -> tuple[Link, ...]:
        """From both ends, oldest first."""
        return links_of(self._journal, find_incident(self._journal, ref).id)

    def link(
        self,
        ref: str,
        target: str,
        *,
        kind: LinkKind = LinkKind.RELATED,
        note: str = "",
        expected_seq: int | None = None,
    ) -> Incident:
        """Link with another incident, or with a page by its http(s) address; the same link again replaces it.

        Raises UsageError for a link with itself or an address that is none, GateNotMet where one of both was
        merged.
        """
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            end = _other_end(transaction, incident, target)
            if end["other"]:
                require_not_merged(transaction, find_incident(transaction, end["other"]))
            _require_address(end["url"])
            data = {"number": incident.number, "kind": kind, "note": capped(note, 500), **end}
            self._append(transaction, "incident.linked", incident.id, data)
            return find_incident(transaction, incident.id)

    def unlink(self, ref: str, target: str, *, expected_seq: int | None = None) -> Incident:
        """Take every link with that incident or page away. Raises NotFound when there is none."""
        with self._journal.transaction() as transaction:
            incident = self._seen(transaction, ref, expected_seq)
            end = _other_end(transaction, incident, target)
            if not any(
                link.target in (end["other"], end["url"]) for link in links_of(transaction, incident.id)
            ):
                raise NotFound(f"incident #{incident.number} has no link with {end['words']}")
            self._append(transaction, "incident.unlinked", incident.id, {"number": incident.number, **end})
            return find_incident(transaction, incident.id)

    def merge(
        self,
        ref: str,
        into: str,
        *,
        reason: str = "",
        expected_seq: int | None = None,
        expected_into_seq: int | None = None,
    ) -> Incident:
        """Any open state → merged; returns the survivor, which takes its signals, links and timeline.

        Later signals of its key go to the survivor, which has the graver severity of both from now on.
        """
        with self._journal.transaction() as transaction:
            gone = self._seen(transaction, ref, expected_seq)
            stays = self._seen_or_merged(transaction, into, expected_into_seq)
            _require_mergeable(gone, stays)
            require(gone, "incident.merged")
            for kind, incident, data in merge_events(gone, stays, reason):
                self._append(transaction, kind, incident, data)
            return find_incident(transaction, stays.id)


def _require_mergeable(gone: Incident, stays: Incident) -> None:
    what = f"incident #{gone.number} cannot be merged into #{stays.number}"
    if gone.id == stays.id:
        raise UsageError(f"incident #{gone.number} cannot be merged into itself")
    if stays.merged_into == gone.id:
        raise GateNotMet(what, why=f"#{stays.number} was merged into #{gone.number}: that would be a cycle")
    if not stays.state.is_open:
        raise GateNotMet(
            what,
            why=f"#{stays.number} is {stays.state.value}, and what takes signals has to be open",
            fix=f"maestro incident show {stays.merged_into or stays.number}",
        )
    if gone.drill is not stays.drill:
        raise GateNotMet(what, why="one of them belongs to a drill, and would count in the other's figures")


def _other_end(reads: Reads, incident: Incident, target: str) -> dict[str, Any]:
    """Of a link: `other`, the id of an incident, or `url`; `words` say it."""
    if "://" in target:
        if not _is_address(target.strip()):
            raise _no_address(target)
        return {"other": "", "url": target.strip(), "words": target.strip()}
    other = find_incident(reads, target)
    if other.id == incident.id:
        raise UsageError(f"incident #{incident.number} cannot be linked with itself")
    return {"other": other.id, "url": "", "words": f"#{other.number}"}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # half a pair of brackets
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= MAX_URL_CHARACTERS


def _require_address(url: str) -> None:
    """Of a new link; one that was made with a blank in it can still be taken away."""
    if " " in url or not url.isprintable():
        raise _no_address(url)


def _no_address(target: str) -> UsageError:
    return UsageError(
        f"{target[:100]!r} is not the address of a page",
        fix="http://… or https://… without blanks, or another incident",
    )
