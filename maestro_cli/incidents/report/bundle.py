"""An incident as one signed archive that can be verified without a journal, a cluster or a network.

Format: `.tar.gz` or `.zip` of plain files; `manifest.json` names each with its SHA-256, `manifest.sig` is
the Ed25519 signature over the bytes of the manifest (hex), `public-key` the key it was made with. The events
of the incident are in `journal/events.jsonl`, each with the hash of the event before it. What stands between
them in the chain belongs to other things; only with the whole chain is it in `journal/between.jsonl`, and
then the hashes alone prove order and completeness up to the head that the manifest names.
Invariant: the same journal, files and key give the same bytes; no path, time, user or machine gets in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maestro_cli.core.archives import MAX_ARCHIVE_BYTES, MAX_MEMBERS, MAX_TOTAL_BYTES, pack
from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.errors import ActionFailed, InvalidFile
from maestro_cli.incidents.report.export import event_lines, json_document
from maestro_cli.journal.model import Event, Head, chain_hash

SCHEMA = "maestro.dev/incident-bundle/v1"
MANIFEST, SIGNATURE, PUBLIC_KEY = "manifest.json", "manifest.sig", "public-key"
EVENTS, BETWEEN = "journal/events.jsonl", "journal/between.jsonl"
PUBLISHED = "published.md"  # the post-mortem exactly as it was published


class Signer(Protocol):
    """Signs in somebody's name; `public_key` is `ed25519:` and 64 hexadecimal digits."""

    @property
    def public_key(self) -> str: ...

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The events of an incident, those between them when the whole chain is wanted, and the head."""

    own: Sequence[Event]
    between: Sequence[Event] | None
    head: Head

    def require_intact(self, journal: str) -> None:
        """Raises InvalidFile when an event is not what was written: nothing false gets signed."""
        for event in (*self.own, *(self.between or ())):
            if hash_of(event) != event.hash:
                raise InvalidFile(
                    f"event {event.seq} is not what was written",
                    file=journal,
                    fix="maestro journal verify tells more; nothing was exported",
                )


def hash_of(event: Event) -> str:
    """What the hash of an event should be."""
    return chain_hash(
        event.seq, event.time, event.kind, event.subject, event.actor, event.prev, canonical_json(event.data)
    )


def published_sha256(own: Sequence[Event]) -> str:
    """The SHA-256 of what was published last, as the journal has it; "" when nothing was."""
    published = [event for event in own if event.kind == "incident.postmortem_published"]
    return str(published[-1].data.get("sha256", "")) if published else ""


def build(
    files: Mapping[str, str], chain: Chain, about: Mapping[str, Any], signer: Signer, kind: str
) -> bytes:
    """The bytes of the archive; `about` tells what the bundle is of.

    Raises ActionFailed when it would be larger than what is read again.
    """
    held = {path: text.encode("utf-8", "replace") for path, text in files.items()}
    held[EVENTS] = event_lines(chain.own).encode()
    if chain.between is not None:
        held[BETWEEN] = event_lines(chain.between).encode()
    manifest = {
        "schema": SCHEMA,
        **about,
        "head": chain.head,
        "events": len(chain.own),
        "whole_chain": chain.between is not None,
        "files": {
            path: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for path, data in sorted(held.items())
        },
    }
    told = json_document(manifest).encode()
    held[MANIFEST] = told
    held[SIGNATURE] = f"{signer.sign(told).hex()}\n".encode()
    held[PUBLIC_KEY] = f"{signer.public_key}\n".encode()
    if len(held) > MAX_MEMBERS:
        raise _too_large(f"{len(held)} files", f"{MAX_MEMBERS} files", chain)
    _limit(sum(map(len, held.values())), MAX_TOTAL_BYTES, "unpacked", chain)
    packed = pack(held, kind)
    _limit(len(packed), MAX_ARCHIVE_BYTES, "packed", chain)
    return packed


def _limit(size: int, limit: int, how: str, chain: Chain) -> None:
    if size > limit:
        raise _too_large(f"{size} bytes {how}", f"{limit} bytes", chain)


def _too_large(size: str, limit: str, chain: Chain) -> ActionFailed:
    whole = chain.between is not None
    return ActionFailed(
        f"the bundle would have {size}; nothing was written",
        why=f"none with more than {limit} could be verified",
        fix="leave out --whole-chain" if whole else "--as json and --as jsonl have no limit",
    )
