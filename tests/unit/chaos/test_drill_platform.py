"""What drills around the platform break, and mend again, also after the drill itself was killed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.drills.defects import clear, defect_of
from maestro_cli.chaos.drills.defects.backup import LostDestination
from maestro_cli.chaos.drills.defects.certificate import EndingCertificate
from maestro_cli.chaos.drills.defects.defect import Defect, NothingDone, Scene
from maestro_cli.chaos.drills.defects.key import MisusedKey
from maestro_cli.chaos.drills.defects.workload import declared, path_of
from maestro_cli.chaos.drills.model import Baseline, Breakage, Scenario
from maestro_cli.chaos.drills.scenarios import platform
from maestro_cli.core.errors import NotFound
from maestro_cli.core.facts.cluster import Workload
from maestro_cli.core.refs import WorkloadRef
from maestro_cli.incidents.triage.model import SuspectKind
from tests.unit.chaos.theatre import SCENARIO, FakeCluster, Theatre

FRAUD = SCENARIO.target
PATH = path_of(FRAUD)
DEPLOYMENT: dict[str, Any] = {
    "metadata": {
        "name": "fraud", "namespace": "ml", "uid": "u1", "resourceVersion": "7", "labels": {"app": "fraud"},
        "annotations": {"deployment.kubernetes.io/revision": "3", "kubernetes.io/change-cause": "x"},
    },
    "spec": {"replicas": 3, "template": {}},
    "status": {"replicas": 3},
}  # fmt: skip
CAUSES = {  # as triage names them
    "stolen-key": (SuspectKind.KEY, "key partner"),
    "over-budget": (SuspectKind.SCALE, "ml/deploy/fraud"),
    "ending-certificate": (SuspectKind.CERTIFICATE, "secret ml/fraud-tls"),
    "failed-backup": (SuspectKind.BACKUP, "backup ml/model-backup"),
    "lost-workload": (SuspectKind.DELETION, "ml/deploy/fraud"),
}
BREAKAGES = {scenario.name: scenario.defect for scenario in platform.SCENARIOS}


class SeenCluster(FakeCluster):
    """A fake: what workloads are there, as the objects say."""

    def __init__(self, theatre: Theatre) -> None:
        super().__init__()
        self._theatre = theatre

    def get_workload(self, ref: WorkloadRef) -> Workload:
        found = self._theatre.objects.there.get(path_of(ref))
        if found is None:
            raise NotFound(f"{ref} does not exist")
        return replace(self._theatre.cluster.get_workload(ref), replicas_wanted=found["spec"]["replicas"])

    def replace_template(self, ref: WorkloadRef, **_: Any) -> Workload:
        raise AssertionError("no release is shipped here")


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Theatre]:
    made = Theatre(tmp_path / "journal.sqlite")
    made.objects.there[PATH] = copy.deepcopy(DEPLOYMENT)
    yield made
    made.journal.close()


@pytest.fixture
def scene(theatre: Theatre) -> Scene:
    ensemble = replace(theatre.ensemble, cluster=SeenCluster(theatre))
    return Scene(ensemble, FRAUD, "drl-1", theatre.clock)


def broken(breakage: Breakage, scene: Scene) -> tuple[Defect, dict[str, Any]]:
    """The defect, injected, and how the journal says to undo it."""
    defect = defect_of(breakage, scene)
    now = scene.clock.now()
    undo = defect.prepare(Baseline(now, 1, {}, None, None))
    defect.inject()
    return defect, dict(undo)


def state(theatre: Theatre) -> tuple[Any, list[str]]:
    found = copy.deepcopy(theatre.objects.there)
    shown = {path: one["spec"] if path == PATH else one for path, one in found.items()}
    return shown, list(theatre.props.misused)


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_nobody_mended_the_drill_mends_and_says_so(name: str, scene: Scene, theatre: Theatre) -> None:
    before = state(theatre)
    defect, _ = broken(BREAKAGES[name], scene)
    assert state(theatre) != before
    assert defect.mend() is False
    assert state(theatre) == before
    assert defect.truth(is_mended=False).began == theatre.clock.now()


@pytest.mark.parametrize("scenario", platform.SCENARIOS, ids=lambda scenario: str(scenario.name))
def test_the_truth_speaks_of_its_cause_as_triage_does(scenario: Scenario, scene: Scene) -> None:
    defect, _ = broken(scenario.defect, scene)
    truth = defect.truth(is_mended=False)
    kind, subject = CAUSES[scenario.name]
    assert (scenario.true_cause, truth.subject, truth.revision) == (kind.value, subject, None)


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_a_killed_drill_left_is_mended_by_its_record_alone(
    name: str, scene: Scene, theatre: Theatre
) -> None:
    before, _ = state(theatre)
    _, undo = broken(BREAKAGES[name], scene)
    clear(undo, scene)
    clear(undo, scene)  # also when that one is killed after it
    assert state(theatre)[0] == before
    assert theatre.props.restored[-1:] == (["partner"] if name == "stolen-key" else [])


def renew(theatre: Theatre) -> None:
    theatre.objects.there["/api/v1/namespaces/ml/secrets/fraud-tls"]["data"]["tls.crt"] = "another"


def write_and_read_back(theatre: Theatre) -> None:
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    job = {"metadata": {"name": "model-backup-9-check"}, "status": done}
    theatre.objects.create_object("/apis/batch/v1/namespaces/ml/jobs", job)


def rotate(theatre: Theatre) -> None:
    theatre.props.last_status = 401


def scale_back(theatre: Theatre) -> None:
    theatre.objects.there[PATH]["spec"]["replicas"] = 7  # what its budget pays for; 3 were there before


def restore(theatre: Theatre) -> None:
    theatre.objects.there[PATH] = copy.deepcopy(DEPLOYMENT)


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("ending-certificate", renew),
        ("failed-backup", write_and_read_back),
        ("stolen-key", rotate),
        ("over-budget", scale_back),
        ("lost-workload", restore),
    ],
)
def test_what_the_responders_mended_is_theirs_also_when_it_is_looked_at_twice(
    name: str, cure: Callable[[Theatre], None], scene: Scene, theatre: Theatre
) -> None:
    before = state(theatre)
    defect, _ = broken(BREAKAGES[name], scene)
    cure(theatre)
    assert (defect.mend(), defect.mend()) == (True, True)
    assert state(theatre) == before


def test_a_certificate_that_went_away_or_got_another_key_is_not_renewed(
    scene: Scene, theatre: Theatre
) -> None:
    path = "/api/v1/namespaces/ml/secrets/fraud-tls"
    defect, _ = broken(EndingCertificate("fraud-tls", 5.0), scene)
    theatre.objects.there[path]["data"] = {"tls.crt": "another", "tls.key": "another"}
    assert defect.mend() is False
    defect, _ = broken(EndingCertificate("fraud-tls", 5.0), scene)
    del theatre.objects.there[path]
    assert defect.mend() is False


def test_a_backup_that_nobody_read_back_is_no_cure(scene: Scene, theatre: Theatre) -> None:
    defect, _ = broken(LostDestination("modles"), scene)
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    job = {"metadata": {"name": "model-backup-9"}, "status": done}
    theatre.objects.create_object("/apis/batch/v1/namespaces/ml/jobs", job)
    assert defect.mend() is False


def test_a_key_that_still_gets_in_is_not_taken_away(scene: Scene, theatre: Theatre) -> None:
    defect, _ = broken(MisusedKey("partner"), scene)
    theatre.props.last_status = 403
    assert defect.mend() is False


def test_what_is_there_already_is_somebody_elses(scene: Scene, theatre: Theatre) -> None:
    for breakage, plural, name in (
        (EndingCertificate("fraud-tls", 5.0), "secrets", "fraud-tls"),
        (LostDestination("modles"), "configmaps", "model-backup"),
    ):
        theatre.objects.create_object(f"/api/v1/namespaces/ml/{plural}", {"metadata": {"name": name}})
        with pytest.raises(NothingDone):
            broken(breakage, scene)


def test_a_manifest_has_nothing_that_only_the_cluster_may_say() -> None:
    assert declared(DEPLOYMENT) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "fraud", "namespace": "ml", "labels": {"app": "fraud"},
            "annotations": {"kubernetes.io/change-cause": "x"},
        },
        "spec": DEPLOYMENT["spec"],
    }  # fmt: skip
