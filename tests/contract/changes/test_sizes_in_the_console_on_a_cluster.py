"""The console's `Set the next size` of a workload that a live autoscaler scales: two dialogs, two changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from maestro_cli.changes.history import get_change
from maestro_cli.changes.model import Change, Plan
from maestro_cli.config.locations import config_dir
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.progress import Quiet
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.cost.rightsizing.advice import Advice, AutoscalerStep, ContainerAdvice, Decision, Step
from maestro_cli.cost.rightsizing.model import Amount, ContainerId, Proposal, Size, WorkloadId
from maestro_cli.cost.rightsizing.report import Rightsizing
from maestro_cli.services import GlobalOptions, Services
from maestro_cli.services.costs.rightsizing import RightsizingWanted
from maestro_cli.services.costs.rightsizing_changes import NO_OBJECTIVE
from maestro_cli.tui.acting.dispatcher import SAID_NO, Agreed, Dispatcher, Ending
from maestro_cli.tui.acting.model import Action, Target
from maestro_cli.tui.screens.cost_spans import LookedBack
from maestro_cli.tui.screens.rightsizing import Chosen, apply_action
from maestro_cli.tui.store.events import ContextArmed
from maestro_cli.tui.store.model import Scope
from maestro_cli.tui.store.store import Store
from tests.contract.changes.conftest import rolled_out
from tests.contract.changes.test_kinds_on_a_cluster import REAL
from tests.contract.cluster.kubectl import Kubectl
from tests.contract.cluster.running import Platform
from tests.contract.cost.test_records_any_day import NoSignals

pytestmark = pytest.mark.contract
SET, TARGET = "set-resources", "scale-hpa"
MOVED = '[{"op": "replace", "path": "/spec/metrics/0/resource/target/averageUtilization", "value": 75}]'


class Person:
    """Says yes to these kinds of changes, and meanwhile does what is given with one."""

    def __init__(self, *yes: str, meanwhile: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self.yes, self.meanwhile, self.shown = yes, dict(meanwhile or {}), list[str]()
        self.kubectl: Kubectl | None = None

    def words(self, action: Action, targets: object) -> dict[str, str]:
        return {}

    def agree(
        self, action: Action, target: Target, plan: Plan, rehearsed: Change, news: str
    ) -> Agreed | None:
        self.shown.append(plan.kind)
        if self.kubectl is not None and plan.kind in self.meanwhile:
            self.kubectl(*self.meanwhile.pop(plan.kind))
        return Agreed(accepts=frozenset({NO_OBJECTIVE})) if plan.kind in self.yes else None


def advised(workload: WorkloadId) -> Advice:
    """FAKE: half of the cores, as if the metrics of two weeks had told so; the target doubles with it."""
    cut = Step(Decision.CUT, 0.2, 0.1, 0.1)
    keep = Step(Decision.KEEP, 64.0 * 2**20, 64.0 * 2**20, 64.0 * 2**20)
    now = Size(0.2, None, 64.0 * 2**20)
    said = Proposal(Amount(0.1), Amount(64.0 * 2**20))
    next_ = Size(0.1, None, 64.0 * 2**20)
    one = ContainerAdvice(ContainerId(workload, "c"), now, next_, cut, keep, said, said, said)
    return Advice(workload, 2, (one,), AutoscalerStep("web", 60.0, 120))


@pytest.fixture
def services(platform: Platform, ref: WorkloadRef, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """The console's own of a context with this cluster; nothing measures it, so that the advice is FAKE."""
    config_dir().mkdir(parents=True, exist_ok=True)
    kubeconfig = platform.state / "oncall.kubeconfig"
    (config_dir() / "config.yaml").write_text(
        f"current_context: test\ncontexts: {{test: {{cluster: {{kubeconfig: {kubeconfig}}}}}}}\n",
        encoding="utf-8",
    )
    with Services(GlobalOptions(), NoSignals()) as built:
        now = built.clock.now()
        found = Rightsizing("test", now, now, 60.0, (advised(WorkloadId(ref.namespace, ref.kind, ref.name)),))
        monkeypatch.setattr(built, "rightsizing", lambda wanted: found)
        yield built


def set_next_size(services: Services, ref: WorkloadRef, person: Person) -> Ending:
    """As the menu of the screen does it."""
    store = Store(Scope(("test",)))
    store.dispatch(ContextArmed("test", services.clock.now() + timedelta(minutes=10)))
    asker: Any = person
    acting = Dispatcher(store, services.clock, asker, lambda context: services, lambda context: services)
    (advice,) = services.rightsizing(RightsizingWanted()).items
    chosen = Chosen(advice, LookedBack(str(ref), "2h"))
    target = Target("test", ref.kind, str(ref), str(ref), chosen)
    ((_, ending),) = acting.perform(apply_action("rightsizing"), (target,), Quiet(), Cancellation())
    return ending


@pytest.fixture
def scaled(web: Kubectl) -> Kubectl:
    """`web` asks for 200m, and a live autoscaler looks at 60 % of that."""
    web("set", "resources", "deploy/web", "--requests=cpu=200m,memory=64Mi")
    web("autoscale", "deploy", "web", "--min=2", "--max=4", "--cpu-percent=60")
    web("wait", "hpa/web", "--for=condition=AbleToScale", "--timeout=90s")
    return rolled_out(web)


def asked(kubectl: Kubectl) -> tuple[str, int]:
    """The cores that a replica asks for, and the target."""
    pod = kubectl.get("deploy", "web")["spec"]["template"]["spec"]
    metric = kubectl.get("hpa", "web")["spec"]["metrics"][0]
    return pod["containers"][0]["resources"]["requests"]["cpu"], metric["resource"]["target"][
        "averageUtilization"
    ]


def kinds(services: Services, ending: Ending) -> list[str]:
    """Of the changes that the ending names."""
    names = [part.partition(": ")[2] for part in ending.outcome.split("; ") if part.startswith("verified")]
    return [get_change(services.journal, name).kind for name in names]


@REAL
def test_sizes_are_set_and_then_the_target_of_the_autoscaler_each_with_a_yes_of_its_own(
    services: Services, scaled: Kubectl, ref: WorkloadRef
) -> None:
    person = Person(SET, TARGET)
    ending = set_next_size(services, ref, person)
    assert ending.is_done, ending.outcome
    assert person.shown == [SET, TARGET]
    assert kinds(services, ending) == [SET, TARGET]
    assert asked(scaled) == ("100m", 120)
    assert scaled.get("hpa", "web")["spec"]["minReplicas"] == 2


@REAL
def test_a_no_to_the_target_leaves_it_and_the_sizes_stay(
    services: Services, scaled: Kubectl, ref: WorkloadRef
) -> None:
    ending = set_next_size(services, ref, Person(SET))
    assert (ending.is_done, SAID_NO in ending.outcome) == (False, True)
    assert asked(scaled) == ("100m", 60)


@REAL
def test_an_autoscaler_that_somebody_changed_meanwhile_is_shown_anew_and_the_sizes_are_set_once(
    services: Services, scaled: Kubectl, ref: WorkloadRef
) -> None:
    patch = ("patch", "hpa", "web", "--type=merge", "-p", '{"spec":{"maxReplicas":5}}')
    person = Person(SET, TARGET, meanwhile={TARGET: patch})
    person.kubectl = scaled
    ending = set_next_size(services, ref, person)
    assert ending.is_done, ending.outcome
    assert person.shown == [SET, TARGET, TARGET]
    assert kinds(services, ending) == [SET, TARGET]
    assert asked(scaled) == ("100m", 120)
    assert scaled.get("hpa", "web")["spec"]["maxReplicas"] == 5


@REAL
def test_a_target_that_somebody_moved_meanwhile_is_not_moved_again(
    services: Services, scaled: Kubectl, ref: WorkloadRef
) -> None:
    """What goes with the sizes was reckoned from the one before."""
    moved = ("patch", "hpa", "web", "--type=json", "-p", MOVED)
    person = Person(SET, TARGET, meanwhile={TARGET: moved})
    person.kubectl = scaled
    ending = set_next_size(services, ref, person)
    assert (ending.is_done, person.shown) == (False, [SET, TARGET])
    assert "scales at 75 % and not at 60 %" in ending.outcome
    assert asked(scaled) == ("100m", 75)
