"""The table of anomalies that go on.

Invariant: every column comes from an event; one row a service and measure.
"""

from __future__ import annotations

import json
import sqlite3

from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.incidents.intake.anomalies.model import Anomaly, Baseline, Measure, Service
from maestro_cli.incidents.register import Reads
from maestro_cli.journal.model import Event

KIND = "anomaly"  # of evidence


class AnomalyProjection:
    """Folds `anomaly.begun`, `anomaly.ended` and the evidence that names an anomaly."""

    name = "anomalies"
    version = 1
    tables = ("anomalies",)
    schema = """
CREATE TABLE anomalies (
    subject TEXT PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, measure TEXT NOT NULL,
    since TEXT NOT NULL, text TEXT NOT NULL, value REAL NOT NULL, mads REAL NOT NULL, baseline TEXT NOT NULL,
    incident TEXT NOT NULL
);
"""

    def apply(self, db: sqlite3.Connection, event: Event) -> None:
        """Fold one event; kinds it does not know are ignored."""
        data = event.data
        if event.kind == "anomaly.begun":
            db.execute(
                "INSERT OR REPLACE INTO anomalies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '')",
                (
                    event.subject,
                    data["namespace"],
                    data["name"],
                    data["measure"],
                    data["since"],
                    data["text"],
                    data["value"],
                    data["mads"],
                    canonical_json(data["baseline"]),
                ),
            )
        elif event.kind == "anomaly.ended":
            db.execute("DELETE FROM anomalies WHERE subject = ?", (event.subject,))
        elif event.kind == "incident.evidence" and data.get("kind") == KIND and data.get("ok"):
            db.execute(
                "UPDATE anomalies SET incident = ? WHERE subject = ?",
                (data["incident"], data["facts"]["anomaly"]),
            )


def current_anomalies(reads: Reads) -> tuple[Anomaly, ...]:
    """Those that go on, the oldest first."""
    rows = reads.query("SELECT * FROM anomalies ORDER BY since, subject")
    return tuple(
        Anomaly(
            Service(row["namespace"], row["name"]),
            Measure(row["measure"]),
            from_rfc3339(row["since"]),
            row["text"],
            row["value"],
            row["mads"],
            Baseline(**json.loads(row["baseline"])),
            row["incident"],
        )
        for row in rows
    )
