"""Unit costs, budgets of money and right-sizing as the console shows them; one name each is hostile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from maestro_cli.cost.allocation.model import Allocation, RowKind
from maestro_cli.cost.budgets.anomalies import Anomaly
from maestro_cli.cost.budgets.forecast import forecast
from maestro_cli.cost.budgets.model import Budget, BudgetReport, BudgetStanding, ExplainedAnomaly
from maestro_cli.cost.budgets.outlook import Outlook, RowOutlook
from maestro_cli.cost.budgets.spend import DaySpend
from maestro_cli.cost.budgets.standing import standing
from maestro_cli.cost.metering.model import Hours
from maestro_cli.cost.rightsizing.advice import Advice, ContainerAdvice, Decision, Reason, Step
from maestro_cli.cost.rightsizing.facts import Fact
from maestro_cli.cost.rightsizing.model import MIB, Amount, ContainerId, Proposal, Size, WorkloadId
from maestro_cli.cost.rightsizing.report import Rightsizing
from maestro_cli.cost.rightsizing.saving import Claim, Saving
from maestro_cli.cost.unit.report import VersionCosts
from maestro_cli.cost.unit.usage import Scope
from maestro_cli.cost.unit.version_usage import ServiceTraffic, VersionQueries, VersionUsage
from maestro_cli.cost.unit.versions import Spend, extras, version_costs
from tests.tui.cases import NOW
from tests.tui.made import made

DAY = 86_400.0
FRAUD = WorkloadId("ml", "Deployment", "fraud")


def unit_costs(hostile: str) -> VersionCosts:
    one = VersionUsage(
        "ml", "fraud", "fraud", "1", predictions=118_000.0, requests=119_000.0, failed=300.0, seconds=560.0,
        p95_seconds=0.0048, right=970.0, judged=1000.0, retries=90.0,
    )  # fmt: skip
    two = replace(one, version="2", predictions=59_000.0, requests=60_000.0, seconds=290.0, right=740.0)
    odd = replace(one, model=hostile, version="1", p95_seconds=None, right=None, judged=None)
    traffic = ServiceTraffic("ml", "fraud", (one, two, odd), rows=178_000.0, shadow_rows=12_000.0)
    spend = Spend(0.31, 0.52, 0.98)
    return VersionCosts(
        "prod", NOW - timedelta(hours=1), NOW, "USD 0.05 a replica and hour", "USD", 0.05, 5.0, 0.0001,
        VersionQueries(Scope("ml", "", "deployment", ()), 3600.0),
        version_costs(traffic, spend, budget=5.0, value=0.0001), tuple(extras(traffic, spend)),
    )  # fmt: skip


def _days(amount: float) -> tuple[DaySpend, ...]:
    today = NOW.date()
    first = today.replace(day=1) - timedelta(days=28)
    whole = [DaySpend(first + timedelta(days=n), amount * (1 + n % 7 / 20), 1.0) for n in range(53)]
    return (*whole, DaySpend(today, amount / 8, 1.0, over=0.125))


def _standing(budget: Budget, amount: float) -> BudgetStanding:
    days = _days(amount)
    today = NOW.date()
    dear = Anomaly(today - timedelta(days=3), amount * 2, amount, 6.2, today - timedelta(days=10))
    found = forecast(days, NOW)
    return BudgetStanding(
        budget, standing(budget.amount, found, NOW), days, (ExplainedAnomaly(dear),), 25, days[0].day
    )


def budgets_of_month(hostile: str) -> BudgetReport:
    items = (
        _standing(Budget("ml", 1200.0, "USD", owner="ml-platform"), 41.0),
        _standing(Budget(hostile, 900.0, "USD", owner=hostile), 40.0),
    )
    return BudgetReport("prod", "USD", NOW, NOW - timedelta(days=53), "prices.yaml", items)


def one_budget(hostile: str) -> BudgetReport:
    report = budgets_of_month(hostile)
    return replace(report, items=report.items[1:])


def outlook(hostile: str) -> Outlook:
    days = _days(40.0)
    rows = tuple(
        RowOutlook(kind, (name,), forecast(_days(amount), NOW))
        for kind, name, amount in (
            (RowKind.SPENDER, "ml", 22.0),
            (RowKind.SPENDER, hostile, 8.0),
            (RowKind.IDLE, "", 10.0),
        )
    )
    allocation = made(
        Allocation, cluster="prod", hours=Hours(NOW - timedelta(days=53), 53 * 24), currency="USD",
        grouping=("namespace",),
    )  # fmt: skip
    return Outlook(allocation, NOW, "prices.yaml", forecast(days, NOW), days, rows)


def _advice(workload: WorkloadId, memory: Step, cpu: Step, budget: Fact, facts: tuple[Fact, ...]) -> Advice:
    of = ContainerId(workload, "server")
    now = Size(cpu.now, 2.0, memory.now, 2048 * MIB)
    own = Proposal(Amount(cpu.goal), Amount(memory.goal))
    krr = Proposal(Amount(None, why="too little"), Amount(230 * MIB))
    vpa = Proposal(Amount(0.247), Amount(250 * MIB))
    next_ = replace(now, cpu_request=cpu.next, memory_request=memory.next)
    one = ContainerAdvice(of, now, next_, cpu, memory, own, krr, vpa, facts, 336.0)
    return Advice(workload, 3, (one,), budgets=(budget,))


def advices(hostile: str) -> tuple[Advice, ...]:
    """One whose memory may be cut, one that is throttled and has a hostile name."""
    throttled = Reason(
        "throttled",
        "it was throttled in 22.5% of its periods, more than 5%",
        (Fact("share of its periods in which it was throttled", "sum(throttled) / sum(periods)", 0.225),),
    )
    qos = Reason("qos", "the pod's quality of service would be Burstable, and is Guaranteed")
    half = Reason("step", "a change halves it at the most: the rule wants 89% less")
    used = Fact("its largest working set, bytes", 'max_over_time(memory{namespace="ml"}[14d])', 2e8)
    return (
        _advice(
            FRAUD,
            Step(Decision.CUT, 2048 * MIB, 220 * MIB, 1024 * MIB, (half,)),
            Step(Decision.REFUSED, 2.0, 0.23, 2.0, (qos,)),
            Fact("error budget of fraud-availability that is left", "maestro slo budget fraud", 0.69),
            (used,),
        ),
        _advice(
            WorkloadId("shop", "Deployment", hostile),
            Step(Decision.REFUSED, 2048 * MIB, 220 * MIB, 2048 * MIB, (throttled,)),
            Step(Decision.REFUSED, 2.0, 0.23, 2.0, (throttled,)),
            Fact(hostile, hostile, None),
            (replace(used, what=hostile, query=hostile, value=None),),
        ),
    )


def rightsizing(hostile: str) -> Rightsizing:
    items = advices(hostile)
    saving = Saving("USD", {FRAUD: Claim(FRAUD, 48.2)}, None)
    return Rightsizing("prod", NOW - timedelta(days=14), NOW, 7 * DAY, items, saving, (hostile,))
