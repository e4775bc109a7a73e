"""The parts of the light cluster: its API, and its controllers as a client of it."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.local.ports import Ports
from maestro_cli.local.supervisor.model import CLUSTER, Facts, Part, Plan
from maestro_cli.local.supervisor.module import module_part, python
from maestro_cli.local.supervisor.readiness import announced


def lite_parts(plan: Plan, ports: Ports) -> tuple[Part, ...]:
    """The API on a port that it keeps, so that kubeconfigs stay right when it is restarted."""

    def command(facts: Facts) -> Sequence[str]:
        options = ["--state", str(plan.state), "--port", str(ports.of(CLUSTER))]
        return python("maestro_cli.local.cluster", *options)

    api = Part(CLUSTER, command, announced(plan.state, CLUSTER), port_name=CLUSTER)
    return api, module_part(plan.state, "controllers", needs=(CLUSTER,))
