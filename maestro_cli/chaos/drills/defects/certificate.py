"""A certificate that ends soon, in a Secret of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maestro_cli.chaos.drills.defects.defect import Defect, Family, NothingDone, Scene, try_again
from maestro_cli.chaos.drills.model import Baseline, Breakage, Truth
from maestro_cli.core.errors import GateNotMet, NotFound, Refused

_TYPE = "kubernetes.io/tls"


@dataclass(frozen=True, slots=True)
class EndingCertificate(Breakage):
    """A Secret of that name appears beside the target, with a certificate that ends in so many days."""

    secret: str
    days: float


class CertificateDefect(Defect):
    """Puts it there; whoever renews it leaves another certificate in its place."""

    def __init__(self, ending: EndingCertificate, scene: Scene) -> None:
        self._ending = ending
        self._scene = scene
        self._data: Mapping[str, str] = {}
        self._renewed: bool | None = None
        self._began: datetime | None = None
        self.phase = ("certificate", "a certificate gets old")

    def prepare(self, baseline: Baseline) -> Mapping[str, Any]:
        """It is deleted afterwards: there was none."""
        return {"secret": self._ending.secret}

    def inject(self) -> None:
        self._began = self._scene.clock.now()
        host = f"{self._scene.target.name}.{self._scene.target.namespace}.svc"
        self._data = self._scene.ensemble.props.certificate(host, self._ending.days)
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": _TYPE,
            "metadata": {"name": self._ending.secret, "namespace": self._scene.target.namespace},
            "data": dict(self._data),
        }
        try:
            self._scene.ensemble.objects.create_object(_collection(self._scene), body)
        except (GateNotMet, Refused, NotFound) as error:
            raise NothingDone(error) from error

    def mend(self) -> bool:
        """Delete it; True when another certificate is in it, for the same key."""
        if self._renewed is None:
            self._renewed = self._is_renewed()
        delete_secret(self._scene, self._ending.secret)
        return self._renewed

    def _is_renewed(self) -> bool:
        try:
            found = self._scene.ensemble.objects.get_object(_path(self._scene, self._ending.secret))
        except NotFound:
            return False
        held: Mapping[str, str] = found.get("data") or {}
        own = self._data
        return held.get("tls.crt") != own.get("tls.crt") and held.get("tls.key") == own.get("tls.key")

    def truth(self, *, is_mended: bool) -> Truth:
        assert self._began is not None
        subject = f"secret {self._scene.target.namespace}/{self._ending.secret}"
        return Truth(self._began, subject, f"the certificate in {subject} ended soon", is_mended)


def _collection(scene: Scene) -> str:
    return f"/api/v1/namespaces/{scene.target.namespace}/secrets"


def _path(scene: Scene, name: str) -> str:
    return f"{_collection(scene)}/{name}"


def delete_secret(scene: Scene, name: str) -> bool:
    """Delete the Secret of that name; False when it is gone. Raises UndoFailed."""

    def once() -> bool:
        try:
            scene.ensemble.objects.delete_object(_path(scene, name))
        except NotFound:
            return False
        return True

    return try_again(once, scene, fix=f"kubectl delete secret {name} --namespace {scene.target.namespace}")


FAMILY = Family(CertificateDefect, "secret", delete_secret)
