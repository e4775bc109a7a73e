"""One object of the cluster: what it is, who owns it, what it owns, what was said of it; and as YAML.

Invariant: values of Secrets, and what is known to be secret, are never read into the console.
"""

from __future__ import annotations

from dataclasses import field, fields, make_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from maestro_cli.core.decoding import ready
from maestro_cli.core.refs import ObjectRef, parse_object_ref, ref_of
from maestro_cli.tui.acting.model import Action, Danger, Target
from maestro_cli.tui.feeds.model import Feed
from maestro_cli.tui.screens.model import Moment, OwnScreen, Place, ReportScreen

if TYPE_CHECKING:
    from maestro_cli.core.facts.inspection import Description, ObjectText
    from maestro_cli.output.views import Report
    from maestro_cli.services.root import Services
    from maestro_cli.tui.views.view import View

_GROUPS = {"Pod": "pod", "Node": "node"}  # the command that describes a kind; of a workload `workload`


def read_description(services: Services, argument: str) -> Description:
    from maestro_cli.services.inspecting import describe

    return describe(services, parse_object_ref(argument))


def read_yaml(services: Services, argument: str) -> ObjectText:
    from maestro_cli.services.inspecting import object_text

    return object_text(services, parse_object_ref(argument))


def text_type() -> Any:
    from maestro_cli.core.facts.inspection import ObjectText

    return ObjectText


@cache
def description_type() -> Any:
    """A description whose line is not read yet: of which kind it is, its reference says."""
    from maestro_cli.core.facts.inspection import Description

    hints = {**get_type_hints(Description), "line": Any}
    parts = [(one.name, hints[one.name], field(default=one.default)) for one in fields(Description)]
    return make_dataclass("KeptDescription", parts, frozen=True)


def described_again(kept: Any) -> Description:
    """Raises msgspec.ValidationError for a line that is of another kind."""
    from maestro_cli.core.facts.inspection import Description
    from maestro_cli.core.facts.inventory import NodeLine, PodLine, WorkloadLine

    kind: Any = {"Pod": PodLine, "Node": NodeLine}.get(kept.ref.kind, WorkloadLine)
    ref = ref_of(kept.ref.kind, kept.ref.namespace, kept.ref.name)
    parts = {one.name: getattr(kept, one.name) for one in fields(Description)}
    return Description(**{**parts, "ref": ref, "line": msgspec.convert(kept.line, ready(kind | None))})


DESCRIPTION: Feed[Description] = Feed(
    "description", "Kubernetes", 3.0, read_description,
    item=description_type, revive=described_again, is_kept_when_shown=True,
)  # fmt: skip
YAML: Feed[ObjectText] = Feed("yaml", "Kubernetes", 5.0, read_yaml, item=text_type, is_kept_when_shown=True)


def description_report(found: Description, moment: Moment) -> Report:
    from maestro_cli.output.renderers.descriptions import description_view

    return description_view(found, moment.now)


def described(place: Place, found: object) -> Target:
    ref = parse_object_ref(place.argument)
    return Target(place.context, ref.kind, str(ref), str(ref), ref)


def yaml_view(place: Place) -> View:
    from maestro_cli.tui.views.yaml_pane import YamlPane

    return YamlPane(AS_YAML, place)


def _ref(target: Target) -> ObjectRef:
    """Of any target whose name is that of an object."""
    return parse_object_ref(target.name)


def _line(verb: str, target: Target) -> tuple[str, ...]:
    ref = _ref(target)
    return (_GROUPS.get(ref.kind, "workload"), verb, str(ref))


def describe_action(screen: str) -> Action:
    """`d` on an object of the cluster."""
    return Action(
        f"{screen}.describe",
        "Describe",
        "conditions, owners, what it owns, events",
        Danger.OBSERVE,
        lambda target, answers: _line("describe", target),
        key="d",
        opens=lambda target: Place("describe", target.name, target.context),
    )


def yaml_action(screen: str) -> Action:
    """`y` on an object of the cluster."""
    return Action(
        f"{screen}.yaml",
        "YAML",
        "the object as it is kept, without secrets",
        Danger.OBSERVE,
        lambda target, answers: _line("yaml", target),
        key="y",
        opens=lambda target: Place("yaml", target.name, target.context),
    )


AS_YAML = OwnScreen(
    id="yaml",
    title="YAML",
    help="One object as the cluster keeps it, without values that are secret.",
    feeds=(YAML,),
    view=yaml_view,
    panes=("texts",),
)

SCREENS = (
    ReportScreen(
        id="describe",
        title="Describe",
        help="One object: conditions, owners, what it owns, and its events.",
        feed=DESCRIPTION,
        report=description_report,
        target=described,
        actions=(yaml_action("describe"),),
    ),
    AS_YAML,
)
