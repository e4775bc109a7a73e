"""Ways to break the light cluster, each with the tests that must notice, of the contract suite for the most.

Invariant: `old` stands exactly once in its file; a mutation is applied to a copy, never in place.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """`old` becomes `new` in a file of that room of maestro_cli; each of the tests must fail.

    A test is a file of the contract suite and a name; one with a folder is of that folder below tests.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    room: str = "local"


MUTATIONS = (
    Mutation(
        "undo finds a revision under a number that another has",
        "controllers/revisions.py",
        "for replica_set in old), default=0) + 1",
        "for replica_set in old), default=0)",
        ("test_history.py::test_undo_reuses_the_old_replica_set_and_gives_it_a_new_number",),
    ),
    Mutation(
        "a rollout surges by one too many",
        "controllers/rollout.py",
        "room = replicas + surge - all_wanted",
        "room = replicas + surge + 1 - all_wanted",
        ("test_rollouts.py::test_surge_and_unavailable_are_kept",),
    ),
    Mutation(
        "a paused rollout goes on",
        "controllers/deployment.py",
        'if view.deployment["spec"].get("paused") or _was_scaled(view):',
        "if _was_scaled(view):",
        ("test_rollouts.py::test_pause_holds_a_rollout_and_resume_lets_it_go",),
    ),
    Mutation(
        "an eviction ignores its budget",
        "cluster/subresources.py",
        'if status.get("disruptionsAllowed", 0) <= 0:',
        'if status.get("disruptionsAllowed", 0) < -99:',
        ("test_budgets.py::test_an_eviction_is_refused_until_the_replacement_is_ready",),
    ),
    Mutation(
        "a budget's percentage is rounded down",
        "controllers/disruption.py",
        'int_or_percent(spec["maxUnavailable"], expected, round_up=True)',
        'int_or_percent(spec["maxUnavailable"], expected, round_up=False)',
        ("test_budgets.py::test_budgets_are_counted",),
    ),
    Mutation(
        "a watch drops an event",
        "cluster/watching.py",
        '        if after:\n            return _line("MODIFIED"',
        '        if after and not before:\n            return _line("MODIFIED"',
        ("test_watches.py::test_a_watch_tells_every_change_in_order",),
    ),
    Mutation(
        "what leaves a watch's selection is not told",
        "cluster/watching.py",
        'return _line("DELETED", self.show(_last(event))) if before else b""',
        'return _line("DELETED", self.show(_last(event))) if before and event.gone else b""',
        ("test_watches.py::test_leaving_a_selection_is_deleted_and_entering_is_added",),
    ),
    Mutation(
        "a stale resource version is accepted",
        "cluster/registry.py",
        'if asked and asked != old["resourceVersion"]:',
        'if asked and int(asked) > int(old["resourceVersion"]):',
        ("test_writes.py::test_a_stale_write_is_a_conflict",),
    ),
    Mutation(
        "a write that changes nothing gets a resource version",
        "cluster/registry.py",
        "if new == current.object:",
        "if new is current.object:",
        ("test_watches.py::test_a_watch_tells_every_change_in_order",),
    ),
    Mutation(
        "a dry run creates",
        "cluster/registry.py",
        "        if not dry_run:\n            obj = self.store.put(",
        "        if kind.kind:\n            obj = self.store.put(",
        ("test_writes.py::test_dry_run_does_nothing",),
    ),
    Mutation(
        "garbage collection forgets what is owned",
        "controllers/garbage.py",
        "if references and len(lost) == len(references):",
        "if references and len(lost) > len(references):",
        ("test_owners.py::test_deleting_a_deployment_takes_everything_with_it",),
    ),
    Mutation(
        "readiness ignores what its probe is answered",
        "kubelet/probes.py",
        "return 200 <= code < 400, ",
        "return code > 0, ",
        ("test_probes.py::test_readiness_decides_over_endpoints",),
    ),
    Mutation(
        "a page begins with the last object of the page before",
        "cluster/resources.py",
        "if one.key > after and select(one)]",
        "if one.key >= after and select(one)]",
        ("test_lists.py::test_pages_show_one_moment",),
    ),
    Mutation(
        "a selector's operator is inverted",
        "cluster/selectors.py",
        "return value is None or value not in self.values",
        "return value is not None and value in self.values",
        ("test_selectors.py::test_label_selectors",),
    ),
    Mutation(
        "viewers may write",
        "roles.py",
        '"maestro:viewers": _SIGHT,',
        '"maestro:viewers": (*_SIGHT, Rule(EVERY, ANY, _WORK_GROUPS)),',
        ("test_access.py::test_a_subresource_is_a_right_of_its_own",),
    ),
    Mutation(
        "a bound pod is deleted without grace",
        "cluster/kinds.py",
        'return int(pod["spec"].get("terminationGracePeriodSeconds", 30))',
        "return 0",
        ("test_deletion.py::test_a_bound_pod_is_given_time",),
    ),
    Mutation(
        "foreground deletion takes what has another owner",
        "controllers/garbage.py",
        "if await self._has_owner_to_stay(dependent):",
        "if not dependent:",
        ("test_owners.py::test_foreground_deletion_leaves_what_has_another_owner",),
    ),
    Mutation(
        "history is kept beyond its limit",
        "controllers/revisions.py",
        "[: max(len(present) - limit, 0)]",
        "[: max(len(present) - limit - 1, 0)]",
        ("test_history.py::test_restart_makes_a_revision_and_history_is_limited",),
    ),
    Mutation(
        "a node whose lease ran out stays ready",
        "controllers/nodes.py",
        'if now - self._renewed[uid][1] > self._grace and state == "True":',
        'if now - self._renewed[uid][1] > self._grace * 1000 and state == "True":',
        ("test_nodes.py::test_a_lost_node_is_noticed_evicted_and_taken_back",),
    ),
    Mutation(
        "a budget expects pods that have no controller",
        "controllers/disruption.py",
        "            if owner is None:\n                continue",
        "            if owner is None:\n                scales[uid_of(pod)] = 1\n                continue",
        ("test_budgets.py::test_a_bare_pod_is_held_by_a_budget",),
    ),
    Mutation(
        "an answer does not wait for the disk",
        "cluster/server.py",
        "            try:\n                await self._disk.settled()\n            except ApiError as error:",
        "            try:\n                asyncio.ensure_future(self._disk.settled())\n"
        "            except ApiError as error:",
        ("crash/local/test_cluster_state.py::test_kill_9_loses_nothing_that_was_answered",),
    ),
)
