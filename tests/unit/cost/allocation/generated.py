"""Clusters that nobody would think of, by a seed: things come and go, have no price, are not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from maestro_cli.cost.metering.model import (
    BalancerRef,
    ContainerRef,
    Hours,
    Matrix,
    Metered,
    NodeRef,
    Signal,
    TelemetryRef,
    VolumeRef,
)
from maestro_cli.cost.prices.model import (
    Capacity,
    Egress,
    NodePrice,
    PriceBook,
    PriceVersion,
    Resource,
    StorageClass,
    UnitRates,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
NAMESPACES = ("ml", "web", "batch", "kube-system", "monitoring")
_SIZES = ((4.0, 16.0, 0.0), (8.0, 32.0, 0.0), (2.0, 4.0, 0.0), (8.0, 64.0, 2.0))


def cluster(seed: int) -> tuple[Metered, PriceBook]:
    """One cluster of at most 5 nodes, 14 containers and 8 hours, and its prices."""
    random = np.random.default_rng(seed)
    hours = Hours(START, int(random.integers(1, 9)))
    nodes, capacity, present = _nodes(random, hours)
    containers = _containers(random, [node.name for node in nodes])
    requested, used = _amounts(random, containers, hours)
    volumes, gib = _volumes(random, containers, hours)
    balancers = tuple(BalancerRef("web", f"front-{one}") for one in range(random.integers(0, 3)))
    sent = {
        place: np.where(random.random((len(containers), hours.count)) < 0.2, np.nan, 3.0)
        for place in ("zone", "region", "internet")[: random.integers(0, 4)]
    }
    metered = Metered(
        cluster="lab",
        hours=hours,
        containers=containers,
        nodes=nodes,
        volumes=volumes,
        requested=requested,
        used=used,
        capacity=capacity,
        present=present,
        volume_gib=gib,
        coverage=random.choice([0.0, 0.5, 1.0], hours.count, p=[0.1, 0.1, 0.8]),
        sent_gib=sent,
        balancers=balancers,
        balancer_hours=random.random((len(balancers), hours.count)),
    )
    metered = replace(metered, **_telemetry(random, hours))
    return metered, _book(random, hours)


def _telemetry(random: np.random.Generator, hours: Hours) -> dict[str, Any]:
    """What some namespaces logged and traced; a signal may have been counted in some hours alone."""
    refs = [
        TelemetryRef(signal, namespace)
        for signal in Signal
        for namespace in ("", *NAMESPACES)
        if random.random() < 0.3
    ]
    amounts = random.random((len(refs), hours.count))
    for signal in Signal:
        rows = [row for row, one in enumerate(refs) if one.signal is signal]
        amounts[rows] = np.where(random.random(hours.count) < 0.1, np.nan, amounts[rows])
    return {"telemetry": tuple(refs), "telemetry_amounts": amounts}


def _nodes(
    random: np.random.Generator, hours: Hours
) -> tuple[tuple[NodeRef, ...], dict[Resource, Matrix], Matrix]:
    count = int(random.integers(0, 6))
    refs: list[NodeRef] = []
    present = np.ones((count, hours.count))
    sizes = np.zeros((count, 3))
    for row in range(count):
        kind = int(random.integers(0, 4))
        bought = Capacity.SPOT if random.random() < 0.3 else Capacity.ON_DEMAND
        zone = f"eu-{'ab'[row % 2]}"
        gpu = "l4" if kind == 3 else ""
        refs.append(NodeRef(f"node-{row}", ("small", "big", "", "gpu")[kind], "eu", zone, bought, gpu))
        sizes[row] = _SIZES[kind]
        if random.random() < 0.4:  # it comes and goes within the window
            came, went = sorted(random.random(2) * hours.count)
            beginnings = np.arange(hours.count)
            present[row] = np.clip(np.minimum(beginnings + 1, went) - np.maximum(beginnings, came), 0.0, 1.0)
    unknown = random.random(present.shape) < 0.05
    alone = random.random(present.shape) < 0.3  # its memory, and all else was told
    capacity = {
        one: np.where(unknown & (~alone | (one is Resource.MEMORY)), np.nan, sizes[:, [number]] * present)
        for number, one in enumerate(Resource)
    }
    return tuple(refs), capacity, present


def _containers(random: np.random.Generator, nodes: list[str]) -> tuple[ContainerRef, ...]:
    refs = []
    for number in range(int(random.integers(0, 15))):
        name = f"app-{number % 4}"
        node = str(random.choice(nodes)) if nodes and random.random() < 0.9 else ""
        labels = {"tier": f"t{number % 2}"} if number % 5 else {}
        refs.append(
            ContainerRef(
                namespace=str(random.choice(NAMESPACES)),
                pod=f"{name}-{number // 2}",
                container=f"c{number % 2}",
                node="unheard-of" if random.random() < 0.03 else node,
                workload_kind="Deployment" if number % 4 else "",
                workload=name if number % 4 else "",
                labels=labels,
                team=("", "risk", "growth")[number % 3],
                model=("", "fraud")[number % 2],
                version=("", "", "3", "4")[number % 4],
                qos="Burstable",
            )
        )
    return tuple(refs)


def _amounts(
    random: np.random.Generator, containers: tuple[ContainerRef, ...], hours: Hours
) -> tuple[dict[Resource, Matrix], dict[Resource, Matrix]]:
    shape = (len(containers), hours.count)
    busy = 3.0 if random.random() < 0.3 else 0.5  # the first is over-commit
    lived = random.random(shape) > 0.15

    def amounts(scale: float, unmeasured: float) -> Matrix:
        found = random.random(shape) * scale * busy
        return np.where(lived & (random.random(shape) >= unmeasured), found, np.nan)

    if random.random() < 0.1:  # there is a cluster, and nobody in it
        lived[:] = False
    on_gpu = np.asarray([one.model == "fraud" for one in containers], dtype=bool)[:, None]
    requested = {
        Resource.CPU: amounts(4.0, 0.2),
        Resource.MEMORY: amounts(12.0, 0.2),
        Resource.GPU: np.where(on_gpu & lived, 1.0, np.nan),
    }
    return requested, {Resource.CPU: amounts(4.0, 0.1), Resource.MEMORY: amounts(12.0, 0.1)}


def _volumes(
    random: np.random.Generator, containers: tuple[ContainerRef, ...], hours: Hours
) -> tuple[tuple[VolumeRef, ...], Matrix]:
    refs = []
    for number in range(int(random.integers(0, 4))):
        home = str(random.choice(NAMESPACES))
        pods = sorted({one.pod for one in containers if one.namespace == home})
        mounting = tuple(pods[: random.integers(0, len(pods) + 1)])
        name = ("ssd", "archive", "")[int(random.choice(3, p=[0.7, 0.15, 0.15]))]
        refs.append(VolumeRef(f"pv-{number}", name, home, f"data-{number}", mounting))
    gib = random.random((len(refs), hours.count)) * 100
    return tuple(refs), np.where(random.random(gib.shape) < 0.1, np.nan, gib)


def _book(random: np.random.Generator, hours: Hours) -> PriceBook:
    first = START - timedelta(days=1) if random.random() < 0.9 else hours.beginning(1)
    versions = [_version(random, first)]
    if random.random() < 0.5:
        versions.append(_version(random, START + timedelta(hours=float(random.uniform(1.1, 6)))))
    return PriceBook.of("EUR", versions)


def _version(random: np.random.Generator, since: datetime) -> PriceVersion:
    dear = float(random.uniform(0.5, 2.0))
    listed = UnitRates(0.03 * dear, 0.004 * dear, 0.9 * dear)
    lines = (
        NodePrice("big", 0.4 * dear),
        NodePrice("big", 0.1 * dear, Capacity.SPOT),
        NodePrice("gpu", 1.1 * dear, gpus_apart=bool(random.random() < 0.3)),
    )
    return PriceVersion(
        since=since,
        on_demand=listed,
        spot=UnitRates(0.007 * dear, 0.0009 * dear, 0.3 * dear) if random.random() < 0.8 else None,
        nodes=lines[: random.integers(0, 4)],
        gpus={"l4": 0.7 * dear} if random.random() < 0.5 else {},
        storage=(StorageClass("ssd", 0.0001 * dear),),
        egress=Egress(0.01, 0.01, 0.12 if random.random() < 0.7 else None),
        control_plane_hourly=0.1 * dear if random.random() < 0.7 else None,
        load_balancer_hourly=0.025 if random.random() < 0.7 else None,
        per_gib_logged=0.5 * dear if random.random() < 0.7 else None,
        per_million_log_records=0.2 if random.random() < 0.3 else None,
        per_million_spans=0.3 if random.random() < 0.7 else None,
    )
