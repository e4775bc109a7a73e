"""Service account tokens for projected volumes, from the API server's TokenRequest.

Invariant: a token is bound to its pod and is renewed before it ends; where the cluster issues none
(the light one), the pod runs without and says so once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from maestro_cli.local.api import SERVICE_ACCOUNTS, ApiClient, ApiError
from maestro_cli.local.objects import Object, name_of, namespace_of, parse_time, uid_of

_NOT_IMPLEMENTED = 501
_LIFETIME_SECONDS = 3600
_RENEW_AFTER = 0.8  # of the lifetime, as the real kubelet


class Tokens:
    """The tokens of one pod; `warn` is told when the cluster has none to give."""

    def __init__(self, client: ApiClient, pod: Object, warn: Callable[[str], None]) -> None:
        self._client = client
        self._pod = pod
        self._warn = warn
        self._issued: dict[tuple[str, str], tuple[bytes, datetime]] = {}
        self._warned = False

    async def of_volume(self, volume: Object, now: datetime) -> dict[str, bytes]:
        """Tokens by path for one volume. Raises ApiError and Unreachable."""
        found = {}
        for source in (volume.get("projected") or {}).get("sources") or ():
            wanted = source.get("serviceAccountToken")
            token = await self._token(volume["name"], wanted, now) if wanted else None
            if token is not None:
                found[str(wanted["path"])] = token
        return found

    async def _token(self, volume: str, wanted: Object, now: datetime) -> bytes | None:
        known = self._issued.get((volume, wanted["path"]))
        if known is not None and now < known[1]:
            return known[0]
        try:
            answer = await self._request(wanted)
        except ApiError as refused:
            if refused.code != _NOT_IMPLEMENTED:
                raise
            if not self._warned:
                self._warned = True
                self._warn(f'volume "{volume}" has no service account token: {refused.what}')
            return None
        status = answer["status"]
        expires = parse_time(status.get("expirationTimestamp")) or now + timedelta(seconds=_LIFETIME_SECONDS)
        token = str(status["token"]).encode()
        self._issued[volume, wanted["path"]] = token, now + (expires - now) * _RENEW_AFTER
        return token

    async def _request(self, wanted: Object) -> Object:
        pod = self._pod
        bound = {"kind": "Pod", "apiVersion": "v1", "name": name_of(pod), "uid": uid_of(pod)}
        spec: Object = {
            "audiences": [wanted["audience"]] if wanted.get("audience") else [],
            "expirationSeconds": wanted.get("expirationSeconds") or _LIFETIME_SECONDS,
            "boundObjectRef": bound,
        }
        account = pod["spec"].get("serviceAccountName") or "default"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return await self._client.create_subresource(
            SERVICE_ACCOUNTS, namespace_of(pod), account, "token", body
        )
