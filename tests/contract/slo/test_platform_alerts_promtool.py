"""The shipped alerts around the platform fire when they should, by the real Prometheus."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import dump_yaml

pytestmark = pytest.mark.contract
WEEK = 7 * 86400
RULES = [shipped("deploy") / "alerts" / name for name in ("platform.yaml", "cost.yaml")]
WORKLOAD = 'namespace="ml",deployment="fraud"'
FAILED = {
    'kube_job_created{namespace="ml",job_name="model-backup-1"}': "100x60",
    'kube_job_failed{namespace="ml",job_name="model-backup-1",condition="true"}': "1x60",
}
CERTIFICATE = 'x509_cert_not_after{secret_namespace="ml",secret_name="tls"}'
REFUSED = f"maestro_access_refused_total{{{WORKLOAD},"
THERE = f"kube_deployment_created{{{WORKLOAD}}}"
ANSWERS = 'kube_node_info{node="a"}'


def completed(job: str, at: int, cron_job: str = "") -> dict[str, str]:
    """The series of a job that has succeeded, made by hand or for a CronJob."""
    labels = f'namespace="ml",job_name="{job}"'
    owner = f'kube_job_owner{{{labels},owner_kind="CronJob",owner_name="{cron_job}"}}'
    return {
        f"kube_job_created{{{labels}}}": f"{at - 1}x60",
        f"kube_job_status_completion_time{{{labels}}}": f"{at}x60",
    } | ({owner: "1x60"} if cron_job else {})


@pytest.mark.parametrize(
    ("alert", "series", "minute", "fires"),
    [
        ("WorkloadGone", {THERE: "1x60", ANSWERS: "1x60"}, 50, False),
        ("WorkloadGone", {THERE: "1x10 stale", ANSWERS: "1x60"}, 50, True),
        ("WorkloadGone", {THERE: "1x10 stale", ANSWERS: "1x10 stale"}, 50, False),  # nobody can tell
        ("WorkloadGone", {ANSWERS: "1x60"}, 50, False),  # it was never there
        ("WorkloadGone", {THERE: "1x10 stale _x20 1x30", ANSWERS: "1x60"}, 50, False),
        ("BackupFailed", FAILED, 50, True),
        ("BackupFailed", FAILED | completed("model-backup-2", 50), 50, True),  # the one before
        ("BackupFailed", FAILED | completed("model-backup-2", 200), 50, False),
        ("BackupFailed", FAILED | completed("model-backup-0-check", 200), 50, True),  # reads an old one
        ("BackupFailed", FAILED | completed("db-backup-2", 200, "db-backup"), 50, True),  # another backup
        ("BackupFailed", FAILED | completed("backup-by-hand", 200, "model-backup"), 50, False),
        ("SpendOverBudget", {f"kube_deployment_spec_replicas{{{WORKLOAD}}}": "8x90"}, 70, True),
        ("SpendOverBudget", {f"kube_deployment_spec_replicas{{{WORKLOAD}}}": "8x90"}, 50, False),  # a surge
        ("SpendOverBudget", {f"kube_deployment_spec_replicas{{{WORKLOAD}}}": "7x90"}, 70, False),
        ("CertificateExpiration", {CERTIFICATE: f"{WEEK}x60"}, 50, True),
        ("CertificateExpiration", {CERTIFICATE: f"{3 * WEEK}x60"}, 50, False),
        ("KeyUsedOutOfScope", {REFUSED + 'code="403",key="a",pod="p"}': "0+60x60"}, 50, True),
        ("KeyUsedOutOfScope", {REFUSED + 'code="403",key="a",pod="p"}': "0+10x60"}, 50, False),
        ("KeyUsedOutOfScope", {REFUSED + 'code="401",key="_unknown",pod="p"}': "0+600x60"}, 50, False),
        ("UnknownKeysRefused", {REFUSED + 'code="401",key="_unknown",pod="p"}': "0+600x60"}, 50, True),
    ],
)
def test_it_fires_then_and_only_then(
    tmp_path: Path, alert: str, series: Mapping[str, str], minute: int, fires: bool
) -> None:
    """promtool cannot be asked whether an alert fires at all: ALERTS, which Prometheus writes, can."""
    count = f'count(ALERTS{{alertname="{alert}",alertstate="firing",namespace="ml"}})'
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": count,
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }
    document = {"rule_files": [str(one) for one in RULES], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yaml").write_text(dump_yaml(document), encoding="utf-8")
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    done = subprocess.run(
        [program, "test", "rules", "test.yaml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
