"""What each scenario of the league breaks, drawn from the seed: which version, field, replica, node and size.

Invariant: pure; the same name and seed draw the same, on every machine. No detail is the same for every seed
where it could be another, so that no rule can be written to fit one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from maestro_cli.chaos.drills.defects.dependency import LostDependency
from maestro_cli.chaos.drills.defects.leak import Leak
from maestro_cli.chaos.drills.defects.load import Surge
from maestro_cli.chaos.drills.defects.node import LostNode
from maestro_cli.chaos.drills.defects.noise import Noise, Nothing
from maestro_cli.chaos.drills.defects.routing import RoutingEdit
from maestro_cli.chaos.drills.defects.sick_release import SickRelease
from maestro_cli.chaos.drills.model import BadRelease, Breakage, ReplicaFault, Scenario
from maestro_cli.core.errors import NotFound
from maestro_cli.core.refs import WorkloadRef

NOTHING = "nothing"  # the true cause where nothing is wrong
HOUR_SECONDS = 60.0  # of the quiet hour: the embedded platform's alerts take a second for a minute
LONGEST_DELAY_SECONDS = 5.0
_FRAUD = WorkloadRef("Deployment", "ml", "fraud")
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

Draw = Callable[[random.Random], Scenario]


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
    drawn = entry.draw(random.Random(f"maestro.league/1 {name} {seed}"))
    return replace(drawn, name=name, title=entry.title)


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


def _release(dice: random.Random, fault: Mapping[str, float], kind: str, share: float) -> Breakage:
    """A release of one new setting, whose replicas have that fault."""
    setting = {dice.choice(_SETTINGS): str(dice.randint(2, 99))}
    release = BadRelease(dice.choice(_CHANGES), environment=setting)
    return SickRelease(release, ReplicaFault(kind, fault, "fraud", None, _SECONDS, share=share))


def _serving(dice: random.Random, version: int) -> Breakage:
    """A release of another version of the model."""
    return BadRelease(dice.choice(_CHANGES), {"--serve": f"fraud={version}"})


def _scenario(cause: str, fix: str, defect: Breakage, runbook: str, alert: str, **more: object) -> Scenario:
    answers = more.get("answers", {})
    assert isinstance(answers, Mapping)
    return Scenario(
        name="", title="", description="", target=_FRAUD,
        objective=str(more.get("objective", "fraud-availability")), true_cause=cause, right_fix=fix,
        defect=defect, runbook=runbook, alert=alert, answers=answers, repairs=str(more.get("repairs", "")),
    )  # fmt: skip


def _bad_release(dice: random.Random) -> Scenario:
    defect = dice.choice(
        (
            _serving(dice, 2),
            _release(dice, {"status": float(dice.choice((500, 502, 504)))}, "error", dice.uniform(0.15, 0.6)),
        )
    )
    return _scenario("release", "rollback", defect, "high-error-rate", "ErrorBudgetBurn")


def _slow_release(dice: random.Random) -> Scenario:
    delay = {"milliseconds": float(dice.randint(300, 900))}
    defect = _release(dice, delay, "latency", dice.uniform(0.6, 1.0))
    return _scenario("release", "", defect, "high-latency", "ErrorBudgetBurn", objective="fraud-latency")


def _crash_loop(dice: random.Random) -> Scenario:
    wrong = dice.choice(
        (
            {"--drain-seconds": f"{dice.randint(2, 30)}s"},
            {"--port": dice.choice(("http", "8080/tcp", "0x1f90"))},
            {"--serve": dice.choice(("fraud", "fraud:1", "fraud=latest"))},
        )
    )
    defect = BadRelease(dice.choice(_CHANGES), wrong)
    return _scenario("release", "rollback", defect, "crash-loop", "KubePodCrashLooping")


def _wrong_answers(dice: random.Random) -> Scenario:
    is_version = dice.random() < 0.5
    defect = _serving(dice, 3) if is_version else _release(dice, {}, "wrong-answer", dice.uniform(0.7, 1.0))
    # The runbook goes back where another version was right; of the same version a person has to judge.
    fix = "rollback" if is_version else ""
    return _scenario("release", fix, defect, "model-degradation", "ModelAccuracyLow")


def _wrong_version(dice: random.Random) -> Scenario:
    """It was to be there beside the usual one; the highest version answers who asks for none."""
    version = dice.choice((2, 3))
    defect = BadRelease(dice.choice(_CHANGES), added=("--serve", f"fraud={version}"))
    if version == 2:
        return _scenario("release", "rollback", defect, "high-error-rate", "ErrorBudgetBurn")
    return _scenario("release", "rollback", defect, "model-degradation", "ModelAccuracyLow")


def _dependency_down(dice: random.Random) -> Scenario:
    waits = {"milliseconds": float(dice.randint(5, 150))}
    fault = ReplicaFault("dependency", waits, "fraud", None, _SECONDS, share=dice.uniform(0.7, 1.0))
    return _scenario(
        "dependency", "set-routing", LostDependency(fault, "fraud-routing"), "dependency-down",
        "ServingDependencyDown", answers={"agreed": "yes"},
    )  # fmt: skip


def _leak(dice: random.Random) -> Scenario:
    grows = {
        "mebibytes_per_second": float(dice.randint(96, 256)),
        "ceiling_mebibytes": float(dice.randint(620, 900)),
    }
    fault = ReplicaFault("memory", grows, "", None, _SECONDS, place=dice.random())
    return _scenario("pod", "restart", Leak(fault), "memory-leak", "ContainerOOMKilled")


def _node(dice: random.Random) -> Scenario:
    return _scenario(
        "node", "drain", LostNode(dice.random()), "node-failure", "KubeNodeNotReady",
        answers={"repair": "yes"}, repairs="repair",
    )  # fmt: skip


def _surge(dice: random.Random) -> Scenario:
    defect = Surge(round(dice.uniform(3.6, 5.0), 1), _SECONDS)
    return _scenario(
        "load", "scale", defect, "traffic-surge", "ServingTrafficSurge", objective="fraud-latency"
    )


def _edit(dice: random.Random) -> Scenario:
    version = dice.choice((2, 3))
    defect = RoutingEdit("fraud-routing", "fraud", 1, version, dice.choice((60, 75, 90, 100)))
    if version == 2:  # its errors: no runbook takes an edit back that came with no release
        return _scenario("traffic", "", defect, "high-error-rate", "ErrorBudgetBurn")
    return _scenario(
        "traffic", "promote", defect, "model-degradation", "ModelAccuracyLow",
        answers={"good-version": "1"},
    )  # fmt: skip


def _noise(dice: random.Random) -> Scenario:
    names = tuple(dice.sample(_NOISE, dice.randint(2, 5)))
    defect = Noise(names, dice.randint(40, 160), dice.choice(("info", "warning")))
    return _scenario(NOTHING, "", defect, "", names[0])


def _quiet(dice: random.Random) -> Scenario:
    return replace(_scenario(NOTHING, "", Nothing(), "", ""), patience_seconds=HOUR_SECONDS)


LEAGUE: tuple[Entry, ...] = (
    Entry("bad-release", "A release that answers with errors", "model version or new setting, status, share",
          _bad_release),
    Entry("slow-release", "A release that answers late", "setting, milliseconds, share", _slow_release),
    Entry("crash-loop", "A release that ends as soon as it starts", "argument and its value", _crash_loop),
    Entry("wrong-answers", "A release that answers wrongly, without an error",
          "model version or new setting, share", _wrong_answers),
    Entry("wrong-version", "A release that serves a version that was not to answer yet", "version",
          _wrong_version),
    Entry("dependency-down", "What the model reads its features from does not answer", "wait, share",
          _dependency_down),
    Entry("memory-leak", "A replica grows until it is killed for its memory", "replica, speed, size", _leak),
    Entry("node-failure", "The kubelet of a node stops", "node", _node),
    Entry("traffic-surge", "Far more requests than usual", "factor", _surge),
    Entry("config-edit", "Somebody edits the routing, and nothing was released", "version, weight", _edit),
    Entry("noise-storm", "Many alerts about nothing", "names, number, severity", _noise),
    Entry("quiet-hour", "Nothing is wrong for an hour", "nothing", _quiet),
)  # fmt: skip
