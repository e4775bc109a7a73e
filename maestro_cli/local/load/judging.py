"""Which answers turned out right, by the version that gave them.

Invariant: only an answer of 200 that tells the output is judged, once; what cannot be read counts as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from prometheus_client import CollectorRegistry, Counter

from maestro_cli.core.decoding import ready

CONSTANT = "constant"  # what the servers' own series call the version of an answer that no model gave


@dataclass(frozen=True, slots=True)
class Truth:
    """What came true for each recorded row, in the words of the output that foretells it; it has to be among
    the first `within` values: of one that ranks, more than the first.
    """

    output: str
    values: tuple[float | int, ...]
    within: int = 1


class _Tensor(msgspec.Struct):
    name: str
    data: list[float | int | bool | str]


class _Answer(msgspec.Struct):
    model_name: str
    outputs: list[_Tensor]
    model_version: str = ""


_DECODER = msgspec.json.Decoder(ready(_Answer))
_UNREADABLE = _Answer("", [])


class Judge:
    """As whoever learns later what became of a case would count: `maestro_judged_answers_total`.

    Its labels name the workload that was asked, as the series of the workload's own pods do.
    """

    def __init__(self, truth: Truth, registry: CollectorRegistry, *, namespace: str, deployment: str) -> None:
        self._truth = truth
        self._workload = (namespace, deployment)
        self._answers = Counter(
            "maestro_judged_answers",
            "Answers whose truth is known, by the version that gave them: right or wrong",
            ["namespace", "deployment", "model", "version", "verdict"],
            registry=registry,
        )

    def judge(self, row: int, content: bytes) -> bool:
        """Count an answer to that recorded row, and say whether it was right."""
        try:
            answer = _DECODER.decode(content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            answer = _UNREADABLE
        told = next((one.data for one in answer.outputs if one.name == self._truth.output), [])
        is_right = self._truth.values[row] in told[: self._truth.within]
        by = (*self._workload, answer.model_name, answer.model_version or CONSTANT)
        for verdict in ("right", "wrong"):  # both from the first answer on: rate() sees the next
            self._answers.labels(*by, verdict).inc((verdict == "right") == is_right)
        return is_right
