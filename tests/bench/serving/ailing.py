"""`python -m tests.bench.serving.ailing AILMENT …`: `maestro serve …` whose version 2 sleeps or raises.

No operator of ONNX sleeps, and one that raises would not reproduce its golden rows: the run itself is
replaced, once the version has proved itself. Invariant: nothing else of the server is changed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maestro_cli.serving.errors import ModelError
from maestro_cli.serving.models.artefact import Halt, LoadedModel

SICK_VERSION = "2"
SLEEP_SECONDS = 0.05


def sleep() -> None:
    time.sleep(SLEEP_SECONDS)


def fail() -> None:
    raise ModelError("this shadow always fails")


AILMENTS: Mapping[str, Callable[[], None]] = {"sleeps": sleep, "raises": fail}


def main(ailment: str, arguments: Sequence[str]) -> int:
    """Serve with these arguments."""
    ail, healthy = AILMENTS[ailment], LoadedModel.run

    def run(
        self: LoadedModel, feed: Mapping[str, Any], outputs: Sequence[str], halt: Halt | None = None
    ) -> list[Any]:
        if self.version == SICK_VERSION and self.row_seconds:  # which it has once its golden rows are done
            ail()
        return healthy(self, feed, outputs, halt)

    LoadedModel.run = run  # type: ignore[method-assign]
    from maestro_cli.serving.options import parse
    from maestro_cli.serving.server import run as serve

    return int(serve(parse(arguments)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
