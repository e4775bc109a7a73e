"""What drills bring along to the embedded platform: a certificate, a backup, a stolen key."""

from __future__ import annotations

import base64
import copy
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.core.errors import GateNotMet
from maestro_cli.local.certificates import self_signed
from maestro_cli.local.keys import key_file, restore_key
from maestro_cli.local.preparation import backups_folder

_PAUSE_SECONDS = 0.25  # four a second: a nuisance, and no storm
_TIMEOUT_SECONDS = 2.0
_STOP_SECONDS = 5.0
_OPERATORS_ALONE = "/v2/cache/clear"  # harms nobody, should it ever be allowed


class EmbeddedProps:
    """Satisfies chaos.drills.ports.Props; `serving_url` is where callers from elsewhere come in."""

    def __init__(self, state: Path, serving_url: str) -> None:
        self._state = state
        self._url = serving_url
        self._stop = threading.Event()
        self._caller: threading.Thread | None = None
        self._last = 0

    def certificate(self, name: str, days: float) -> Mapping[str, str]:
        pair = self_signed(name, days)
        return {"tls.crt": _base64(pair.certificate), "tls.key": _base64(pair.key)}

    def backup(self, name: str, destination: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """From deploy/backup, as the CronJob controller makes a job: the light cluster has none."""
        file = shipped("deploy") / "backup" / "models.yaml"
        documents = parse_yaml_all(file.read_text(encoding="utf-8"), str(file))
        settings, schedule = (copy.deepcopy(document.data) for document in documents)
        settings["data"]["DESTINATION"] = destination
        template = schedule["spec"]["jobTemplate"]
        folders = {
            "MODELS_DIR": str((shipped("deploy") / "models").resolve()),
            "BACKUPS_DIR": str(backups_folder(self._state)),
        }
        for variable in template["spec"]["template"]["spec"]["containers"][0]["env"]:
            variable["value"] = folders.get(variable["name"], variable["value"])
        metadata = {"name": name, "namespace": schedule["metadata"]["namespace"], **template["metadata"]}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}
        return settings, job

    def restore_key(self, key: str) -> None:
        restore_key(self._state, key)

    def misuse_key(self, key: str) -> None:
        if self._caller is not None:
            raise GateNotMet("a key is misused already", fix="wait until that drill is over")
        secret = key_file(self._state, key).read_text("ascii").strip()
        self._stop.clear()
        self._last = 0
        self._caller = threading.Thread(target=self._call, args=(secret,), name="stolen-key", daemon=True)
        self._caller.start()

    def stop_misuse(self) -> int:
        self._stop.set()
        if self._caller is not None:
            self._caller.join(_STOP_SECONDS)
            self._caller = None
        return self._last

    def _call(self, secret: str) -> None:
        headers = {"Authorization": f"Bearer {secret}"}
        request = urllib.request.Request(
            self._url.rstrip("/") + _OPERATORS_ALONE, data=b"", headers=headers, method="POST"
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while not self._stop.wait(_PAUSE_SECONDS):
            with suppress(OSError):  # nobody answers now; it is tried again
                try:
                    with direct.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                        self._last = answer.status
                except urllib.error.HTTPError as refusal:
                    self._last = refusal.code
                    refusal.close()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
