"""Questions about oneself: may I, what may I, who am I.

Invariant: the answer is that of the rules that decide on requests.
"""

from __future__ import annotations

from typing import Any

from maestro_cli.local.cluster import access
from maestro_cli.local.cluster.access import User
from maestro_cli.local.cluster.shapes import conform
from maestro_cli.local.cluster.status import Names, Object, bad_request


def _access(user: User, spec: Object) -> Object:
    asked = spec.get("resourceAttributes")
    if asked is None:
        if "nonResourceAttributes" not in spec:
            raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")
        read = spec["nonResourceAttributes"].get("verb") in ("get", "head")
        return {"allowed": read or "system:masters" in user.groups, "reason": ""}
    request = access.Request(
        asked.get("verb", ""),
        Names(asked.get("group", ""), asked.get("resource", ""), ""),
        asked.get("namespace", ""),
        asked.get("name", ""),
        asked.get("subresource", ""),
    )
    return {"allowed": user.may(request), "reason": ""}


def _rules(user: User, spec: Object) -> Object:
    urls = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/readyz", "/version"]
    return {
        "resourceRules": access.review_rules(user),
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": urls}],
        "incomplete": False,
    }


def _self(user: User, spec: Object) -> Object:
    return {"userInfo": user.info()}


_ANSWERS = {
    "SelfSubjectAccessReview": _access,
    "SelfSubjectRulesReview": _rules,
    "SelfSubjectReview": _self,
}


def review(user: User, names: Names, body: Any) -> Object:
    """The review that was posted, with its status. Raises ApiError 400."""
    given = conform(names.kind, "v1", body or {}, names.kind)
    return {
        "kind": names.kind,
        "apiVersion": f"{names.group}/v1",
        "metadata": {},
        "spec": given.get("spec", {}),
        "status": _ANSWERS[names.kind](user, given.get("spec", {})),
    }
