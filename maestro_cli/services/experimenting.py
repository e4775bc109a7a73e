"""Changes become experiments: files, plans, runs, and what they left."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import GateNotMet, InvalidFile, NotFound, UsageError
from maestro_cli.services.built_once import built_once
from maestro_cli.services.people import PeopleServices

if TYPE_CHECKING:
    from maestro_cli.changes.kinds.kind import ChangeKind
    from maestro_cli.changes.model import Consent
    from maestro_cli.chaos.drills.model import Scenario
    from maestro_cli.chaos.faults.fault import Fault
    from maestro_cli.chaos.guard.check import Answer, Proposal
    from maestro_cli.chaos.history import ExperimentRun
    from maestro_cli.chaos.model import Experiment
    from maestro_cli.chaos.ports import Surroundings
    from maestro_cli.chaos.running import Means, RunReport, Wanted
    from maestro_cli.chaos.sweeping import Swept
    from maestro_cli.core.errors import MaestroError
    from maestro_cli.core.facts.cluster import Pod
    from maestro_cli.core.progress import Progress
    from maestro_cli.journal.model import Event
    from maestro_cli.runbooks.lint import Finding
    from maestro_cli.services.embedded_hooks import EmbeddedPlatformHooks
    from maestro_cli.services.regions import ContextRegions
    from maestro_cli.sources.kube.mesh import KubeMesh
    from maestro_cli.sources.serving_faults import PodFaults


class ExperimentServices(PeopleServices):
    """Experiments in the current context; satisfies chaos.ports.Platform."""

    @built_once
    def change_kinds(self) -> Mapping[str, ChangeKind]:
        """With those that faults bring: what a fault did is shown, resumed and taken back as any change."""
        from maestro_cli.changes.kinds import KINDS
        from maestro_cli.chaos.faults import fault_kinds

        return {**KINDS, **fault_kinds(self)}

    @built_once
    def regions(self) -> ContextRegions:
        """The region of this context, and the one that takes over from it."""
        from maestro_cli.services.regions import ContextRegions

        return ContextRegions(self)

    @built_once
    def server_faults(self) -> PodFaults:
        """The fault hooks of the context's model servers."""
        from maestro_cli.sources.serving_faults import PodFaults

        rules = self.context.experiments
        if rules is None or rules.server_faults is None:
            key = f"contexts.{self.context_name}.experiments.server_faults"
            raise NotFound("the context has no fault hooks of model servers", fix=f"set {key}")
        from maestro_cli.local.addresses import listening_address

        hooks = rules.server_faults

        def url_of(pod: Pod) -> str:
            address = listening_address(pod.ip) if hooks.loopback else pod.ip
            return f"http://{address}:{hooks.port}"

        return PodFaults(url_of, lambda: self.secrets.resolve(hooks.key))

    @built_once
    def embedded(self) -> EmbeddedPlatformHooks:
        """The load balancer and kubelets of the embedded platform, where this context is that."""
        from maestro_cli.config.locations import local_state_dir
        from maestro_cli.services.embedded_hooks import EmbeddedPlatformHooks

        rules = self.context.experiments
        if rules is None or not rules.embedded:
            raise NotFound(
                "the context's load balancer and kubelets are not maestro's",
                why="they are on the embedded platform alone",
                fix="use a fault of another provider: maestro chaos list --faults",
            )
        return EmbeddedPlatformHooks(self.cluster, local_state_dir(), self.clock)

    @built_once
    def mesh(self) -> KubeMesh:
        """What Chaos Mesh has in the context's cluster."""
        from maestro_cli.sources.kube.mesh import KubeMesh

        return KubeMesh(self.cluster.custom, self.clock)

    @built_once
    def surroundings(self) -> Surroundings:
        from maestro_cli.services.surroundings import ContextSurroundings

        return ContextSurroundings(self)

    def experiments(self) -> list[tuple[str, Experiment | InvalidFile]]:
        """The files there are, by name; one that cannot be read hides no other."""
        from maestro_cli.chaos.experiments.catalog import read_all

        return read_all(self.experiment_folders())

    def experiment_files(self) -> list[Path]:
        from maestro_cli.chaos.experiments.catalog import files

        return files(self.experiment_folders())

    def chaos_faults(self) -> list[tuple[Fault, str]]:
        """Every fault, with what hinders it in this context."""
        from maestro_cli.chaos.faults import FAULTS
        from maestro_cli.core.errors import MaestroError

        def lacks(fault: Fault) -> str:
            try:
                return fault.lacks(self)
            except MaestroError as error:
                return error.what

        return [(fault, lacks(fault)) for fault in FAULTS.values()]

    def refusal_of(self, answers: Sequence[Answer]) -> MaestroError | None:
        """The error that a run would end with, or None where the guard lets it through."""
        from maestro_cli.chaos.guard import refusal

        return refusal(answers)

    def refusal_of_plan(self, proposal: Proposal, answers: Sequence[Answer]) -> MaestroError | None:
        """The error that a plan ends with, or None where it names what it would inject, or only looks."""
        from maestro_cli.chaos.guard import plan_refusal

        return plan_refusal(proposal, answers)

    def experiment(self, reference: str) -> Experiment:
        """A file by its path, or by the name of one there is. Raises NotFound and InvalidFile."""
        from maestro_cli.chaos.experiments.catalog import find

        return find(reference, self.experiment_folders())

    def experiment_folders(self) -> tuple[Path, ...]:
        """Where experiments are looked for, the nearest first."""
        from maestro_cli.config.locations import shipped

        folders = (*map(Path, self.settings.playbook_dirs), shipped("playbooks"))
        return tuple(folder / "chaos" for folder in folders)

    def experiment_runs_folder(self) -> Path:
        """Where each run of the context has a folder, by its id."""
        from maestro_cli.config.locations import state_dir

        return state_dir() / "experiments" / self.context_name

    def lint_experiments(self, references: Sequence[str]) -> tuple[Finding, ...]:
        """What is wrong with these, by default with all there are."""
        from functools import cache, partial

        from maestro_cli.chaos.experiments.catalog import files, path_of
        from maestro_cli.chaos.experiments.lint import lint_files
        from maestro_cli.services.drilling import expectations_of
        from maestro_cli.services.promql_parsers import parser_of

        folders = self.experiment_folders()
        paths = [path_of(one, folders) for one in references] or files(folders)
        return lint_files(paths, cache(partial(parser_of, self)), expectations_of(self))

    def experiment_drills(self) -> tuple[Scenario, ...]:
        """The experiments that are drills; a file that cannot be read is left out."""
        from maestro_cli.services.drilling import experiment_drills

        return experiment_drills(self)

    def experiment_drill(self, name: str, seed: int) -> Scenario:
        """`chaos/NAME` as a drill. Raises NotFound, InvalidFile, UsageError."""
        from maestro_cli.services.drilling import experiment_drill

        return experiment_drill(self, name, seed)

    def wanted_experiment(
        self,
        reference: str,
        *,
        seed: int | None,
        yes: bool,
        typed_context: str = "",
        variables: Sequence[str] = (),
        files: Sequence[Path] = (),
        timeout: str = "",
    ) -> Wanted:
        """A run as it was asked for on the command line. Raises UsageError, InvalidFile, NotFound."""
        from dataclasses import replace

        from maestro_cli.changes.model import Consent
        from maestro_cli.chaos.experiments.variables import read_variables
        from maestro_cli.chaos.running import Wanted
        from maestro_cli.core.quantities import parse_duration_seconds

        experiment = self.experiment(reference)
        configuration, hidden, environment = read_variables(variables, files)
        os.environ.update(environment)  # as Chaos Toolkit does with a .env file
        try:
            seconds = parse_duration_seconds(timeout) if timeout else None
        except ValueError as error:
            raise UsageError(str(error), fix="--timeout 10m") from error
        experiment = replace(experiment, given={"configuration": configuration, "secrets": hidden})
        drawn = secrets.randbelow(2**31) if seed is None else seed
        consent = Consent(given=yes, typed_context=typed_context)
        return Wanted(experiment, drawn, consent, configuration, hidden, seconds)

    def plan_experiment(self, wanted: Wanted) -> tuple[Proposal, tuple[Answer, ...]]:
        """What it would do now, and what the guard says; does nothing."""
        from dataclasses import replace

        from maestro_cli.changes.model import Consent
        from maestro_cli.chaos.running import propose

        agreed = Consent(given=True, typed_context=self.context_name)  # nobody has to, for a look
        return propose(self.experiment_means(), replace(wanted, consent=agreed))

    def agreed_experiment(self, wanted: Wanted) -> Wanted:
        """With somebody's word: a person at a terminal is shown the plan, and asked. Raises GateNotMet, and
        what the guard says. To be had before progress is shown, which would draw over the question.
        """
        from dataclasses import replace

        consent, agreed = self._agreed(wanted)
        return replace(wanted, consent=consent, agreed=agreed)

    def run_experiment(self, wanted: Wanted, progress: Progress) -> RunReport:
        """Run what was agreed to. Raises what the guard says."""
        from maestro_cli.chaos.findings import unbegun
        from maestro_cli.chaos.running import run
        from maestro_cli.core.errors import CannotRecord

        try:
            means = self.experiment_means()
        except CannotRecord as error:  # there is no journal, and no room for one
            raise unbegun(error) from error
        if not wanted.experiment.acts:
            progress.note("it only looks: nothing is changed")
        return run(means, wanted, progress=progress, cancellation=self.cancellation)

    def _agreed(self, wanted: Wanted) -> tuple[Consent, str]:
        """`--yes`, or a person's word and to what; what only looks needs neither. Raises GateNotMet."""
        from dataclasses import replace

        from maestro_cli.chaos.planning import proposal_digest

        consent, person = wanted.consent, self.person
        if not wanted.experiment.acts:
            return replace(consent, given=True), ""
        if not consent.given and person is not None:
            from maestro_cli.output.renderers.experiments import plan_view

            proposal, answers = self.plan_experiment(wanted)
            person.show(plan_view(proposal, answers))
            if error := self.refusal_of(answers):
                raise error
            typed = consent.typed_context
            if self.policy.protected and not typed:
                typed = person.ask_text(f"{self.context_name} is protected; type its name to go on")
            if not person.confirm(f"{wanted.experiment.title}: go on?"):
                raise GateNotMet("you said no; nothing was injected")
            return replace(consent, given=True, typed_context=typed), proposal_digest(proposal)
        if not consent.given:
            why = "there was no answer to a prompt, and --yes was not given"
            what = "nobody agreed to this experiment; nothing was injected"
            raise GateNotMet(what, why=why, fix="add --yes")
        return consent, ""

    def experiment_means(self) -> Means:
        """What runs are made with; secrets of the context are kept out of what is written."""
        from functools import partial

        from maestro_cli.chaos.running import Means
        from maestro_cli.services.experiment_environment import experiment_environment

        return Means(
            self.journal, self, self.changes, self.surroundings, self.clock, self.actor,
            self.experiment_runs_folder(), self.redactor.clean_value,
            partial(experiment_environment, self.context_name, self.context, os.environ),
        )  # fmt: skip

    def write_experiment_journal(self, report: RunReport, path: Path) -> None:
        """Write the Chaos Toolkit journal there too. Raises NotKept."""
        import json

        from maestro_cli.core.errors import NotKept
        from maestro_cli.core.files import unusable, write_atomically

        try:
            write_atomically(path, json.dumps(report.journal, indent=1))
        except OSError as error:
            fix = f"make room; it is kept in {report.folder} as well: maestro chaos report {report.run}"
            what, found = f"{path} cannot be written", report.judged.exit_code
            raise NotKept(what, found=found, why=unusable(path, error), fix=fix) from error

    def experiment_runs(self, name: str, limit: int) -> list[ExperimentRun]:
        from maestro_cli.chaos.history import list_runs

        return list_runs(self.journal, name=name, limit=limit)

    def experiment_run(self, reference: str) -> ExperimentRun:
        from maestro_cli.chaos.history import get_run

        return get_run(self.journal, reference)

    def ended_experiment_run(self, reference: str) -> ExperimentRun:
        """As `experiment_run`, but `latest` is the one that ended last."""
        from maestro_cli.chaos.history import last_finished

        return self.experiment_run(last_finished(self.journal) if reference == "latest" else reference)

    def experiment_events(self, run: str) -> list[Event]:
        """What the journal has of a run."""
        from maestro_cli.chaos.ledger import events_of

        return events_of(self.journal, run)

    def experiment_journal(self, reference: str) -> Mapping[str, Any]:
        """The Chaos Toolkit journal of a run that ended, with maestro's part; raises NotFound.

        `latest` is the one that ended last.
        """
        import json

        run = self.ended_experiment_run(reference)
        file = Path(run.folder) / "journal.json"
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = f"it is {run.status}; {file}: {type(error).__name__}"
            fix = f"maestro chaos status {run.id}"
            raise NotFound(f"run {run.id} has no journal", why=why, fix=fix) from error
        return found

    def abort_experiment(self, reference: str, why: str) -> tuple[ExperimentRun, tuple[Swept, ...]]:
        """Have a run end and take its faults back; one that nobody works on is swept. Raises UsageError."""
        from maestro_cli.chaos.history import get_run
        from maestro_cli.chaos.ledger import ExperimentLedger

        run = get_run(self.journal, reference)
        if run.status == "interrupted":
            return run, self.sweep_experiments(run.id)
        if run.is_over:
            raise UsageError(f"run {run.id} is over", why=f"it is {run.status}", fix="maestro chaos sweep")
        ExperimentLedger(self.journal, run.id, self.actor).asked(why or f"by {self.actor}")
        return get_run(self.journal, run.id), ()

    def sweep_experiments(
        self,
        run: str = "",
        progress: Progress | None = None,
        *,
        force_finalizers: bool = False,
        leave: str = "",
    ) -> tuple[Swept, ...]:
        """Take back what runs and drills left whose process died, and what Chaos Mesh still has of others.

        `leave` is why what cannot be taken back of `run` may stay as it is.
        """
        from maestro_cli.chaos.sweeping import sweep
        from maestro_cli.core.progress import Quiet

        found = "" if not run else self.experiment_run(run).id
        from maestro_cli.services.drilling import clear_killed_drills
        from maestro_cli.services.experiment_environment import remove_left_kubeconfigs

        freed = tuple(self._sweep_mesh(force=True)) if force_finalizers else ()
        swept = sweep(
            self.journal, self, self.changes, self.clock, run=found, leave=leave, progress=progress or Quiet()
        )
        remove_left_kubeconfigs(self.experiment_runs_folder(), self.journal)
        swept += clear_killed_drills(self, found, stuck={one.run for one in swept if one.residue})
        return (*freed, *swept) if found or force_finalizers else (*swept, *self._sweep_mesh(force=False))

    def _sweep_mesh(self, *, force: bool) -> Iterator[Swept]:
        """What no run is told to have; nothing where there is no Chaos Mesh, or nothing of it is left."""
        from maestro_cli.chaos.history import working_run
        from maestro_cli.chaos.ledger import left_in_force
        from maestro_cli.chaos.mesh.leftovers import ever_made, sweep_leftovers
        from maestro_cli.chaos.sweeping import Swept

        if not ever_made(self.journal):
            return
        working = working_run(self.journal)
        held = left_in_force(self.journal, working) if working else ()
        busy = {change for fault in held for change in fault.changes}
        found = sweep_leftovers(self.mesh, self.changes, busy, force=force)
        if found.taken or found.left:
            yield Swept("chaos-mesh", found.taken, found.left)
