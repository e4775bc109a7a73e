"""Looks for anomalies again and again, records them, and hands the trusted ones on as signals.

Invariant: an anomaly opens nothing by itself unless its measure is trusted; it is recorded when it begins
and when it ends, once, whichever watcher sees it first, and is evidence of an open incident of its
workload. What cannot be judged begins none, and ends none at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from maestro_cli.core.clock import Clock
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.facts.alerts import Alert, fingerprint_of
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.incidents.intake.anomalies.judging import (
    NEAR,
    ROLLING,
    SAMPLE_SECONDS,
    SAMPLES,
    baseline_of,
    explain,
    judge,
)
from maestro_cli.incidents.intake.anomalies.model import Anomaly, Measure, Points, Reading, Service
from maestro_cli.incidents.intake.anomalies.projection import KIND, current_anomalies
from maestro_cli.incidents.intake.anomalies.queries import (
    JUDGED_RATE,
    METRICS,
    QUERIES,
    SIZES,
    WINDOW_SECONDS,
)
from maestro_cli.incidents.intake.blindness import begin_blindness, end_blindness
from maestro_cli.incidents.intake.correlation import capped, incident_key
from maestro_cli.incidents.ports import Metrics
from maestro_cli.incidents.register import open_incident_of_key
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.journal.store import Journal, Transaction

SOURCE = "anomalies"
HISTORY_DAYS = 21  # three of each weekday
HISTORY_STEP_SECONDS = 900.0
HISTORY_KEPT = timedelta(hours=1)
OVERLAP = timedelta(minutes=5)  # read again at every look: what was scraped late is in it
HOLD = timedelta(minutes=30)  # one that cannot be judged any more is given up after so long
LONGEST = timedelta(days=1)  # then it is what is usual
MAX_SERIES = 10_000  # of the metrics of one measure: with more it is not read (docs/signals.md)
MAX_SERVICES = 500  # of one measure, by name: what is beyond them is not judged
ByService = Mapping[Service, Points]


class Patrol:
    """A source of signals: the anomalies of the trusted measures that go on."""

    def __init__(
        self,
        metrics: Metrics,
        journal: Journal,
        clock: Clock,
        actor: str,
        *,
        trusted: Collection[Measure] = (),
        max_series: int = MAX_SERIES,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`note` hears which measures are not read, since they would read more than `max_series`."""
        self._metrics, self._journal, self._clock, self._actor = metrics, journal, clock, actor
        self._trusted = frozenset(trusted)
        self._max_series, self._note = max_series, note
        self._too_large: dict[Measure, str] = {}  # why each is not read
        self._history: dict[Measure, ByService] = {}
        self._history_at: datetime | None = None
        self._recent: dict[str, ByService] = {}  # by query: the hours before
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._judged_at: dict[str, datetime] = {}  # when each that goes on was last judged, by subject

    def alerts(self) -> tuple[Alert, ...]:
        """Look once; raises MaestroError when the metrics cannot be read. Of a trusted measure whose metrics
        are too many the journal says that it is not seen; the others are told all the same."""
        self.look()
        for measure in Measure:
            source, why = f"{SOURCE}/{measure.value}", self._too_large.get(measure, "")
            if why and measure in self._trusted:
                begin_blindness(self._journal, self._actor, source, why)
            else:
                end_blindness(self._journal, self._clock, self._actor, source)
        return tuple(map(_alert, (one for one in self.current() if one.measure in self._trusted)))

    def current(self) -> tuple[Anomaly, ...]:
        return current_anomalies(self._journal)

    def look(self) -> None:
        """Judge every service by every measure at the last full minute, and record what is new."""
        now = self._clock.now()
        at = now.replace(second=0, microsecond=0)
        is_due = self._history_at is None or at - self._history_at >= HISTORY_KEPT
        if is_due:
            self._weigh(at)
        read = {measure: query for measure, query in QUERIES.items() if measure not in self._too_large}
        since = at - ROLLING if is_due or at - self._looked_at >= OVERLAP else at - OVERLAP
        recent = {measure: self._newest(query, since, at) for measure, query in read.items()}
        judged = self._newest(JUDGED_RATE, since, at) if Measure.ACCURACY in read else {}
        self._looked_at = at
        if is_due:
            self._history = {measure: self._earlier_days(query, at) for measure, query in read.items()}
            self._history_at = at
        standing = {one.subject: one for one in self.current()}
        begun: list[Anomaly] = []
        ended: list[tuple[Anomaly, str]] = []
        for measure in QUERIES:
            services = recent.get(measure, {})
            events = judged if measure is Measure.ACCURACY else recent.get(Measure.REQUEST_RATE, {})
            known = {one.service: one for one in standing.values() if one.measure is measure}
            for service in sorted({*services, *known}, key=str):
                anomaly = known.get(service)
                points = services.get(service, ())
                reading = self._reading(measure, service, points, events.get(service, ()), at, anomaly)
                if anomaly is None and reading.verdict == "unusual":
                    begun.append(_made(measure, service, points, reading))
                elif anomaly is not None and (why := self._over(anomaly, reading, at)):
                    ended.append((anomaly, why))
        self._record(begun, ended)

    def _reading(
        self,
        measure: Measure,
        service: Service,
        points: Points,
        events: Points,
        at: datetime,
        anomaly: Anomaly | None,
    ) -> Reading:
        """What goes on is judged by earlier days, or by the hours before it began."""
        history = self._history.get(measure, {}).get(service, ())
        if anomaly is None:
            baseline = baseline_of(measure, history, points, at)
        else:
            baseline = baseline_of(measure, history, (), at) or anomaly.baseline
        is_new = points and at - points[-1][0] <= timedelta(seconds=1.5 * SAMPLE_SECONDS)
        counts = tuple((instant, value * WINDOW_SECONDS) for instant, value in events)
        of_events = None if measure is Measure.SATURATION else counts
        return judge(measure, baseline, points if is_new else (), of_events)

    def _over(self, anomaly: Anomaly, reading: Reading, at: datetime) -> str:
        """Why it is over; empty while it goes on."""
        if reading.verdict == "usual":
            return "it is usual again"
        if at - anomaly.since >= LONGEST:
            return "it lasted for a day, and is what is usual now"
        if reading.verdict == "none":
            judged_at = self._judged_at.setdefault(anomaly.subject, at)
            return f"it cannot be judged: {reading.why}" if at - judged_at >= HOLD else ""
        self._judged_at[anomaly.subject] = at
        return ""

    def _weigh(self, at: datetime) -> None:
        """Which measures have so many series that reading them would burden Prometheus: told once."""
        counted = {
            one.labels.get("__name__", ""): one.value for one in self._metrics.query(SIZES, at=at).samples
        }
        found = {}
        for measure, names in METRICS.items():
            series = int(sum(counted.get(name, 0.0) for name in names))
            if series > self._max_series:
                found[measure] = (
                    f"{measure.words} is not judged: its metrics have {series} series, more than"
                    f" {self._max_series}"
                )
        for measure in found.keys() - self._too_large.keys():
            self._note(found[measure])
        self._too_large = found

    def _newest(self, query: str, since: datetime, at: datetime) -> ByService:
        """The hours before: what is known of them, and what is read since then."""
        read = self._read(query, since, at)
        known = self._recent.get(query, {})
        found: dict[Service, Points] = {}
        for service in read.keys() | known.keys():
            kept = (one for one in known.get(service, ()) if at - ROLLING <= one[0] < since)
            found[service] = (*kept, *read.get(service, ()))
        self._recent[query] = {service: points for service, points in found.items() if points}
        return self._recent[query]

    def _read(
        self, query: str, start: datetime, end: datetime, step: float = SAMPLE_SECONDS
    ) -> dict[Service, Points]:
        found: dict[Service, Points] = {}
        for series in self._metrics.query_range(query, start, end, step):
            namespace, name = (series.labels.get(label, "") for label in ("namespace", "deployment"))
            if namespace and name and len(found) < MAX_SERVICES:
                found[Service(capped(namespace, 253), capped(name, 253))] = series.points
        return found

    def _earlier_days(self, query: str, at: datetime) -> ByService:
        """Of each earlier day what is near the hour to come, for Prometheus reads every sample of a range;
        where that cannot be read, the hours before are what is usual."""
        quarter = at.replace(minute=at.minute // 15 * 15)
        step = timedelta(seconds=HISTORY_STEP_SECONDS)
        found: dict[Service, Points] = {}
        for days in range(HISTORY_DAYS, 0, -1):
            then = quarter - timedelta(days=days)
            try:
                day = self._read(query, then - NEAR, then + HISTORY_KEPT + step + NEAR, HISTORY_STEP_SECONDS)
            except MaestroError:
                return {}
            for service, points in day.items():
                found[service] = found.get(service, ()) + points
        return found

    def _record(self, begun: list[Anomaly], ended: list[tuple[Anomaly, str]]) -> None:
        if not begun and not ended and not any(map(self._new_incident, self.current())):
            return
        with self._journal.transaction() as transaction:
            standing = {one.subject: one for one in current_anomalies(transaction)}
            for anomaly in begun:
                if anomaly.subject not in standing:
                    transaction.append("anomaly.begun", anomaly.subject, self._actor, _facts(anomaly))
            for anomaly, why in ended:
                if (now := standing.get(anomaly.subject)) is not None:
                    self._judged_at.pop(anomaly.subject, None)
                    transaction.append("anomaly.ended", anomaly.subject, self._actor, {"reason": why})
                    if now.incident:
                        self._tell_end(transaction, now, why)
            for anomaly in current_anomalies(transaction):
                incident = self._new_incident(anomaly, transaction)
                if incident:
                    self._add_evidence(transaction, incident, anomaly)

    def _new_incident(self, anomaly: Anomaly, reads: Journal | Transaction | None = None) -> str:
        """The open incident of its workload that does not tell of it yet, or empty."""
        service = anomaly.service
        key = incident_key({"namespace": service.namespace, "deployment": service.name})
        found = open_incident_of_key(reads or self._journal, key)
        return found.id if found is not None and found.id != anomaly.incident else ""

    def _tell_end(self, transaction: Transaction, anomaly: Anomaly, why: str) -> None:
        data = {
            "incident": anomaly.incident,
            "anomaly": anomaly.subject,
            "service": str(anomaly.service),
            "measure": anomaly.measure.value,
            "text": why,
        }
        transaction.append("incident.anomaly", f"incident/{anomaly.incident}", self._actor, data)

    def _add_evidence(self, transaction: Transaction, incident: str, anomaly: Anomaly) -> None:
        evidence = Evidence(
            KIND,
            f"Unusual {anomaly.measure.words} of {anomaly.service}",
            QUERIES[anomaly.measure],
            self._clock.now(),
            "prometheus",
            anomaly.text,
            facts={"anomaly": anomaly.subject, **_facts(anomaly)},
        )
        data = {"incident": incident, **evidence.as_data()}
        transaction.append("incident.evidence", f"incident/{incident}", self._actor, data)


def _made(measure: Measure, service: Service, points: Points, reading: Reading) -> Anomaly:
    assert reading.baseline is not None  # nothing is unusual without one
    since = points[-SAMPLES][0]
    text = explain(measure, reading)
    return Anomaly(service, measure, since, text, reading.value, reading.mads, reading.baseline)


def _facts(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "namespace": anomaly.service.namespace,
        "name": anomaly.service.name,
        "measure": anomaly.measure.value,
        "since": anomaly.since,
        "text": anomaly.text,
        "value": anomaly.value,
        "mads": round(anomaly.mads, 3),
        "baseline": asdict(anomaly.baseline),
    }


def _alert(anomaly: Anomaly) -> Alert:
    labels = {
        "alertname": "Anomaly" + anomaly.measure.value.title().replace("_", ""),
        "severity": "sev3",
        "namespace": anomaly.service.namespace,
        "deployment": anomaly.service.name,
        "measure": anomaly.measure.value,
    }
    return Alert(
        fingerprint=fingerprint_of({"source": SOURCE, "subject": anomaly.subject}),
        firing=True,
        labels={name: Untrusted(value) for name, value in labels.items()},
        annotations={"summary": Untrusted(anomaly.text)},
        starts_at=anomaly.since,
        source=SOURCE,
    )
