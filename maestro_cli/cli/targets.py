"""What a command changes, as its first words.

Invariant: a target is found by the services, in the namespace of -n before any other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from maestro_cli.cli.options import NamespaceOption
from maestro_cli.core.matchers import matchers_text, parse_matchers
from maestro_cli.core.refs import ObjectRef, parse_node_ref, silence_ref

Target = Callable[..., ObjectRef]
Find = Callable[[Any, str, str | None], ObjectRef]  # from the services, the word and the namespace


def _one_word(word: str, shown: str | None, told: str, find: Find, *, has_namespace: bool = True) -> Target:
    """The target that one word names; `shown` is the word in the help, by default its own name."""

    def read(ctx: typer.Context, **words: Any) -> ObjectRef:
        return find(ctx.obj, words[word], words.get("namespace"))

    argument = Annotated[str, typer.Argument(metavar=shown, help=told)]
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("ctx", kind, annotation=typer.Context),
        inspect.Parameter(word, kind, annotation=argument),
    ]
    if has_namespace:
        parameters.append(inspect.Parameter("namespace", kind, default=None, annotation=NamespaceOption))
    made: Any = read
    made.__signature__ = inspect.Signature(parameters)
    return read


def _named(kind: str, told: str) -> Target:
    return _one_word("name", "NAME", told, lambda services, *where: services.named_ref(kind, *where))


TargetArgument = Annotated[
    str, typer.Argument(metavar="TARGET", help="configmap/NAME, deploy/NAME, or server.")
]
A_WORKLOAD = _one_word(
    "workload", None, "deploy/NAME, sts/NAME or ds/NAME, with namespace/ before it or -n.",
    lambda services, *where: services.workload_ref(*where),
)  # fmt: skip
A_WORKLOAD_OR_RELEASE = _one_word(
    "workload", None, "deploy/NAME, sts/NAME, ds/NAME or helm/RELEASE, with namespace/ before it or -n.",
    lambda services, *where: services.object_ref(*where),
)  # fmt: skip
A_ROUTING = _one_word(
    "target", "TARGET", "configmap/NAME, deploy/NAME, or server.",
    lambda services, *where: services.routing_ref(*where),
)  # fmt: skip
A_SERVER = _one_word(
    "target", "TARGET", "deploy/NAME, or server.",
    lambda services, *where: services.server_ref(*where),
)  # fmt: skip
A_POD = _one_word(
    "name", "NAME", "NAME, or namespace/pod/NAME.",
    lambda services, *where: services.pod_ref(*where),
)  # fmt: skip
A_NODE = _one_word(
    "name", "NAME", "NAME, or node/NAME.", lambda _, name, __: parse_node_ref(name), has_namespace=False
)
A_CONFIG_MAP = _named("ConfigMap", "The config map.")
AN_ENTRANCE = _named("Service", "The Service without a selector by which callers come in.")
AN_AUTOSCALER = _named("HorizontalPodAutoscaler", "The HorizontalPodAutoscaler.")


def some_alerts(
    ctx: typer.Context,
    matchers: Annotated[
        list[str], typer.Argument(metavar="LABEL=VALUE", help="Matchers; also != =~ !~. All have to match.")
    ],
) -> ObjectRef:
    """The alerts that matchers take in."""
    return silence_ref(matchers_text(parse_matchers(",".join(matchers))))
