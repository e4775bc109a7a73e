"""The errors of the API as Status objects.

Invariant: code, reason, message and details have the shapes of apimachinery/pkg/api/errors, because
clients decide on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
REAL_CLUSTER = "`maestro local up --cluster kubernetes`"


@dataclass(frozen=True, slots=True)
class Names:
    """What a Status calls a kind: its group, resource and kind."""

    group: str
    plural: str
    kind: str

    @property
    def resource(self) -> str:
        """As `kubectl` writes it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a field; `reason` is FieldValueInvalid, FieldValueRequired, …"""

    reason: str
    field: str
    message: str


def invalid_value(field: str, value: object, why: str) -> Problem:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return Problem("FieldValueInvalid", field, f"Invalid value: {shown}: {why}")


def required(field: str, why: str = "") -> Problem:
    return Problem("FieldValueRequired", field, f"Required value: {why}" if why else "Required value")


def duplicate(field: str, value: str) -> Problem:
    return Problem("FieldValueDuplicate", field, f'Duplicate value: "{value}"')


def forbidden_field(field: str, why: str) -> Problem:
    return Problem("FieldValueForbidden", field, f"Forbidden: {why}")


def unsupported(field: str, value: object, supported: Iterable[str]) -> Problem:
    listed = ", ".join(f'"{item}"' for item in supported)
    return Problem(
        "FieldValueNotSupported", field, f'Unsupported value: "{value}": supported values: {listed}'
    )


class ApiError(Exception):
    """A request that ends with a failure Status."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def body(self) -> Object:
        """The Status object of apimachinery meta/v1."""
        body: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def _details(names: Names, name: str) -> Object:
    details = {"name": name, "group": names.group, "kind": names.plural}
    return {key: value for key, value in details.items() if value}


def not_found(names: Names, name: str) -> ApiError:
    return ApiError(404, "NotFound", f'{names.resource} "{name}" not found', _details(names, name))


def already_exists(names: Names, name: str) -> ApiError:
    return ApiError(409, "AlreadyExists", f'{names.resource} "{name}" already exists', _details(names, name))


_STALE = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(names: Names, name: str, why: str = _STALE) -> ApiError:
    message = f'Operation cannot be fulfilled on {names.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(names, name))


def invalid(names: Names, name: str, problems: list[Problem]) -> ApiError:
    listed = [f"{problem.field}: {problem.message}" for problem in problems]
    told = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    details: Object = {
        "name": name,
        "group": names.group,
        "kind": names.kind,
        "causes": [
            {"reason": problem.reason, "message": problem.message, "field": problem.field}
            for problem in problems
        ],
    }
    return ApiError(
        422,
        "Invalid",
        f'{names.qualified_kind} "{name}" is invalid: {told}',
        {key: value for key, value in details.items() if value},
    )


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(names: Names, name: str, why: str) -> ApiError:
    quoted = f' "{name}"' if name else ""
    return ApiError(403, "Forbidden", f"{names.resource}{quoted} is forbidden: {why}", _details(names, name))


def not_acceptable() -> ApiError:
    message = "only the following media types are accepted: application/json, application/json;as=Table"
    return ApiError(406, "NotAcceptable", f"{message}; {REAL_CLUSTER} serves the others")


def unsupported_media(given: str, accepted: Iterable[str]) -> ApiError:
    message = (
        f"the body of the request was in an unknown format - accepted media types include: "
        f"{', '.join(accepted)}; got {given!r}; {REAL_CLUSTER} takes the others"
    )
    return ApiError(415, "UnsupportedMediaType", message)


def not_allowed(method: str, what: str) -> ApiError:
    message = f"the server does not allow {method} on {what}; {REAL_CLUSTER} might"
    return ApiError(405, "MethodNotAllowed", message)


def no_such_path(path: str) -> ApiError:
    message = (
        f"the server could not find the requested resource; the light cluster does not serve {path}, "
        f"{REAL_CLUSTER} might"
    )
    return ApiError(404, "NotFound", message, {})


# What needs a container, or a program that neither cluster runs: no other cluster is named for it.
_NOWHERE = ("pods/exec", "pods/attach", "pods/portforward", "metrics.k8s.io")


def lacking(what: str) -> ApiError:
    elsewhere = "" if what.endswith(_NOWHERE) else f"; {REAL_CLUSTER} has"
    return ApiError(501, "NotImplemented", f"the light cluster has no {what}{elsewhere}")


def expired(asked: int, oldest: int) -> ApiError:
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def expired_continue() -> ApiError:
    message = (
        "The provided continue parameter is too old to display a consistent list result. "
        "You must start a new list without the continue parameter."
    )
    return ApiError(410, "Expired", message)


def too_large_version(asked: int, current: int) -> ApiError:
    message = f"Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})


def success(details: Object | None = None, code: int | None = None) -> Object:
    """A Status that says it worked."""
    body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details is not None:
        body["details"] = details
    if code is not None:
        body["code"] = code
    return body
