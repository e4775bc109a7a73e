"""The configuration and command line of the platform's Alertmanager.

Invariant: a pure function of where the webhook listens; the bearer token stays in its own file. Values are
within what Alertmanager 0.25 accepts: group_interval and repeat_interval may not be zero, group_wait may.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro_cli.local.ports import LOOPBACK

WEBHOOK_PATH = "/webhook/alertmanager"
_RECEIVER = "maestro"


def alertmanager_config(
    webhook_url: str | None, token_file: Path, *, group_wait: str = "0s"
) -> dict[str, Any]:
    """An `alertmanager.yml` with one receiver: the webhook, or nobody when there is none.

    Alerts are grouped by name, namespace and service; resolved alerts are sent as well.
    """
    receiver: dict[str, Any] = {"name": _RECEIVER}
    if webhook_url is not None:
        receiver["webhook_configs"] = [
            {
                "url": webhook_url,
                "send_resolved": True,
                "http_config": {
                    "follow_redirects": False,
                    "authorization": {"type": "Bearer", "credentials_file": str(token_file)},
                },
            }
        ]
    return {
        "route": {
            "receiver": _RECEIVER,
            "group_by": ["alertname", "namespace", "service"],
            "group_wait": group_wait,
            "group_interval": "1s",
            "repeat_interval": "1h",
        },
        "receivers": [receiver],
    }


def alertmanager_command(program: str, *, port: int, config: Path, data: Path) -> list[str]:
    """The argument vector: loopback only, no clustering (an empty address switches it off)."""
    return [
        program,
        f"--config.file={config}",
        f"--storage.path={data}",
        f"--web.listen-address={LOOPBACK}:{port}",
        f"--web.external-url=http://{LOOPBACK}:{port}",
        "--cluster.listen-address=",
    ]
