"""Bounds of a manifest hold for tensors of few and of many elements alike."""

from __future__ import annotations

import numpy as np
import pytest

from maestro_cli.serving.errors import RequestError
from maestro_cli.serving.models.manifest import TensorSpec
from maestro_cli.serving.protocol import contract
from maestro_cli.serving.protocol.tensors import FEW, NUMPY_TYPES

SIZES = (1, FEW, FEW + 1, 4000)


def refused(spec: TensorSpec, rows: int, value: float) -> bool:
    """Whether one such value among zeros is the client's fault."""
    array = np.zeros((rows, 1), dtype=NUMPY_TYPES[spec.datatype])
    array[rows // 2] = value
    try:
        contract.feed([spec], {"x": array}, {"x": spec.datatype})
    except RequestError as error:
        return "outside" in error.text
    return False


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_a_bound_is_taken_as_the_datatype_holds_it(rows: int, datatype: str) -> None:
    spec = TensorSpec("x", datatype, (-1, 1), minimum=-0.3, maximum=0.3)
    edge = NUMPY_TYPES[datatype].type(0.3)
    assert not refused(spec, rows, float(edge))
    assert not refused(spec, rows, -float(edge))
    beyond = float(np.nextafter(edge, NUMPY_TYPES[datatype].type(1)))
    assert refused(spec, rows, beyond)
    assert refused(spec, rows, -beyond)


@pytest.mark.parametrize("rows", SIZES)
def test_integers_are_compared_exactly(rows: int) -> None:
    spec = TensorSpec("x", "INT64", (-1, 1), minimum=-2.5, maximum=10.0)
    assert [refused(spec, rows, value) for value in (-3, -2, 10, 11)] == [True, False, False, True]


def test_one_bound_is_enough() -> None:
    low, high = (
        TensorSpec("x", "FP32", (-1, 1), minimum=-1.0),
        TensorSpec("x", "FP32", (-1, 1), maximum=1.0),
    )
    assert (refused(low, 1, 5.0), refused(low, 1, -5.0)) == (False, True)
    assert (refused(high, 1, 5.0), refused(high, 1, -5.0)) == (True, False)


@pytest.mark.parametrize(
    ("wanted", "got", "fits"),
    [
        ((-1, 9), (4, 9), True),
        ((-1, 9), (4, 8), False),
        ((2, 9), (2, 9), True),
        ((2, 9), (3, 9), False),
        ((-1, -1, 8), (3, 5, 8), True),
        ((-1, -1, 8), (3, 5, 7), False),
        ((-1, 9), (9,), False),
        ((-1,), (4, 1), False),
    ],
)
def test_a_tensor_has_the_extents_of_the_manifest(
    wanted: tuple[int, ...], got: tuple[int, ...], fits: bool
) -> None:
    array = np.zeros(got, dtype=np.float32)
    feed = [TensorSpec("x", "FP32", wanted)], {"x": array}, {"x": "FP32"}
    if fits:
        assert list(contract.feed(*feed)) == ["x"]
    else:
        with pytest.raises(RequestError, match="must have shape"):
            contract.feed(*feed)
