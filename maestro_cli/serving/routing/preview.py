"""What would another document have done to the last requests?

Invariant: nothing runs and nothing is counted: models are asked only for their names, and requests are
answered between one question and the next, for a bounded time of work. What depends on a model's answer (a
chain's later steps, a fallback) is taken as if every model answered.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from maestro_cli.serving.errors import ServingError
from maestro_cli.serving.protocol.tensors import NUMPY_TYPES
from maestro_cli.serving.routing.document import Routing
from maestro_cli.serving.routing.trail import Trail
from maestro_cli.serving.routing.tree import Answer, Question, compile_node

if TYPE_CHECKING:
    from maestro_cli.serving.models.repository import Repository
    from maestro_cli.serving.routing.router import Remembered, Router


_WORK_SECONDS = 1.0


@dataclass(slots=True)
class _Names:
    """The `Models` of a preview: notes who would be asked, gives empty tensors of the right kind."""

    repository: Repository
    asked: list[str]

    async def ask(self, name: str, version: str | None, question: Question, trail: Trail) -> Answer:
        entry = self.repository.find(name, version)
        self.asked.append(f"{entry.name}@{entry.version}")
        if entry.model is None:
            return {}
        return {
            spec.name: np.zeros(
                [question.rows if extent == -1 else extent for extent in spec.shape],
                dtype=NUMPY_TYPES[spec.datatype],
            )
            for spec in entry.model.manifest.outputs
        }


async def preview(router: Router, routing: Routing, work_seconds: float = _WORK_SECONDS) -> dict[str, Any]:
    """Of the remembered requests: how many would go elsewhere, from where to where.

    The newest come first; those that the time was not enough for are `left_out`.
    """
    asks = {name: compile_node(route.to) for name, route in routing.routes.items()}
    moves: Counter[tuple[str, str, str]] = Counter()
    refused: Counter[str] = Counter()
    remembered = list(router.remembered)
    moved = looked = 0
    worked = 0.0
    for one in reversed(remembered):
        if worked >= work_seconds:
            break
        await asyncio.sleep(0)  # users are answered meanwhile
        looked += 1
        began = time.perf_counter()
        try:
            now = await _where(router, one, asks)
        except ServingError as error:
            refused[error.text[:200]] += 1
            continue
        finally:
            worked += time.perf_counter() - began
        before = _versions(one.served)
        moves[one.name, before, now] += 1
        moved += before != now
    return {
        "requests": looked,
        "left_out": len(remembered) - looked,
        "moved": moved,
        "refused": [{"error": text, "requests": count} for text, count in refused.most_common(10)],
        "moves": [
            {"name": name, "from": before, "to": now, "requests": count}
            for (name, before, now), count in moves.most_common(50)
        ],
    }


async def _where(router: Router, one: Remembered, asks: dict[str, Any]) -> str:
    names = _Names(router.repository, [])
    trail = Trail(decision=one.decision)
    ask = asks.get(one.name)
    if ask is None:
        await names.ask(one.name, None, one.question, trail)
    else:
        await ask(names, one.question, trail)
    return ",".join(dict.fromkeys(names.asked))


def _versions(served: tuple[str, ...]) -> str:
    """`fraud@1` of `fraud@1#0a1b2c3d`."""
    return ",".join(dict.fromkeys(one.partition("#")[0] for one in served))
