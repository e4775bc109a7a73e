"""Rules of objectives: what is to be loaded, unit tests of it, and what of it is loaded.

Invariant: only `differences_of` asks anything over the network, and what it was answered is untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestro_cli.config.explanation import choice
from maestro_cli.config.strict import Document, parse_yaml_all
from maestro_cli.core.errors import NotFound, UsageError
from maestro_cli.core.facts.rules import LoadedRule
from maestro_cli.core.untrusted import visible
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.objectives import Objective
from maestro_cli.slo.rules.alerts import RuleOptions, rule_file
from maestro_cli.slo.rules.difference import Difference, differences, rules_of
from maestro_cli.slo.rules.naming import NAMES
from maestro_cli.slo.rules.operator import KIND, groups_of
from maestro_cli.slo.rules.recording import bad_events
from maestro_cli.slo.rules.unit_tests import UnitTests, unit_tests
from maestro_cli.slo.rules.windows_file import read_windows
from maestro_cli.slo.windows import PROFILES, Profile

if TYPE_CHECKING:
    from maestro_cli.services.root import Services

_RESOURCE = "/apis/monitoring.coreos.com/v1/namespaces/{}/prometheusrules/{}"


@dataclass(frozen=True, slots=True)
class WantedRules:
    """As the command line says it; `path` is of objectives, by default those of the context.

    `watched`: only of those whose burn people are told of.
    """

    path: str | None = None
    profile: str = "production"
    names: str = "maestro"
    windows: str | None = None
    absent: bool = True
    budget: bool = True
    least_bad: float = 0.0
    watched: bool = False


@dataclass(frozen=True, slots=True)
class MadeRules:
    """The rule file's document, and the objectives it is of; `without` have no rules."""

    document: Mapping[str, Any]
    objectives: tuple[Objective, ...]
    without: tuple[str, ...]
    profile: Profile
    options: RuleOptions

    def tests_of(self, rules: str) -> UnitTests:
        """Unit tests of the rule file that will be at `rules`."""
        groups = [group["name"] for group in self.document["groups"]]
        return unit_tests(self.objectives, self.profile, self.options, rules, groups)


def make_rules(services: Services, wanted: WantedRules) -> MadeRules:
    """Raises InvalidFile for objectives that are broken, NotFound where there are none, UsageError."""
    if wanted.profile not in PROFILES:
        raise UsageError(f"there is no profile {wanted.profile!r}", **choice(wanted.profile, PROFILES))
    if wanted.names not in NAMES:
        raise UsageError(f"there are no names of {wanted.names!r}", **choice(wanted.names, NAMES))
    found = _objectives(services, wanted.path)
    measured = tuple(one for one in found if one.is_of_metrics and (one.is_watched or not wanted.watched))
    if not measured:
        what = "there is no objective to make rules of"
        raise NotFound(what, fix="name a file of objectives, or set `objectives` of the context")
    if wanted.least_bad < 0:
        raise UsageError("fewer bad events than none", fix="--min-bad-events 10")
    for one in measured:
        if wanted.least_bad and bad_events(one, "1h") is None:
            why = "its queries tell shares, not counts"
            raise UsageError(
                f"the events of {one.name} cannot be counted", why=why, fix="leave out --min-bad-events"
            )
    options = RuleOptions(
        names=NAMES[wanted.names],
        absent=wanted.absent,
        budget=wanted.budget,
        least_bad=wanted.least_bad,
        windows=read_windows(Path(wanted.windows)) if wanted.windows else {},
    )
    profile = PROFILES[wanted.profile]
    without = tuple(one.name for one in found if not one.is_of_metrics)
    return MadeRules(rule_file(measured, profile, options), measured, without, profile, options)


def differences_of(
    services: Services, wanted: WantedRules, file: tuple[str, str] | None, resource: str | None
) -> tuple[Difference, ...]:
    """What is loaded, against what should be: in the context's Prometheus, a file (its name and text), or a
    PrometheusRule of the cluster (`NAMESPACE/NAME`).

    Raises as `make_rules`, and what the source raises.
    """
    made = make_rules(services, wanted)
    return differences(rules_of(made.document), _loaded(services, file, resource))


def _loaded(services: Services, file: tuple[str, str] | None, resource: str | None) -> Sequence[LoadedRule]:
    if file is not None and resource is not None:
        raise UsageError("rules are compared with one thing", fix="give --file or --resource")
    if file is not None:
        name, text = file
        return [rule for document in parse_yaml_all(text, name) for rule in _rules_in(document)]
    if resource is not None:
        namespace, _, name = resource.partition("/")
        if not namespace or not name or "/" in name:
            raise UsageError(f"{resource!r} names no {KIND}", fix="--resource NAMESPACE/NAME")
        from maestro_cli.sources.kube.paths import segment

        path = _RESOURCE.format(segment(namespace), segment(name))
        return _rules_in(Document(f"{KIND} {resource}", services.cluster.get_object(path)))
    return services.prometheus.rules()


def _rules_in(document: Document) -> Sequence[LoadedRule]:
    """The rules of a rule file or a PrometheusRule. Raises InvalidFile."""
    data = document.data
    try:
        return rules_of(groups_of(data)) if isinstance(data, dict) else _none(document)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise document.fail(f"is no rule file: {visible(str(error), 80)}") from error


def _none(document: Document) -> Sequence[LoadedRule]:
    raise document.fail("is no rule file", fix=f"groups: …, or a {KIND}")


def _objectives(services: Services, path: str | None) -> tuple[Objective, ...]:
    if path is None:
        return tuple(services.objectives.values())
    if not Path(path).exists():
        raise NotFound(f"{visible(path, 200)} is not there", fix="name a file of objectives, or a folder")
    return read_objectives(Path(path))
