"""What is generated for Prometheus and Alertmanager is what those programs accept."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.strict import dump_yaml
from maestro_cli.local.alertmanager import alertmanager_command, alertmanager_config
from maestro_cli.local.keys import key_file
from maestro_cli.local.preparation import prepare
from maestro_cli.local.prometheus import prometheus_command, prometheus_config
from maestro_cli.slo.windows import PROFILES


def _checked(*command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _prometheus(**changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "alertmanager_url": "http://127.0.0.1:9093",
        "rules": Path("/nowhere/rules.yaml"),
        "metrics_url": "http://127.0.0.1:9200",
        "load_urls": ["http://127.0.0.1:9300"],
        "interval_seconds": 1.0,
        "pods_key_file": Path("/nowhere/prometheus.key"),
    }
    return prometheus_config(**{**options, **changes})


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_promtool_accepts_configuration_and_rules_of_each_profile(tmp_path: Path, profile: str) -> None:
    prepare(tmp_path, PROFILES[profile], second=True)
    rules = tmp_path / "config" / "rules.yaml"
    config = tmp_path / "prometheus.yaml"
    config.write_text(
        json.dumps(
            _prometheus(
                rules=rules,
                interval_seconds=PROFILES[profile].interval_seconds,
                pods_key_file=key_file(tmp_path, "prometheus"),
            )
        ),
        encoding="utf-8",
    )
    said = _checked("promtool", "check", "config", str(config))
    assert "1 rule files found" in said
    _checked("promtool", "check", "rules", str(rules))


def test_promtool_accepts_what_prometheus_starts_with(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(dump_yaml({"groups": []}), encoding="utf-8")
    config = tmp_path / "prometheus.yaml"
    config.write_text(json.dumps(_prometheus(rules=rules, metrics_url=None, load_urls=[])), encoding="utf-8")
    _checked("promtool", "check", "config", str(config))


def test_jobs_appear_with_the_parts_they_ask() -> None:
    names = [job["job_name"] for job in _prometheus()["scrape_configs"]]
    assert names == ["pods", "cluster", "load"]
    assert _prometheus(metrics_url=None, load_urls=[])["scrape_configs"] == []
    assert [job["job_name"] for job in _prometheus(metrics_url=None)["scrape_configs"]] == ["load"]


def test_every_load_is_a_target_of_one_job() -> None:
    urls = ["http://127.0.0.1:9300", "http://127.0.0.1:9301"]
    (job,) = _prometheus(metrics_url=None, load_urls=urls)["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:9300", "127.0.0.1:9301"]}]


def test_a_scrape_never_waits_longer_than_its_interval() -> None:
    assert _prometheus(interval_seconds=1.0)["global"]["scrape_timeout"] == "1s"
    slow = _prometheus(interval_seconds=15.0)["global"]
    assert (slow["scrape_interval"], slow["scrape_timeout"]) == ("15s", "10s")


@pytest.mark.parametrize("webhook", [None, "http://127.0.0.1:9999/webhook/alertmanager"])
def test_amtool_accepts_the_configuration(tmp_path: Path, webhook: str | None) -> None:
    token = tmp_path / "token"
    token.write_text("secret", encoding="utf-8")
    config = tmp_path / "alertmanager.yaml"
    config.write_text(json.dumps(alertmanager_config(webhook, token)), encoding="utf-8")
    _checked("amtool", "check-config", str(config))


def test_the_token_itself_is_not_in_the_configuration(tmp_path: Path) -> None:
    prepare(tmp_path, PROFILES["drill"])
    token_file = tmp_path / "webhook.token"
    token = token_file.read_text(encoding="utf-8")
    assert len(token) >= 32
    assert token_file.stat().st_mode & 0o777 == 0o600
    assert token not in json.dumps(alertmanager_config("http://127.0.0.1:1/x", token_file))


def test_both_programs_listen_on_loopback_only() -> None:
    for command in (
        prometheus_command("prometheus", port=1234, config=Path("c"), data=Path("d")),
        alertmanager_command("alertmanager", port=1234, config=Path("c"), data=Path("d")),
    ):
        assert "--web.listen-address=127.0.0.1:1234" in command
    assert command[-1] == "--cluster.listen-address="
