"""Backends become changes: the policy, the gate, and whose word carries one.

Invariant: everything is built on first use and imported where it is built, so that a command pays
only for what it touches. Nothing here asks whether a context is local.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from maestro_cli.core.errors import GateNotMet, NotFound
from maestro_cli.services.backends import Backends
from maestro_cli.services.built_once import built_once, read_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maestro_cli.changes.candidates.model import Candidate
    from maestro_cli.changes.kinds.kind import ChangeKind
    from maestro_cli.changes.left import Left
    from maestro_cli.changes.model import Change, Consent, GateDecision, Plan
    from maestro_cli.changes.pipeline import ChangePipeline
    from maestro_cli.changes.policy import Policy
    from maestro_cli.changes.served import OpenIncident
    from maestro_cli.core.errors import MaestroError
    from maestro_cli.core.facts.alerts import Silence
    from maestro_cli.core.refs import ObjectRef, WorkloadRef
    from maestro_cli.services.regions import ContextEntrances
    from maestro_cli.services.standing import Standing
    from maestro_cli.slo.files.found import Found
    from maestro_cli.slo.measuring.keeping import KeptInMemory
    from maestro_cli.slo.objectives import Objective
    from maestro_cli.sources.helm import HelmReleases
    from maestro_cli.sources.prometheus import Prometheus


class ChangeServices(Backends):
    """What plans, decides on and carries out changes of one context."""

    @built_once
    def policy(self) -> Policy:
        from maestro_cli.changes.policy import policy_for

        return policy_for(
            self.context_name, self.context, os.environ, read_only_flag=self.options.is_read_only
        )

    @built_once
    def changes(self) -> ChangePipeline:
        """The one way to change the world; says so when the folder one is in decided where that is."""
        from maestro_cli.changes.pipeline import ChangePipeline

        if told := self.settings.told_by_folder(self.context_name):
            from maestro_cli.output.diagnostics import note

            note(f"the context {self.context_name} is {told}")
        person = self.person
        return ChangePipeline(
            self.journal, self, policy=self.policy, clock=self.clock, actor=self.actor,
            kinds=self.change_kinds, ask=None if person is None else person.confirm,
        )  # fmt: skip

    @property
    def change_kinds(self) -> Mapping[str, ChangeKind]:
        """The kinds of change there are, by name."""
        from maestro_cli.changes.kinds import KINDS

        return KINDS

    @property
    def metrics(self) -> Prometheus:
        """The context's Prometheus, by the name that changes know it by."""
        return self.prometheus

    @built_once
    def releases(self) -> HelmReleases:
        """The Helm releases of the context's cluster."""
        from maestro_cli.sources.helm import HelmReleases

        return HelmReleases(self.cluster, self._needed(self.context.cluster, "cluster"))

    @built_once
    def entrances(self) -> ContextEntrances:
        """Where callers come in who may be served by one region or another."""
        from maestro_cli.services.regions import ContextEntrances

        return ContextEntrances(self)

    @built_once
    def _files_of_objectives(self) -> Found:
        from maestro_cli.services.objectives import whole_files

        return whole_files(self)

    @read_once
    def objectives(self) -> dict[str, Objective]:
        """The context's objectives by name; none where it names none. Its cluster may be asked for them."""
        from maestro_cli.services.objectives import objectives_with

        return objectives_with(self, self._files_of_objectives)

    def workload_ref(self, text: str, namespace: str | None) -> WorkloadRef:
        """Read a workload; the namespace of the flag, else of the context, else of the kubeconfig."""
        from maestro_cli.core.refs import parse_workload_ref

        return parse_workload_ref(text, namespace=self._namespace_of(text, namespace))

    def object_ref(self, text: str, namespace: str | None) -> ObjectRef:
        """Read a workload, or a Helm release; its namespace is found as that of a workload."""
        from maestro_cli.core.refs import parse_object_ref

        return parse_object_ref(text, namespace=self._namespace_of(text, namespace))

    def pod_ref(self, text: str, namespace: str | None) -> ObjectRef:
        """Read a pod; its namespace is found as that of a workload."""
        from maestro_cli.core.refs import parse_pod_ref

        return parse_pod_ref(text, namespace=self._namespace_of(text, namespace))

    def routing_ref(self, text: str, namespace: str | None) -> ObjectRef:
        """Read where a routing document is: a ConfigMap, the one that a workload mounts, or `server`."""
        from maestro_cli.changes.kinds.routing import config_of
        from maestro_cli.core.refs import WorkloadRef, parse_object_ref, serving_ref

        if text in ("server", str(serving_ref())):
            return serving_ref()
        ref = parse_object_ref(text, namespace=self._namespace_of(text, namespace))
        return config_of(self.cluster, ref) if isinstance(ref, WorkloadRef) else ref

    def server_ref(self, text: str, namespace: str | None) -> ObjectRef:
        """Read whose replicas are called: a workload, or `server`, which is alone."""
        from maestro_cli.core.refs import serving_ref

        alone = text in ("server", str(serving_ref()))
        return serving_ref() if alone else self.workload_ref(text, namespace)

    def named_ref(self, kind: str, text: str, namespace: str | None) -> ObjectRef:
        """Read an object of that kind; its namespace is found as that of a workload."""
        from maestro_cli.core.refs import parse_ref_of

        return parse_ref_of(kind, text, namespace=self._namespace_of(text, namespace))

    def _namespace_of(self, text: str, flag: str | None) -> str | None:
        where = flag or self.context.namespace
        if where is None and text.count("/") < 2:
            where = self.cluster.default_namespace or None
        return where

    def budget_left(self, objective: Objective) -> Left:
        """What is left of its budget, as `slo budget` tells it; a minute old at most."""
        return self.standing.left(objective)

    def budget_left_after(self, objective: Objective) -> Left:
        """The same with all that was scraped until now: of the minute that is not over, too, and not kept."""
        from maestro_cli.services.standing import budget_left
        from maestro_cli.slo.measuring.window import minute_end

        at = minute_end(self.clock.now())
        return budget_left(self, objective, self.budget_memory, at=at)

    @built_once
    def budget_memory(self) -> KeptInMemory:
        """What was measured of days that are over, where it cannot be kept on disk."""
        from maestro_cli.slo.measuring.keeping import KeptInMemory

        return KeptInMemory(self.clock.monotonic)

    @built_once
    def standing(self) -> Standing:
        """What is left of the budgets, for all who ask."""
        from maestro_cli.services.standing import Standing, budget_left

        memory = self.budget_memory
        return Standing(lambda objective: budget_left(self, objective, memory), self.clock)

    def open_incidents(self) -> list[OpenIncident]:
        """The incidents of the context's journal that are open, as changes know them."""
        from maestro_cli.changes.served import OpenIncident
        from maestro_cli.incidents.model import OPEN_STATES
        from maestro_cli.incidents.register import list_incidents

        return [
            OpenIncident(
                f"incident #{one.number}", one.namespace or "", str(one.workload or ""), one.severity.value
            )
            for one in list_incidents(self.journal, states=OPEN_STATES)
        ]

    def list_silences(self, *, with_ended: bool) -> list[Silence]:
        """The silences of the context's Alertmanager, by when they end."""
        found = [one for one in self.alertmanager.silences() if with_ended or not one.is_over]
        return sorted(found, key=lambda one: (one.ends_at, one.id))

    def silence_ref(self, silence_id: str) -> ObjectRef:
        """Name what a silence takes in. Raises NotFound."""
        from maestro_cli.core.matchers import matchers_text
        from maestro_cli.core.refs import silence_ref

        for one in self.alertmanager.silences():
            if one.id == silence_id:
                return silence_ref(matchers_text(one.matchers))
        raise NotFound(f"there is no silence {silence_id!r}", fix="maestro silence list")

    def rehearse_change(self, plan: Plan, accepts: frozenset[str], typed_context: str = "") -> Change:
        """Have the cluster check the plan (dryRun=All) and the gate decide; nothing changes."""
        from maestro_cli.changes.model import Consent

        consent = Consent(given=True, typed_context=typed_context, accepts=accepts)
        return self.changes.execute(plan, consent, dry_run=True)

    def dry_run(
        self, plan: Plan, accepts: frozenset[str], typed_context: str
    ) -> tuple[GateDecision, MaestroError | None]:
        """What the gate says of a plan, and the error that the change itself would end with there."""
        from maestro_cli.changes.records import decision_error
        from maestro_cli.changes.rehearsals import told_dry

        decision = self.rehearse_change(plan, accepts, typed_context).decision
        assert decision is not None, "a rehearsal always asks the gate"
        told = told_dry(decision)
        return told, None if told.allowed else decision_error(told)

    def rollback_candidates(self, ref: WorkloadRef) -> tuple[Candidate, ...]:
        """Every revision of a workload with its record; reads only."""
        from maestro_cli.changes.candidates.listing import list_candidates

        return list_candidates(self, self.journal, ref, self.clock.now())

    def list_changes(self, limit: int) -> tuple[Change, ...]:
        from maestro_cli.changes.history import list_changes

        return list_changes(self.journal, limit=limit)

    def abandoned_changes(self) -> tuple[Change, ...]:
        """Changes that were sent and did not end, and that nobody works on any more, newest first."""
        from maestro_cli.changes.ledger import abandoned_changes

        return abandoned_changes(self.journal)

    def get_change(self, change_id: str) -> Change:
        from maestro_cli.changes.history import named_change

        return named_change(self.journal, change_id)

    def change_id(self, text: str) -> str:
        """The id of a change: itself, or that of the newest for `latest`; raises NotFound."""
        return self.get_change(text).id if text == "latest" else text

    def ask_consent(self, plan: Plan, *, yes: bool, typed_context: str, accepts: frozenset[str]) -> Consent:
        """`--yes`, or a person's word at the terminal; without either the gate refuses."""
        from maestro_cli.changes.model import Consent

        given, person = yes, self.person
        if not yes and person is not None:
            from maestro_cli.output.renderers.changes import plan_view

            would = Consent(True, plan.digest, typed_context, accepts)
            person.show(plan_view(plan, self.changes.decide(plan, would)))
            if self.policy.protected and not typed_context:
                typed_context = person.ask_text(f"{self.context_name} is protected; type its name to go on")
            if plan.cautions:
                ref = str(plan.target.ref)
                given = person.ask_text(f"where it goes is known to be bad; type {ref} to go on") == ref
            else:
                given = person.confirm(f"{plan.summary}: go on?")
            if not given:
                raise GateNotMet("you said no; nothing was done")
        return Consent(given=given, digest=plan.digest, typed_context=typed_context, accepts=accepts)
