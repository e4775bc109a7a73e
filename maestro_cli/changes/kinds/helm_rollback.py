"""Helm rollback: have Helm go back to an earlier revision of a release.

Invariant: what is gone back to is bound by its content, not its number alone. Helm itself writes, and takes
no precondition: that nothing happened since the plan is looked at right before, and Helm's own record, one
for each number, lets one of two through. Its word is believed: `deployed` after it waited, or why it failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from maestro_cli.changes.candidates.warning import ways_instead
from maestro_cli.changes.kinds.kind import (
    Holds,
    Observation,
    Option,
    Permission,
    Probe,
    Request,
    Sent,
    whole_number,
)
from maestro_cli.changes.kinds.released import blast_of, permissions_for, reach_of, workloads_up
from maestro_cli.changes.kinds.writing import Draft, Spec, WritingKind
from maestro_cli.changes.manifests import ManifestDiff, diff_manifests
from maestro_cli.changes.model import (
    BlastRadius,
    Diff,
    DiffLine,
    GateReason,
    Plan,
    RecentChange,
    Target,
    Undo,
    plan_digest,
)
from maestro_cli.changes.ports import World
from maestro_cli.changes.reach import with_reach
from maestro_cli.core.canonical import digest
from maestro_cli.core.errors import ActionFailed, ExitCode, GateNotMet, NotFound, UsageError
from maestro_cli.core.facts.releases import Release
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.untrusted import Untrusted, visible

_SUCCEEDED = {"deployed", "superseded"}
_FAILED = re.compile(r'\A\w+ ".*" failed', re.DOTALL)  # what Helm writes beside `superseded` when it did
_LEEWAY_SECONDS = 5  # by which Helm gives up before maestro does, so that its word is heard


class HelmRollback(WritingKind[Release]):
    """Parameters: `to_revision` (int, 0 or absent: the last that succeeded)."""

    name = "helm-rollback"
    options: ClassVar[Mapping[str, Option]] = {"to_revision": Option(whole_number)}
    permissions: ClassVar[tuple[Permission, ...]] = (
        Permission("list", "secrets"),
        Permission("update", "secrets", named=False),
        Permission("create", "secrets", named=False),
    )

    def read(self, world: World, ref: ObjectRef) -> Release:
        return world.releases.history(release_ref(ref))[-1]

    def target(self, found: Release) -> Target:
        state = digest([found.uid, found.revision, found.status])
        return Target(found.ref, found.uid, found.resource_version, found.generation, state)

    def plan(self, world: World, request: Request) -> Plan:
        plan = super().plan(world, request)
        plan = replace(plan, was_up=plan.was_up and workloads_up(world, self.read(world, request.ref)))
        return replace(plan, digest=plan_digest(plan))

    def draft(self, world: World, found: Release, request: Request) -> Draft:
        """Choose the revision; raises GateNotMet while Helm is at work, ActionFailed, NotFound."""
        history = world.releases.history(found.ref)
        wanted = _checked(request.parameters)
        if found.is_pending:
            raise _pending(found, history)
        goal = _named(found, history, wanted) if wanted else _last_good(found, history, request.abandoned)
        ref, differs = found.ref, diff_manifests(found.manifest, goal.manifest, found.ref.namespace)
        return Draft(
            parameters={"to_revision": goal.revision, "verbs": _verbs(differs)},
            summary=f"have Helm roll {ref} back from {_told(found)} to {_told(goal)}",
            spec={"revision": goal.revision, "content": goal.content},
            diff=Diff((*differs.lines, *_hooks(goal))),
            holds=f"Helm deployed {ref} as it was in revision {goal.revision}",
            undo=Undo(
                self.name,
                {"to_revision": found.revision},
                f"have Helm roll {ref} back to what revision {found.revision} is now",
            ),
            objections=() if world.releases.has_program() else (_NO_PROGRAM,),
            pinned=bool(wanted),
            cautions=_bad(goal, request.abandoned),
            gives_up=True,
        )

    def blast(self, world: World, found: Release, draft: Draft, request: Request) -> BlastRadius:
        goal = next(
            one for one in world.releases.history(found.ref) if one.revision == draft.spec["revision"]
        )
        differs = diff_manifests(found.manifest, goal.manifest, found.ref.namespace)
        blast = blast_of(world.cluster, found.ref.namespace, differs, request.recent)
        return with_reach(blast, *reach_of(world.cluster, found, goal))

    def is_up(self, found: Release) -> bool:
        return found.status == "deployed"

    def needs(self, plan: Plan) -> tuple[Permission, ...]:
        return (*self.permissions, *permissions_for(plan.parameters["verbs"]))

    def spec(self, world: World, found: Release, plan: Plan) -> Spec:
        number = plan.parameters["to_revision"]
        for one in world.releases.history(found.ref):
            if one.revision == number:
                return {"revision": number, "content": one.content}
        raise NotFound(f"{found.ref} no longer has revision {number}", why="Helm keeps the newest only")

    def part(self, spec: Spec) -> str:
        return str(spec["content"])

    def spec_of(self, found: Release) -> Spec:
        return {"revision": found.revision, "content": found.content}

    def apply(self, world: World, plan: Plan, *, resource_version: str, dry_run: bool = False) -> Release:
        """Have Helm begin; a rehearsal without the program only looks."""
        ref, number = plan.target.ref, plan.payload["revision"]
        seconds = max(1.0, plan.verify.timeout_seconds - _LEEWAY_SECONDS)
        if not dry_run or world.releases.has_program():
            world.releases.roll_back(ref, number, seconds=seconds, dry_run=dry_run)
        return self.read(world, ref)

    def probe(self, world: World, plan: Plan) -> Probe:
        """Whether Helm recorded a rollback to that revision since the plan was made."""
        ref = plan.target.ref
        try:
            history = world.releases.history(ref)
        except NotFound:
            return Probe(Sent.GONE, f"{ref} was uninstalled")
        newest = history[-1]
        if newest.uid != plan.target.uid:
            return Probe(Sent.GONE, f"{ref} was uninstalled and installed again")
        if newest.revision == plan.target.generation:
            return Probe(Sent.NOT_APPLIED, f"{ref} is at revision {newest.revision}, as when planned", newest)
        own = _own(history, plan)
        if own is None:
            return Probe(
                Sent.UNKNOWN, f"{ref} is at revision {newest.revision}, which is no such rollback", newest
            )
        return Probe(
            Sent.APPLIED, f"Helm recorded revision {own.revision}: {own.description}", own, own.content
        )

    def observe(self, world: World, plan: Plan, *, left: str) -> Observation:
        """What Helm recorded of the rollback."""
        try:
            history = world.releases.history(release_ref(plan.target.ref))
        except NotFound as error:
            return Observation(Holds.SUPERSEDED, error.what)
        own = _own(history, plan)
        if own is None or history[-1].revision != own.revision:
            newest = history[-1]
            return Observation(Holds.SUPERSEDED, f"Helm did something else since: {_told(newest)}")
        text = f"revision {own.revision} is {own.status}: {visible(own.description, 300)}"
        if own.status == "deployed":
            return Observation(Holds.YES, text)
        return Observation(Holds.NOT_YET if own.is_pending else Holds.NEVER, text)

    def repetition(self, plan: Plan, before: RecentChange) -> GateReason | None:
        """A second one within the hour has to say where to."""
        if plan.pinned:
            return None
        return GateReason(
            "repeated", ExitCode.GATE_NOT_MET,
            f"{plan.target.ref} was rolled back within the hour already ({before.id}, by {before.actor})",
            why="a second one without a revision could go back to the release that was left",
            fix=ways_instead(plan, before),
        )  # fmt: skip


def release_ref(ref: ObjectRef) -> ObjectRef:
    """The reference of a Helm release; raises UsageError for one of something else."""
    if ref.kind == "HelmRelease":
        return ref
    raise UsageError(f"{ref} is not a Helm release", fix="name one: NAMESPACE/helm/NAME")


_NO_PROGRAM = GateReason(
    "helm", ExitCode.UNREACHABLE, "the helm program is not on the path",
    why="only Helm itself can roll its releases back",
    fix="install it: brew install helm, or https://helm.sh/docs/intro/install",
)  # fmt: skip


def _checked(parameters: Mapping[str, Any]) -> int:
    wanted = parameters.get("to_revision") or 0
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise UsageError(f"{wanted!r} is not a revision", fix="a number that `helm history NAME` shows")
    return wanted


def _own(history: Sequence[Release], plan: Plan) -> Release | None:
    """The revision that this change made, which is no longer called a rollback when it failed."""
    for one in history:
        is_it = one.description == f"Rollback to {plan.parameters['to_revision']}"
        if one.revision > plan.target.generation and (is_it or one.content == plan.payload_digest):
            return one
    return None


def _has_succeeded(release: Release) -> bool:
    return release.status in _SUCCEEDED and not _FAILED.match(release.description)


def _last_good(found: Release, history: Sequence[Release], abandoned: Mapping[str, str]) -> Release:
    """The newest earlier one that succeeded, is not what is there now, and was not left before."""
    passed = []
    for one in sorted(history, key=lambda one: one.revision, reverse=True):
        if one.revision == found.revision:
            continue
        if not _has_succeeded(one):
            passed.append(f"{one.revision} {'failed' if one.status == 'superseded' else one.status}")
        elif one.content == found.content:
            passed.append(f"{one.revision} is what is there now")
        elif one.content in abandoned:
            passed.append(f"{one.revision}: {abandoned[one.content]}")
        else:
            return one
    raise ActionFailed(
        f"{found.ref} has no earlier revision that succeeded",
        why=f"passed over: {'; '.join(passed)}" if passed else "it is the only one that Helm keeps",
        fix="name one with --to-revision" if passed else "ship a repaired release",
    )


def _bad(goal: Release, abandoned: Mapping[str, str]) -> tuple[str, ...]:
    """What is known against a named revision: Helm's own word, or that of an earlier rollback."""
    status = "it failed when it came" if goal.status == "superseded" else f"Helm has it as {goal.status}"
    why = abandoned.get(goal.content) or ("" if _has_succeeded(goal) else status)
    look = f"maestro rollback {goal.ref} --dry-run shows the last one that succeeded"
    return (f"revision {goal.revision} is known to be bad: {why}; {look}",) if why else ()


def _named(found: Release, history: Sequence[Release], number: int) -> Release:
    for one in history:
        if one.revision == number and not one.is_pending:
            return one
    known = ", ".join(str(one.revision) for one in history)
    raise NotFound(f"{found.ref} has no revision {number} to go to", why=f"Helm keeps: {known}")


def _pending(found: Release, history: Sequence[Release]) -> GateNotMet:
    """Helm works on it, or was ended while it did: nobody but a person can tell which."""
    name, namespace = found.ref.name, found.ref.namespace
    good = next((one.revision for one in reversed(history) if _has_succeeded(one)), 0)
    out = f"helm rollback {name} {good} --wait" if good else f"helm uninstall {name}"
    return GateNotMet(
        f"Helm is not done with {found.ref}: revision {found.revision} is {found.status}"
        f" since {found.updated_at:%Y-%m-%d %H:%M:%S}Z",
        why="helm upgrade would say: another operation (install/upgrade/rollback) is in progress; either that"
        " is so, or helm was ended in the middle",
        fix=f"see that no pipeline and nobody runs helm on it; then: {out} --namespace {namespace}",
    )


def _told(release: Release) -> str:
    return f"revision {release.revision} ({visible(release.chart, 80)}, {visible(release.status, 40)})"


def _hooks(goal: Release) -> list[DiffLine]:
    return [DiffLine(Untrusted(f"hook {hook}"), None, Untrusted("run by Helm")) for hook in goal.hooks]


def _verbs(differs: ManifestDiff) -> dict[str, list[str]]:
    """The kinds of object by what is done to them, as the plan records it."""
    groups = {"create": differs.created, "delete": differs.deleted, "patch": differs.patched}
    return {verb: sorted({ref.kind for ref in refs}) for verb, refs in groups.items() if refs}
