"""Ways to break what makes incidents of signals, each with the unit tests that must notice."""

from __future__ import annotations

from tests.mutations.table import Mutation

_STORMS = "unit/incidents/test_alert_storms.py"
_FLAPS = "unit/incidents/test_flapping_signals.py"
_GROUPS = "unit/incidents/test_topology_groups.py"
_USAGE = "unit/incidents/test_rule_usage.py"
_RULES = "unit/incidents/test_incident_rules.py"

INTAKE = (
    Mutation(
        "a storm is one incident fewer than the rule says",
        "intake/storms.py",
        "if len(keys) > rule.threshold:",
        "if len(keys) >= rule.threshold:",
        (
            f"{_STORMS}::test_as_many_as_the_threshold_are_no_storm_nor_are_more_that_began_apart",
            f"{_STORMS}::test_what_is_in_a_storm_follows_the_definition_in_any_order",
        ),
        room="incidents",
    ),
    Mutation(
        "a storm counts signals and not incidents",
        "intake/storms.py",
        "keys[one.key] += 1",
        "keys[one.key] += 1; keys[one.fingerprint] += 1",
        (f"{_STORMS}::test_many_alerts_of_one_workload_are_no_storm",),
        room="incidents",
    ),
    Mutation(
        "a storm has no window",
        "intake/storms.py",
        "while one.began - ordered[first].began > window:",
        "while one.began - ordered[first].began > 1000 * window:",
        (f"{_STORMS}::test_as_many_as_the_threshold_are_no_storm_nor_are_more_that_began_apart",),
        room="incidents",
    ),
    Mutation(
        "a storm is as grave as any signal in it",
        "intake/routing.py",
        "gravest[one.storm] = min(severity, gravest.get(one.storm, severity))",
        "gravest[one.storm] = max(severity, gravest.get(one.storm, severity))",
        (f"{_STORMS}::test_a_storm_is_as_grave_as_the_gravest_in_it",),
        room="incidents",
    ),
    Mutation(
        "a signal flaps one return too late",
        "intake/damping.py",
        "if len(recent) >= limit.times:",
        "if len(recent) > limit.times:",
        (f"{_FLAPS}::test_a_signal_that_comes_back_too_often_is_held_as_firing_and_said_once",),
        room="incidents",
    ),
    Mutation(
        "returns never age",
        "intake/damping.py",
        "recent = [at for at in instants if self._now - at < within]",
        "recent = list(instants)",
        (
            f"{_FLAPS}::test_a_signal_that_stays_away_has_resolved_once_its_returns_are_old",
            f"{_FLAPS}::test_returns_that_are_far_apart_are_none_that_flap",
        ),
        room="incidents",
    ),
    Mutation(
        "a signal that flaps reopens",
        "intake/judging.py",
        "if known is not None and not known.firing and self._flaps(known):",
        "if known is not None and known.firing and self._flaps(known):",
        (f"{_FLAPS}::test_a_signal_that_flaps_reopens_nothing_until_it_has_stopped",),
        room="incidents",
    ),
    Mutation(
        "what needs a workload through another one does not need it",
        "intake/topology.py",
        "waiting += direct.get(one, ())",
        "waiting += ()",
        (f"{_GROUPS}::test_what_is_needed_is_needed_through_others_too_and_circles_end",),
        room="incidents",
    ),
    Mutation(
        "what somebody works on is merged away",
        "intake/joining.py",
        "if gone.id != stays.id and gone not in touched:",
        "if gone.id != stays.id:",
        (f"{_GROUPS}::test_of_two_that_people_work_on_neither_is_merged_away",),
        room="incidents",
    ),
    Mutation(
        "incidents of one cause stay apart when the cause comes last",
        "intake/joining.py",
        "for kind, incident, data in merge_events(gone, find_incident(transaction, stays.id), reason):",
        "for kind, incident, data in ():",
        (f"{_GROUPS}::test_two_that_need_the_same_are_apart_until_that_is_ill_and_then_merged",),
        room="incidents",
    ),
    Mutation(
        "a rule resolves what somebody responds to",
        "intake/rules/resolving.py",
        "AND coalesce(p.standing, '') <> 'begun'",
        "",
        (f"{_USAGE}::test_what_somebody_responds_to_is_left_to_them",),
        room="incidents",
    ),
    Mutation(
        "the last rule that matches takes a signal",
        "intake/rules/model.py",
        "next((one for one in self.rules if",
        "next((one for one in reversed(self.rules) if",
        (f"{_RULES}::test_the_first_rule_whose_matchers_all_hold_takes_a_signal",),
        room="incidents",
    ),
)
