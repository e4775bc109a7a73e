"""The shipped rules about spend say what it is, by the real Prometheus; alerts fire when they should."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from maestro_cli.config.locations import shipped
from maestro_cli.config.strict import dump_yaml

pytestmark = pytest.mark.contract
RULES = shipped("deploy") / "alerts" / "cost.yaml"
CPU, GIB, GPU, STORAGE = 0.031611, 0.004237, 0.95, 0.04 / 730
HOURS = 24 * 31 + 40  # January of 1970, and some of February
Series = Mapping[str, str]


def pod(
    name: str, cpu: float, gib: float, phase: str = "Running", used_gib: float | None = None
) -> dict[str, str]:
    own = f'namespace="ml",pod="{name}",container="app"'
    found = {
        f'kube_pod_container_resource_requests{{{own},resource="cpu"}}': f"{cpu}x{HOURS}",
        f'kube_pod_container_resource_requests{{{own},resource="memory"}}': f"{gib * 2**30:.0f}x{HOURS}",
        f'kube_pod_status_phase{{namespace="ml",pod="{name}",phase="{phase}"}}': f"1x{HOURS}",
    }
    if used_gib is not None:
        found[f"container_memory_working_set_bytes{{{own}}}"] = f"{used_gib * 2**30:.0f}x{HOURS}"
    return found


Asked = tuple[str, int, list[tuple[str, float]]]
GROUPS = ["prices", "hourly cost", "month", "spend"]


def run(folder: Path, series: Series, *asked: Asked) -> str:
    """What promtool has against these samples of expressions at hours; "" where they are right."""
    test = {
        "interval": "1h",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": expression,
                "eval_time": f"{hour}h",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
            }
            for expression, hour, samples in asked
        ],
    }
    document = {
        "rule_files": [str(RULES)], "evaluation_interval": "1h", "group_eval_order": GROUPS, "tests": [test]
    }  # fmt: skip
    (folder / "test.yaml").write_text(dump_yaml(document), encoding="utf-8")
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    done = subprocess.run(
        [program, "test", "rules", "test.yaml"],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def rounded(record: str) -> str:
    return f"round({record}, 0.0001)"


@pytest.mark.parametrize(
    ("series", "hourly"),
    [
        (pod("a", 2, 4), 2 * CPU + 4 * GIB),
        (pod("a", 2, 4, used_gib=9), 2 * CPU + 9 * GIB),  # it uses more than it asks for
        (pod("a", 2, 4, used_gib=1), 2 * CPU + 4 * GIB),
        (pod("a", 2, 4) | pod("b", 1, 1, phase="Pending"), 2 * CPU + 4 * GIB),
        (pod("a", 2, 4) | pod("b", 1, 1), 3 * CPU + 5 * GIB),
        (
            pod("a", 2, 4)
            | {
                'kube_pod_container_resource_requests{namespace="ml",pod="a",container="app",'
                'resource="nvidia_com_gpu"}': f"1x{HOURS}"
            },
            2 * CPU + 4 * GIB + GPU,
        ),
        (
            pod("a", 2, 4)
            | {
                'kube_persistentvolumeclaim_resource_requests_storage_bytes{namespace="ml",'
                'persistentvolumeclaim="data"}': f"{100 * 2**30}x{HOURS}"
            },
            2 * CPU + 4 * GIB + 100 * STORAGE,
        ),
    ],
)
def test_an_hour_costs_what_is_asked_for_or_used(tmp_path: Path, series: Series, hourly: float) -> None:
    found = [('{namespace="ml"}', round(hourly, 4))]
    assert run(tmp_path, series, (rounded("maestro:namespace_hourly_cost:usd"), 3, found)) == ""


def test_a_namespace_whose_memory_nobody_tells_has_no_cost_that_is_known(tmp_path: Path) -> None:
    series = {name: values for name, values in pod("a", 2, 4).items() if 'resource="memory"' not in name}
    assert run(tmp_path, series, ("maestro:namespace_hourly_cost:usd", 3, [])) == ""


def test_a_month_is_the_hours_since_it_began(tmp_path: Path) -> None:
    hourly, months = 2 * CPU + 4 * GIB, [(100, 100), (24 * 31, 24 * 31), (24 * 31 + 1, 1), (24 * 31 + 9, 9)]
    asked: list[Asked] = [
        (rounded("maestro:month_spend:usd"), hour, [('{namespace="ml"}', round(count * hourly, 4))])
        for hour, count in months
    ]
    assert run(tmp_path, pod("a", 2, 4), *asked) == ""


def test_a_forecast_of_a_steady_month_is_that_month(tmp_path: Path) -> None:
    found = [('{namespace="ml"}', round(24 * 31 * (2 * CPU + 4 * GIB), 4))]
    assert run(tmp_path, pod("a", 2, 4), (rounded("maestro:month_forecast:usd"), 100, found)) == ""


@pytest.mark.parametrize(
    ("cores", "cases"),
    [
        (
            20,  # 0.632 an hour: 300 after 475
            [
                ("MonthForecastOverBudget", 20, False),  # not for a day yet
                ("MonthForecastOverBudget", 60, True),  # 470
                ("MonthSpendNearsBudget", 300, False),
                ("MonthSpendNearsBudget", 450, True),
                ("MonthSpendOverBudget", 450, False),
                ("MonthSpendOverBudget", 500, True),
                ("MonthSpendNearsBudget", 500, False),  # over it is over
                ("MonthSpendOverBudget", 24 * 31 + 5, False),  # a new month
            ],
        ),
        (10, [("MonthForecastOverBudget", 60, False)]),  # 235
    ],
)
def test_an_alert_fires_then_and_only_then(
    tmp_path: Path, cores: int, cases: list[tuple[str, int, bool]]
) -> None:
    """ALERTS, which Prometheus writes, can be asked."""
    asked: list[Asked] = [
        (
            f'count(ALERTS{{alertname="{alert}",alertstate="firing",namespace="ml"}})',
            hour,
            [("{}", 1.0)] if fires else [],
        )
        for alert, hour, fires in cases
    ]
    assert run(tmp_path, pod("a", cores, 0.01), *asked) == ""


def test_the_check_can_fail(tmp_path: Path) -> None:
    wrong = [('{namespace="ml"}', 1.0)]
    assert run(tmp_path, pod("a", 2, 4), (rounded("maestro:month_spend:usd"), 9, wrong))
