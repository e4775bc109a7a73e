"""Fields that a kind has not: refused, warned of, or ignored, as `fieldValidation` asks.

Invariant: whatever is asked, such a field is never stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from maestro_cli.local.cluster.http import Answer, Request
from maestro_cli.local.cluster.kinds import Kind
from maestro_cli.local.cluster.status import (
    ApiError,
    Names,
    bad_request,
    invalid,
    invalid_value,
    unsupported,
)

_DIRECTIVES = ("Ignore", "Strict", "Warn")


@dataclass(slots=True)
class UnknownFields:
    """What one write does about them; called with their paths before anything is stored."""

    kind: Kind
    directive: str
    is_patch: bool
    paths: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: Request, kind: Kind) -> UnknownFields:
        """As the request asks; to warn is the default. Raises ApiError 422."""
        directive = request.query.get("fieldValidation") or "Warn"
        if directive not in _DIRECTIVES:
            problem = unsupported("fieldValidation", directive, _DIRECTIVES)
            raise invalid(Names("meta.k8s.io", "", f"{request.method.title()}Options"), "", [problem])
        return cls(kind, directive, request.method == "PATCH")

    def __call__(self, paths: list[str]) -> None:
        """Raises ApiError when the request is strict: 422 for a patch, else 400."""
        if self.directive == "Strict":
            raise self._refusal(paths)
        self.paths = paths

    def _refusal(self, paths: list[str]) -> ApiError:
        told = "strict decoding error: " + ", ".join(f'unknown field "{path}"' for path in paths)
        if self.is_patch:
            return invalid(Names("", "", ""), "", [invalid_value("patch", "", told)])
        kind, version = self.kind.kind, self.kind.version
        return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {told}')

    def warn(self, answer: Answer) -> Answer:
        """The same answer, with a Warning header for each field that was dropped."""
        if self.paths and self.directive == "Warn":
            # Quoted as JSON, so that a field's name cannot end the header.
            quoted = (json.dumps(f'unknown field "{path[:200]}"') for path in self.paths[:20])
            answer.headers["warning"] = ", ".join(f"299 - {text}" for text in quoted)
        return answer
