"""The model server beside MLServer and FastAPI with the same model, and beside itself with and without parts.

Invariant: one server has the first core, the load has the second; every answer is checked; what is compared
was measured in turn, within seconds. `BENCH_SHORT=1` shows in three minutes that it works.
"""

from __future__ import annotations

from tests.bench.figures import Figure


def measure() -> list[Figure]:
    """The peers first, then the parts."""
    from tests.bench.serving.parts import measure_parts  # not for the processes that are started in here
    from tests.bench.serving.plan import plan_of
    from tests.bench.serving.rounds import measure_rounds

    plan = plan_of()
    figures, steady_rate = measure_rounds(plan)
    return [*figures, *measure_parts(plan, steady_rate)]
