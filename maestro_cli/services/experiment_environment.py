"""What the process that performs an experiment finds in its environment.

Invariant: what of an experiment asks a cluster asks the context's, whatever the shell has chosen: one private
kubeconfig with that context alone is all that it finds, and it is gone with the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from maestro_cli.chaos.history import working_run
from maestro_cli.core.files import write_atomically
from maestro_cli.services.step_environment import step_environment

if TYPE_CHECKING:
    from maestro_cli.config.settings import Context
    from maestro_cli.journal.store import Journal

KUBECONFIG = "kubeconfig.json"
NO_KUBECONFIG = "none"  # of the folder of a run; nobody writes it


@contextmanager
def experiment_environment(
    name: str, context: Context, environment: Mapping[str, str], folder: Path
) -> Iterator[Mapping[str, str]]:
    """As that of a runbook's step, but for a kubeconfig of its own in the folder of the run.

    `KUBERNETES_CONTEXT` and `CHAOSTOOLKIT_IN_POD` are what the extension chaosk8s asks for. Without a cluster
    in the context the shell's stays, which the guard says. Raises InvalidFile, OSError.
    """
    found = step_environment(name, context, environment)
    if context.cluster is None:
        yield found
        return
    from maestro_cli.sources.kube.standalone import standalone_kubeconfig

    kube_context, text = standalone_kubeconfig(context.cluster, environment)
    if not text:
        # Without the variable chaosk8s takes ~/.kube/config, where there is one, before the pod's account.
        yield {**found, "KUBECONFIG": str(folder.resolve() / NO_KUBECONFIG), "CHAOSTOOLKIT_IN_POD": "true"}
        return
    file = folder / KUBECONFIG
    write_atomically(file, text, mode=0o600)
    try:
        yield {**found, "KUBECONFIG": str(file.resolve()), "KUBERNETES_CONTEXT": kube_context}
    finally:
        remove_kubeconfig(folder)


def remove_kubeconfig(folder: Path) -> None:
    """Nothing where there is none, or nothing may be removed."""
    with suppress(OSError):
        (folder / KUBECONFIG).unlink(missing_ok=True)


def remove_left_kubeconfigs(folders: Path, journal: Journal) -> None:
    """What runs left that were killed, also before they were on record: of every folder below, but that of
    the run that is at work.
    """
    left = [file.parent for file in folders.glob(f"*/{KUBECONFIG}")]
    working = working_run(journal)  # after the look: a run has its lease before it writes one
    for folder in left:
        if folder.name != working:
            remove_kubeconfig(folder)
