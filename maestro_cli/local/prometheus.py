"""The configuration and command line of the platform's Prometheus.

Invariant: a pure function of what else runs and where; while a part is not there its job has no targets,
so Prometheus can start first and is told of the others by a reload.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from maestro_cli.core.quantities import prometheus_duration
from maestro_cli.local.ports import LOOPBACK

_MAX_TIMEOUT_SECONDS = 10.0


def prometheus_config(
    *,
    alertmanager_url: str,
    rules: Path,
    metrics_url: str | None,
    load_urls: Sequence[str],
    interval_seconds: float,
    pods_key_file: Path,
) -> dict[str, Any]:
    """A `prometheus.yml`: pods found over HTTP, the exporter of cluster objects, the loads, one rule file.

    Scrapes, looks for targets and evaluates every `interval_seconds`.
    The exporter's own `namespace` and `pod` labels win over the target's, as with kube-state-metrics.
    """
    interval = prometheus_duration(interval_seconds)
    timeout = prometheus_duration(min(interval_seconds, _MAX_TIMEOUT_SECONDS))
    jobs: list[dict[str, Any]] = []
    if metrics_url is not None:
        jobs.append(
            {
                "job_name": "pods",
                "authorization": {"type": "Bearer", "credentials_file": str(pods_key_file)},
                "http_sd_configs": [{"url": f"{metrics_url}/sd/pods", "refresh_interval": interval}],
            }
        )
        jobs.append({"job_name": "cluster", "honor_labels": True, **_static(metrics_url)})
    if load_urls:
        jobs.append({"job_name": "load", **_static(*load_urls)})
    return {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": timeout,
            "evaluation_interval": interval,
        },
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [_static(alertmanager_url)]},
        "scrape_configs": jobs,
    }


def prometheus_command(program: str, *, port: int, config: Path, data: Path) -> list[str]:
    """The argument vector: loopback only, one day kept, alerts repeated so often that a restarted
    Alertmanager knows them again within seconds.
    """
    return [
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address={LOOPBACK}:{port}",
        f"--web.external-url=http://{LOOPBACK}:{port}",
        "--rules.alert.resend-delay=5s",
    ]


def _static(*urls: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [urlsplit(url).netloc for url in urls]}]}
