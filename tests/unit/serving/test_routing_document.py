"""A routing document is read whole, or refused with the place of its fault."""

from __future__ import annotations

import json

import numpy as np
import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.serving.protocol.tensors import NUMPY_TYPES
from maestro_cli.serving.routing.document import EMPTY, as_plain, models_of, read_routing

GOOD = """
schema: maestro.routing/1
routes:
  fraud:
    to:
      split:
        key: header:x-user-id
        salt: canary-3
        arms:
          - {name: stable, weight: 90, to: {model: fraud, version: 1}}
          - name: canary
            weight: 10
            to:
              first:
                - {model: fraud, version: 2}
                - constant: {score: {datatype: FP32, value: 0.5}}
    shadow: {model: fraud, version: 3, share: 0.2}
  price:
    to:
      switch:
        cases:
          - {when: "region == 3 and amount[1] > 100", to: {model: price-south}}
        default:
          chain:
            - {to: {model: segment}, give: {segment: segment_in}}
            - {to: {model: price}}
"""


def with_node(node: str) -> str:
    return f"schema: maestro.routing/1\nroutes:\n  a:\n    to: {node}\n"


def with_arms(arms: str) -> str:
    return with_node(f"{{split: {{arms: [{arms}]}}}}")


def with_case(when: str) -> str:
    return with_node(f"{{switch: {{cases: [{{when: '{when}', to: {{model: a}}}}], default: {{model: a}}}}}}")


def with_named_case(name: str) -> str:
    case = f'{{name: "{name}", when: "x > 1", to: {{model: a}}}}'
    return with_node(f"{{switch: {{cases: [{case}], default: {{model: a}}}}}}")


def with_constant(datatype: str, value: str) -> str:
    return with_node(f"{{constant: {{s: {{datatype: {datatype}, value: {value}}}}}}}")


ARM = "{name: x, weight: 1, to: {model: a}}"
CONSTANT = "constant: {s: {datatype: FP32, value: %s}}"


def test_a_good_document_names_its_models() -> None:
    assert models_of(read_routing(GOOD, "f")) == {
        ("fraud", 1), ("fraud", 2), ("fraud", 3), ("price-south", None), ("segment", None), ("price", None),
    }  # fmt: skip


def test_the_digest_is_of_what_is_said_not_of_how() -> None:
    routing = read_routing(GOOD, "f")
    again = read_routing(json.dumps(as_plain(routing)), "f")
    assert again == routing
    assert again.digest == routing.digest
    assert read_routing(GOOD.replace("weight: 10", "weight: 11"), "f").digest != routing.digest
    assert EMPTY.digest == read_routing("schema: maestro.routing/1", "f").digest


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", "", "schema"),
        ("schema: maestro.routing/2", "f:1: schema", "maestro.routing/1"),
        ("schema: maestro.routing/1\nrouts: {}", "f:2: routs", "routes"),
        ("schema: maestro.routing/1\nroutes:\n  Fraud: {to: {model: a}}", "f:3: routes.Fraud", "name"),
        (with_node("{}"), "f:4: routes.a.to", "says nothing"),
        (with_node("{model: a, first: [{model: b}]}"), "f:4: routes.a.to", "model and first"),
        (with_node("{version: 1, " + CONSTANT % 1 + "}"), "routes.a.to.version", "belongs"),
        (with_node("{model: ../a}"), "routes.a.to.model", "name"),
        (with_node("{model: a, version: 0}"), "routes.a.to.version", ">= 1"),
        (with_node("{model: a, modle: b}"), "routes.a.to.modle", "did you mean 'model'"),
        (with_node("{split: {arms: []}}"), "routes.a.to.split.arms", ">= 1"),
        (with_arms("{name: x, weight: 0, to: {model: a}}"), "split.arms", "above 0"),
        (with_arms("{name: x, weight: -1, to: {model: a}}"), "arms[0].weight", ">= 0"),
        (with_arms("{name: X y, weight: 1, to: {model: a}}"), "arms[0].name", "lower-case"),
        (with_arms(f"{ARM}, {ARM}"), "arms[1].name", "another arm"),
        (with_node("{split: {key: cookie, arms: [" + ARM + "]}}"), "split.key", "header:"),
        (with_case("open(1)"), "switch.cases[0].when", "condition"),
        (with_named_case("größe"), "switch.cases[0].name", "lower-case"),
        (with_named_case("a\\r\\nSet-Cookie: a"), "switch.cases[0].name", "lower-case"),
        (with_constant("INT8", "300"), "constant.s.value", "not a INT8"),
        (with_constant("UINT64", "-1"), "constant.s.value", "not a UINT64"),
        (with_constant("INT64", "1.5"), "constant.s.value", "not a INT64"),
        (with_constant("INT8", "true"), "constant.s.value", "not a INT8"),
        (with_constant("BOOL", "1"), "constant.s.value", "not a BOOL"),
        (with_constant("FP16", "70000"), "constant.s.value", "not a FP16"),
        (with_constant("BYTES", "1"), "constant.s.value", "not a BYTES"),
        (with_node("{constant: {s: {datatype: FP99, value: 1}}}"), "constant.s.datatype", "not a datatype"),
        (with_node("{" + CONSTANT % "x" + "}"), "constant.s.value", "not a FP32"),
        (with_node("{constant: {}}"), "constant", "needs an output"),
        (with_node("{first: [" * 9 + "{model: a}" + "]}" * 9), "first[0]", "nested deeper"),
        (with_node("{model: a}") + "    shadow: {model: a, version: 1, share: 2}", "shadow.share", "<= 1"),
    ],
)
def test_a_fault_is_told_with_its_place(text: str, place: str, told: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        read_routing(text, "f")
    error = refused.value
    assert place in error.what
    assert told in f"{error.what} {error.why} {error.fix}"


@pytest.mark.parametrize(
    ("datatype", "value", "read"),
    [
        ("INT8", "-128", -128),
        ("UINT64", str(2**64 - 1), 2**64 - 1),
        ("FP32", "1", 1),
        ("BOOL", "true", True),
        ("BYTES", "ä", "ä"),
    ],
)
def test_a_constant_is_a_value_of_its_datatype(datatype: str, value: str, read: object) -> None:
    constant = read_routing(with_constant(datatype, value), "f").routes["a"].to.constant
    assert constant is not None
    assert constant["s"].value == read
    assert np.full(2, read, dtype=NUMPY_TYPES[datatype]).tolist() == [read, read]


def test_a_route_has_a_limit_of_nodes() -> None:
    arms = ", ".join("{model: a}" for _ in range(8))
    wide = f"{{first: [{arms}]}}"
    deep = f"{{first: [{', '.join([wide] * 8)}]}}"
    with pytest.raises(InvalidFile, match="nodes"):
        read_routing(with_node(f"{{first: [{deep}, {deep}]}}"), "f")
