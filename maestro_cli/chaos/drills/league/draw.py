"""What each scenario of the league breaks, drawn from the seed: which service, version, field, replica, node.

Invariant: pure; the same name and seed draw the same, on every machine. No detail is the same for every seed
where it could be another, so that no rule can be written to fit one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from maestro_cli.chaos.drills.act import CallSheet, Place
from maestro_cli.chaos.drills.defects.dependency import LostDependency
from maestro_cli.chaos.drills.defects.leak import Leak
from maestro_cli.chaos.drills.defects.load import Surge
from maestro_cli.chaos.drills.defects.node import LostNode
from maestro_cli.chaos.drills.defects.noise import Noise, Nothing
from maestro_cli.chaos.drills.defects.routing import RoutingEdit
from maestro_cli.chaos.drills.defects.settings import SettingsEdit
from maestro_cli.chaos.drills.defects.sick_release import SickRelease
from maestro_cli.chaos.drills.model import BadRelease, Breakage, ReplicaFault, Scenario
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import WorkloadRef

NOTHING = "nothing"  # the true cause where nothing is wrong
HOUR_SECONDS = 60.0  # of the quiet hour: the embedded platform's alerts take a second for a minute
LONGEST_DELAY_SECONDS = 5.0
SERVICES = ("fraud", "recommendation")  # each a Deployment, a Service and a model of that name
# Whose servers the context asks what routing they have in force: of others a person changes it.
ROUTED = ("fraud",)
FAILING, WRONG = 2, 3  # versions of either model: one fails some requests, one answers wrongly
_SECONDS = 900.0
_CHANGES = (
    "next features",
    "tidy the settings",
    "retrained on last month",
    "library update",
    "smaller image",
)
_SETTINGS = ("FEATURE_SET", "BATCH_PROFILE", "TOKENIZER", "SCORE_SCALE", "CACHE_PROFILE")
_NOISE = ("DiskFillsInFourDays", "ClockSkewSuspected", "LogVolumeHigh", "JobSlowerThanUsual", "ProbeFlapping",
          "QueueAgeHigh", "CertificateChainOdd", "ReplicaLagSuspected")  # fmt: skip

Draw = Callable[[random.Random, str], Scenario]


@dataclass(frozen=True, slots=True)
class Entry:
    """One scenario of the league; `drawn` says in words what the seed decides."""

    name: str
    title: str
    drawn: str
    draw: Draw


def draw(name: str, seed: int) -> Scenario:
    """The scenario of that name as the seed has it. Raises NotFound with the names there are."""
    entry = find_entry(name)
    service = random.Random(f"maestro.league/1 service {name} {seed}").choice(SERVICES)
    drawn = entry.draw(random.Random(f"maestro.league/1 {name} {seed}"), service)
    return replace(drawn, name=name, title=entry.title)


def sheet_of(scenario: Scenario) -> CallSheet:
    """What may be known before it is over: not which of the services it is about, nor what breaks."""
    places = tuple(_place(scenario, service) for service in SERVICES)
    return CallSheet(places, scenario.alert, scenario.patience_seconds)


def _place(scenario: Scenario, service: str) -> Place:
    kind = (scenario.objective or "").rpartition("-")[2]
    return Place(workload_of(service), f"{service}-{kind}")


def workload_of(service: str) -> WorkloadRef:
    """The Deployment of a service."""
    return WorkloadRef("Deployment", "ml", service)


def draw_delay(name: str, seed: int) -> float:
    """How many seconds after the baseline it begins."""
    return round(
        random.Random(f"maestro.league/1 delay {name} {seed}").uniform(0.0, LONGEST_DELAY_SECONDS), 1
    )


def find_entry(name: str) -> Entry:
    """Raises NotFound with the names there are."""
    for entry in LEAGUE:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in LEAGUE)
    raise NotFound(
        f"there is no scenario {name!r} in the league",
        why=f"known: {known}",
        fix="maestro drill list --league",
    )


def _release(
    dice: random.Random, service: str, fault: Mapping[str, float], kind: str, share: float
) -> Breakage:
    """A release of one new setting, whose replicas have that fault."""
    setting = {dice.choice(_SETTINGS): str(dice.randint(2, 99))}
    release = BadRelease(dice.choice(_CHANGES), environment=setting)
    return SickRelease(release, ReplicaFault(kind, fault, service, None, _SECONDS, share=share))


def _serving(dice: random.Random, service: str, version: int) -> Breakage:
    """A release of another version of the model."""
    return BadRelease(dice.choice(_CHANGES), {"--serve": f"{service}={version}"})


def _scenario(
    service: str, cause: str, fix: str, defect: Breakage, runbook: str, alert: str, **more: object
) -> Scenario:
    answers = more.get("answers", {})
    assert isinstance(answers, Mapping)
    return Scenario(
        name="", title="", description="", target=workload_of(service),
        objective=f"{service}-{more.get('counts', 'availability')}", true_cause=cause, right_fix=fix,
        defect=defect, runbook=runbook, alert=alert, answers=answers, repairs=str(more.get("repairs", "")),
    )  # fmt: skip


def _bad_release(dice: random.Random, service: str) -> Scenario:
    status = {"status": float(dice.choice((500, 502, 504)))}
    defect = dice.choice(
        (
            _serving(dice, service, FAILING),
            _release(dice, service, status, "error", dice.uniform(0.15, 0.6)),
        )
    )
    return _scenario(service, "release", "rollback", defect, "high-error-rate", "ErrorBudgetBurn")


def _slow_release(dice: random.Random, service: str) -> Scenario:
    delay = {"milliseconds": float(dice.randint(300, 900))}
    defect = _release(dice, service, delay, "latency", dice.uniform(0.6, 1.0))
    return _scenario(
        service, "release", "rollback", defect, "high-latency", "ErrorBudgetBurn", counts="latency"
    )


def _crash_loop(dice: random.Random, service: str) -> Scenario:
    wrong = dice.choice(
        (
            {"--drain-seconds": f"{dice.randint(2, 30)}s"},
            {"--port": dice.choice(("http", "8080/tcp", "0x1f90"))},
            {"--serve": dice.choice((service, f"{service}:1", f"{service}=latest"))},
        )
    )
    defect = BadRelease(dice.choice(_CHANGES), wrong)
    return _scenario(service, "release", "rollback", defect, "crash-loop", "KubePodCrashLooping")


def _wrong_answers(dice: random.Random, service: str) -> Scenario:
    is_version = dice.random() < 0.5
    if is_version:
        defect = _serving(dice, service, WRONG)
    else:
        defect = _release(dice, service, {}, "wrong-answer", dice.uniform(0.7, 1.0))
    # The runbook goes back where another version was right; of the same version a person has to judge.
    fix = "rollback" if is_version else ""
    return _scenario(service, "release", fix, defect, "model-degradation", "ModelAccuracyLow")


def _wrong_version(dice: random.Random, service: str) -> Scenario:
    """It was to be there beside the usual one; the highest version answers who asks for none."""
    version = dice.choice((FAILING, WRONG))
    defect = BadRelease(dice.choice(_CHANGES), added=("--serve", f"{service}={version}"))
    if version == FAILING:
        return _scenario(service, "release", "rollback", defect, "high-error-rate", "ErrorBudgetBurn")
    return _scenario(service, "release", "rollback", defect, "model-degradation", "ModelAccuracyLow")


def _dependency_down(dice: random.Random, service: str) -> Scenario:
    waits = {"milliseconds": float(dice.randint(5, 150))}
    fault = ReplicaFault("dependency", waits, service, None, _SECONDS, share=dice.uniform(0.7, 1.0))
    return _scenario(
        service, "dependency", "set-routing" if service in ROUTED else "",
        LostDependency(fault, f"{service}-routing"), "dependency-down", "ServingDependencyDown",
        answers={"agreed": "yes" if service in ROUTED else "no"},
    )  # fmt: skip


def _leak(dice: random.Random, service: str) -> Scenario:
    grows = {
        "mebibytes_per_second": float(dice.randint(96, 256)),
        "ceiling_mebibytes": float(dice.randint(620, 900)),
    }
    fault = ReplicaFault("memory", grows, "", None, _SECONDS, place=dice.random())
    return _scenario(service, "pod", "restart", Leak(fault), "memory-leak", "ContainerOOMKilled")


def _node(dice: random.Random, service: str) -> Scenario:
    return _scenario(
        service, "node", "drain", LostNode(dice.random()), "node-failure", "KubeNodeNotReady",
        answers={"repair": "yes"}, repairs="repair",
    )  # fmt: skip


def _surge(dice: random.Random, service: str) -> Scenario:
    defect = Surge(round(dice.uniform(3.6, 5.0), 1), _SECONDS)
    return _scenario(
        service, "load", "scale", defect, "traffic-surge", "ServingTrafficSurge", counts="latency"
    )


def _edit(dice: random.Random, service: str) -> Scenario:
    """Of what routes the requests, or of what every replica reads when it starts."""
    return dice.choice((_routing_edit, _settings_edit))(dice, service)


def _settings_edit(dice: random.Random, service: str) -> Scenario:
    """One that ends a replica as it starts, or that lets it load no model. No runbook takes it back."""
    config = f"{service}-settings"
    if dice.random() < 0.5:
        unusable = SettingsEdit(config, "TIMEOUT_SECONDS", dice.choice(("10s", "ten", "-1", "1e9")))
        return _scenario(service, "config", "", unusable, "crash-loop", "KubePodCrashLooping")
    hasty = SettingsEdit(config, "LOAD_SECONDS", dice.choice(("0.001", "0.0005", "0.0001")))
    return _scenario(service, "config", "", hasty, "deployment-failure", "KubeDeploymentRolloutStuck")


def _routing_edit(dice: random.Random, service: str) -> Scenario:
    version = dice.choice((FAILING, WRONG))
    defect = RoutingEdit(f"{service}-routing", service, 1, version, dice.choice((60, 75, 90, 100)))
    if version == FAILING:  # its errors: no runbook takes an edit back that came with no release
        return _scenario(service, "traffic", "", defect, "high-error-rate", "ErrorBudgetBurn")
    return _scenario(
        service, "traffic", "promote" if service in ROUTED else "", defect, "model-degradation",
        "ModelAccuracyLow",
        answers={"good-version": "1"},
    )  # fmt: skip


def _noise(dice: random.Random, service: str) -> Scenario:
    names = tuple(dice.sample(_NOISE, dice.randint(2, 5)))
    defect = Noise(names, dice.randint(40, 160), dice.choice(("info", "warning")))
    return _scenario(service, NOTHING, "", defect, "", names[0])


def _quiet(dice: random.Random, service: str) -> Scenario:
    return replace(_scenario(service, NOTHING, "", Nothing(), "", ""), patience_seconds=HOUR_SECONDS)


LEAGUE: tuple[Entry, ...] = (
    Entry("bad-release", "A release that answers with errors",
          "service, model version or new setting, status, share", _bad_release),
    Entry("slow-release", "A release that answers late", "service, setting, milliseconds, share",
          _slow_release),
    Entry("crash-loop", "A release that ends as soon as it starts", "service, argument and its value",
          _crash_loop),
    Entry("wrong-answers", "A release that answers wrongly, without an error",
          "service, model version or new setting, share", _wrong_answers),
    Entry("wrong-version", "A release that serves a version that was not to answer yet", "service, version",
          _wrong_version),
    Entry("dependency-down", "What the model reads its features from does not answer", "service, wait, share",
          _dependency_down),
    Entry("memory-leak", "A replica grows until it is killed for its memory",
          "service, replica, speed, size", _leak),
    Entry("node-failure", "The kubelet of a node stops", "service, node", _node),
    Entry("traffic-surge", "Far more requests than usual", "service, factor", _surge),
    Entry("config-edit", "Somebody edits the routing or the settings, and nothing was released",
          "service, what is edited, value, version, weight",
          _edit),
    Entry("noise-storm", "Many alerts about nothing", "service, names, number, severity", _noise),
    Entry("quiet-hour", "Nothing is wrong for an hour", "nothing", _quiet),
)  # fmt: skip
