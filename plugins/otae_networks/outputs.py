"""The last layer of a decoder, which keeps its values within the range of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from torch import nn

Output: TypeAlias = Literal["auto", "sigmoid", "tanh", "none"]

_LAYERS: Mapping[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "none": nn.Identity}
_RANGES: Mapping[tuple[float, float] | None, str] = {(0.0, 1.0): "sigmoid", (-1.0, 1.0): "tanh"}


def output_layer(output: Output, value_range: tuple[float, float] | None) -> nn.Module:
    """Returns the last layer of a decoder.

    Args:
        output: The layer's name; `auto` takes the sigmoid for data in [0, 1], tanh for [-1, 1], and none otherwise.
        value_range: The smallest and largest value of the data, or `None` where unbounded.
    """
    return _LAYERS[_RANGES.get(value_range, "none") if output == "auto" else output]()
