"""Start of the program, against the Kubernetes client that everybody waits for anyway."""

from __future__ import annotations

from functools import partial

from tests.bench.figures import Figure, interleaved, ratio
from tests.bench.terminal import BIN, Failed, environment, folder, program, run

ROUNDS = 41


def measure() -> list[Figure]:
    """Whole processes; three of maestro and one of kubectl a round."""
    maestro, kubectl = str(BIN / "maestro"), program("kubectl")
    with folder() as home:
        own = environment(home)
        asking = {**own, "_MAESTRO_COMPLETE": "complete_bash", "COMP_WORDS": "maestro in", "COMP_CWORD": "1"}
        if run([maestro], asking).stdout.split() != ["incident"]:
            raise Failed("the completion of `maestro in` is not `incident`")
        taken = interleaved(
            {
                "kubectl": partial(run, [kubectl, "version", "--client"], own),
                "version": partial(run, [maestro, "--version"], own),
                "help": partial(run, [maestro, "--help"], own),
                "completion": partial(run, [maestro], asking),
            },
            ROUNDS,
        )
    peer = "kubectl version --client"
    return [
        ratio("maestro --version", taken["version"], taken["kubectl"], 2, peer),
        ratio("maestro --help", taken["help"], taken["kubectl"], 5, peer),
        ratio("one completion request", taken["completion"], taken["kubectl"], 5, peer),
    ]
