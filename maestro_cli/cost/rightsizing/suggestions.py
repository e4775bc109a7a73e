"""What is worth a person's look and is never done by itself: GPUs that idle, replicas that nothing needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maestro_cli.core.untrusted import visible
from maestro_cli.cost.rightsizing.advice import ContainerAdvice, Suggestion
from maestro_cli.cost.rightsizing.facts import Fact, Facts
from maestro_cli.cost.rightsizing.model import WorkloadId
from maestro_cli.cost.rightsizing.own_rule import LEAST_CORES

IDLE = 0.2  # of a GPU, 95 of 100 times in a week
LEAST_COVERAGE = 0.9
ENOUGH_REPLICAS = 2  # one for each of two zones


def suggestions_for(
    workload: WorkloadId, containers: Sequence[ContainerAdvice], facts: Facts
) -> Iterator[Suggestion]:
    """For one workload."""
    for gpu in facts.gpus.get(workload, ()):
        if gpu.busy < IDLE and gpu.coverage >= LEAST_COVERAGE:
            told = (
                Fact(f"busy share of {visible(gpu.gpu, 60)} that it is under 95 of 100 times",
                     f"max(quantile_over_time(0.95, {gpu.selector}[7d])) / 100", gpu.busy),
                Fact("share of the week's hours that were measured",
                     f"clamp_max(max(count_over_time({gpu.selector}[7d:1h])) / 168, 1)", gpu.coverage),
            )  # fmt: skip
            yield Suggestion(
                "gpu-idle",
                f"the GPU of {visible(gpu.pod, 60)} is under {gpu.busy:.0%} busy 95 of 100 times in 7 days: "
                "share it (time slicing, MIG), or scale to zero while nobody asks",
                told,
            )
    replicas = facts.replicas.get(workload, 0)
    idle = [one for one in containers if one.cpu.goal is not None and one.cpu.goal <= LEAST_CORES]
    if replicas > ENOUGH_REPLICAS and containers and len(idle) == len(containers):
        alive = facts.queries.phases(facts.seen.get(workload, ()))
        fact = Fact("pods that run", f"count(max by (namespace, pod) ({alive}) == 1)", float(replicas))
        text = f"its {replicas} replicas each use less than 10m: {ENOUGH_REPLICAS} would do"
        yield Suggestion("replicas", text, (fact,))
