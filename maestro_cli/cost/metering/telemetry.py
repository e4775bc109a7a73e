"""How much was logged and traced, and by whom: by what backends and collectors count of themselves.

Names and labels are those of Loki and Tempo, whose distributors count by tenant; of OpenTelemetry collectors
(with `_total` where their exporter adds it), which count by receiver; and of Rotel. A label names who sent
where its value is a namespace of the cluster; what is sent by nobody that is known has none.

Invariant: what one job passes on to another counts once. A backend is believed before collectors, and of
several jobs of one kind the one that told the most; the others are named. Jobs that each name all who sent,
and no two the same, stand side by side: they add up, and are named too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from maestro_cli.core.promql import promql_label, promql_string
from maestro_cli.core.untrusted import visible
from maestro_cli.cost.cluster_series import ClusterSeries
from maestro_cli.cost.metering.model import GIB, Matrix, Signal, TelemetryRef

if TYPE_CHECKING:
    from maestro_cli.cost.metering.bins import Grid

SENDERS = ("tenant",)  # k8s_namespace_name may be the collector's own
TELLER = "told_by"
LOKI, TEMPO, OTELCOL, ROTEL = "Loki", "Tempo", "OpenTelemetry collector", "Rotel"
_SAYS = "costs.telemetry says who is paid"
_MILLION = 1e6
_REPLICAS = "prometheus_replica, replica"  # labels of two Prometheus that scrape the same
Teller: TypeAlias = tuple[str, str]  # a kind of program and a job
Told: TypeAlias = tuple[str, str, str]  # the same, and the namespace that it names
Amounts: TypeAlias = dict[str, Matrix]  # by namespace
Exporters: TypeAlias = Mapping[tuple[str, str, Signal], set[str]]  # by program, job and signal
_NO_EXPORTERS: Exporters = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TelemetryNames:
    """`match` are labels of who is believed, where several count the same; `senders` name a namespace.

    `programs` are those of a program, in place of `match`.
    """

    match: Mapping[str, str] = field(default_factory=dict)
    senders: tuple[str, ...] = SENDERS
    programs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, program: str) -> Mapping[str, str]:
        return self.programs.get(program, self.match)


@dataclass(frozen=True, slots=True)
class _Counter:
    program: str
    signal: Signal
    metric: str
    unit: float


def _counted(program: str, metric: str) -> Iterator[_Counter]:
    """With the suffix that exporters to Prometheus add, and without."""
    for signal, what in ((Signal.SPANS, "spans"), (Signal.LOG_RECORDS, "log_records")):
        for suffix in ("_total", ""):
            yield _Counter(program, signal, f"{metric}_{what}{suffix}", _MILLION)


# The first program that told of a signal is believed.
COUNTERS = (
    _Counter(LOKI, Signal.LOGS, "loki_distributor_bytes_received_total", GIB),
    _Counter(TEMPO, Signal.SPANS, "tempo_distributor_spans_received_total", _MILLION),
    *_counted(OTELCOL, "otelcol_receiver_accepted"),
    *_counted(ROTEL, "rotel_receiver_accepted"),
)
_PROGRAMS = tuple(dict.fromkeys(one.program for one in COUNTERS))


def telemetry_query(series: ClusterSeries, names: TelemetryNames, bin_seconds: int) -> str:
    """What every counter grew by in a bin, by job and sender, and which counter it was."""
    by = ", ".join(dict.fromkeys(("job", *map(promql_label, names.senders))))
    parts = []
    for number, one in enumerate(COUNTERS):
        grown = f"increase({series.of(one.metric, names.of(one.program))}[{bin_seconds}s])"
        summed = f"sum by ({by}) (max without ({_REPLICAS}) ({grown}))"
        parts.append(f'label_replace({summed}, "{TELLER}", {promql_string(str(number))}, "", "")')
    return " or ".join(parts)


def sender_of(labels: Mapping[str, str], names: TelemetryNames) -> str:
    """The value of the first label that says who sent; empty for none."""
    return next((labels[one] for one in names.senders if labels.get(one)), "")


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One row a signal and namespace; NaN in an hour in which nobody counted the signal."""

    refs: tuple[TelemetryRef, ...]
    amounts: Matrix
    notes: tuple[str, ...]


def telemetry_of(
    told: Mapping[int, Grid[Told]],
    namespaces: Iterable[str],
    hours: int,
    exporters: Exporters = _NO_EXPORTERS,
) -> Telemetry:
    """What was counted, by counter; who is none of `namespaces` is nobody.

    `exporters` are those that some collectors of a job send by, and not all.
    """
    import numpy as np

    known = set(namespaces)
    refs: list[TelemetryRef] = []
    rows: list[Matrix] = []
    notes: list[str] = []
    for signal in Signal:
        by_teller = _by_teller(told, signal, known, hours)
        if not by_teller:
            continue
        paid, others = _believed(by_teller)
        amounts = {sender: row for teller in paid for sender, row in by_teller[teller].items()}
        seen = ~np.isnan(np.vstack(list(amounts.values()))).all(axis=0)
        for namespace in sorted(amounts):
            refs.append(TelemetryRef(signal, namespace))
            rows.append(np.where(seen, np.nan_to_num(amounts[namespace]), np.nan))
        notes.extend(_told_of(signal, paid, others))
        notes.extend(_apart(signal, paid, exporters))
    return Telemetry(tuple(refs), np.vstack(rows) if rows else np.zeros((0, hours)), tuple(notes))


def _by_teller(
    told: Mapping[int, Grid[Told]], signal: Signal, known: set[str], hours: int
) -> dict[Teller, Amounts]:
    """What each teller counted, by namespace; NaN where it did not."""
    import numpy as np

    found: defaultdict[Teller, Amounts] = defaultdict(dict)
    for number, grid in told.items():
        if COUNTERS[number].signal is not signal:
            continue
        for (program, job, sender), row in grid.rows.items():
            namespace = sender if sender in known else ""
            held = found[program, job].get(namespace, np.full(hours, np.nan))
            both = np.where(np.isnan(held), row, held + np.nan_to_num(row))
            found[program, job][namespace] = both
    return found


def _believed(by_teller: Mapping[Teller, Amounts]) -> tuple[tuple[Teller, ...], tuple[Teller, ...]]:
    """Who are, and the others that counted anything of the signal."""
    import numpy as np

    whole = {
        teller: sum(float(np.nansum(row)) for row in rows.values()) for teller, rows in by_teller.items()
    }
    order = sorted(whole, key=lambda one: (not whole[one], _PROGRAMS.index(one[0]), -whole[one], one))
    counted = [one for one in order if whole[one]]
    paid = order[:1]
    named = set(by_teller[order[0]])
    for teller in counted[1:]:
        senders = set(by_teller[teller])
        if teller[0] == order[0][0] and "" not in named | senders and not named & senders:
            paid.append(teller)
            named |= senders
    return tuple(paid), tuple(one for one in counted if one not in paid)


def _told_of(signal: Signal, paid: Sequence[Teller], others: Sequence[Teller]) -> Iterator[str]:
    """Who counted the signal, where that were several."""
    believed = ", ".join(_shown(one) for one in paid)
    if len(paid) > 1:
        yield (
            f"{signal.value} are added up of {believed}, which name different senders: "
            f"where one passes on to another, {_SAYS}"
        )
    if others:
        too = ", ".join(_shown(one) for one in others)
        yield f"{signal.value} are counted by {believed}; {too} count them too: {_SAYS}"


def _apart(signal: Signal, paid: Sequence[Teller], exporters: Exporters) -> Iterator[str]:
    """Collectors of one job of which some may pass on to the others: both count the same."""
    for program, job in paid:
        if found := exporters.get((program, job, signal)):
            ways = ", ".join(visible(one, 60) for one in sorted(found))
            yield (
                f"{signal.value} are added up of all in {_shown((program, job))}, of which only some send by "
                f"{ways}: where these pass on to others of the job each counts twice, {_SAYS}"
            )


def _shown(teller: Teller) -> str:
    program, job = teller
    return f"{program} (job {visible(job, 60)})" if job else program
