"""Who tells whether a query is PromQL: the context's Prometheus, else promtool, else nobody.

Invariant: one that does not answer is passed over, so that files can be checked anywhere; who it was is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from maestro_cli.core.errors import ActionFailed, InvalidQuery, MaestroError, TimedOut
from maestro_cli.slo.files.syntax import Parser

if TYPE_CHECKING:
    from maestro_cli.services.changing import ChangeServices
    from maestro_cli.sources.prometheus import Prometheus

LEXICAL = Parser("brackets, quotes and matchers alone: neither a Prometheus nor promtool is there", None)


def parser_of(services: ChangeServices) -> Parser:
    """The first that answers. Raises nothing: a context need not have any."""
    from maestro_cli.sources.promtool import find_promtool, parse_with

    try:
        prometheus = services.prometheus
        prometheus.parse("vector(1)")
        return Parser(f"the Prometheus at {prometheus.url}", partial(_parse, prometheus))
    except MaestroError:
        program = find_promtool()
    try:
        if program is not None and not any(parse_with(program, ["vector(1)"])):
            return Parser(program, partial(parse_with, program))
    except (ActionFailed, TimedOut):
        pass
    return LEXICAL


def _parse(prometheus: Prometheus, expressions: Sequence[str]) -> Sequence[str]:
    return [_said(prometheus, one) for one in expressions]


def _said(prometheus: Prometheus, expression: str) -> str:
    try:
        prometheus.parse(expression)
    except InvalidQuery as error:
        return error.why or error.what
    return ""
