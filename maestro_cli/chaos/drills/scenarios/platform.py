"""What goes wrong around the platform: security, cost, certificates, backups, disasters.

Most of these are no failures of requests: triage finds their causes in what is around a workload.
"""

from __future__ import annotations

from maestro_cli.chaos.drills.defects.backup import LostDestination
from maestro_cli.chaos.drills.defects.certificate import EndingCertificate
from maestro_cli.chaos.drills.defects.key import MisusedKey
from maestro_cli.chaos.drills.defects.workload import Deletion, OtherScale
from maestro_cli.chaos.drills.model import Scenario
from maestro_cli.core.refs import WorkloadRef

_FRAUD = WorkloadRef("Deployment", "ml", "fraud")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="stolen-key",
        title="A partner's key is in the wrong hands",
        description=(
            "Somebody has the key of a partner, which may ask for predictions, and tries with it what "
            "operators may do. Every attempt is refused, and written down by the servers."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="key",
        right_fix="security-incident/rotate",
        defect=MisusedKey("partner"),
        runbook="security-incident",
        alert="KeyUsedOutOfScope",
        answers={"contain": "rotate"},
    ),
    Scenario(
        name="over-budget",
        title="The fraud model is scaled up for no reason",
        description=(
            "Somebody scales the fraud model to eight replicas and forgets it. Three carry the load, and "
            "seven are what its budget pays for: it has room for a surge of requests."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="scale",
        right_fix="scale",
        defect=OtherScale(8),
        runbook="cost-overrun",
        alert="SpendOverBudget",
    ),
    Scenario(
        name="ending-certificate",
        title="A certificate ends in five days",
        description=(
            "A certificate that somebody made by hand, and that nothing renews, gets old in its Secret. "
            "Nothing fails yet."
        ),
        target=_FRAUD,
        objective=None,
        true_cause="certificate",
        right_fix="certificate-expiry/renew",
        defect=EndingCertificate("fraud-tls", days=5.0),
        runbook="certificate-expiry",
        alert="CertificateExpiration",
        answers={"agreed": "yes"},
    ),
    Scenario(
        name="failed-backup",
        title="The backup of the models has no destination",
        description=(
            "Somebody mistyped the destination of the models' backup. It runs, finds no such folder, and "
            "fails; models are served as ever."
        ),
        target=_FRAUD,
        objective=None,
        true_cause="backup",
        right_fix="backup-failure/check",
        defect=LostDestination("modles"),
        runbook="backup-failure",
        alert="BackupFailed",
        answers={"destination": "models"},
    ),
    Scenario(
        name="lost-workload",
        title="The deployment of the fraud model is deleted",
        description=(
            "Somebody deletes the deployment of the fraud model. All its replicas end, nothing starts them "
            "again, and every request fails before it reaches a server."
        ),
        target=_FRAUD,
        objective="fraud-availability",
        true_cause="deletion",
        right_fix="disaster-recovery/restore",
        defect=Deletion(),
        runbook="disaster-recovery",
        alert="WorkloadGone",
        answers={"agreed": "yes"},
    ),
)
