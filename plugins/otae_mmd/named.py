"""The kernels by name, and their weighted sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from .kernels import Energy, Gaussian, InverseMultiquadric, Laplacian, Mixture, Radial, RationalQuadratic
from .lengths import Measured

Name: TypeAlias = Literal["imq", "gaussian", "laplacian", "rational-quadratic", "energy"]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
Scales: TypeAlias = Annotated[tuple[Positive, ...], Field(min_length=1)]


def mixed(weights: Mapping[Name, float], lengths: Measured) -> Radial:
    """Returns a weighted sum of kernels as one kernel.

    Args:
        weights: The weight of each kernel.
        lengths: The lengths that they are built from.
    """
    return _sum([KERNELS[name](lengths) for name in weights], list(weights.values()))


def in_words(weights: Mapping[Any, float]) -> str:
    """Returns a weighted sum of kernels in words.

    Args:
        weights: The weight of each kernel.
    """
    return " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in weights.items())


def _imq(lengths: Measured) -> Radial:
    return InverseMultiquadric(tuple(2 * square for square in lengths.of_prior))


def _gaussian(lengths: Measured) -> Radial:
    return _sum([Gaussian(1 / (2 * square)) for square in lengths.of_bandwidth])


def _laplacian(lengths: Measured) -> Radial:
    return _sum([Laplacian(1 / square**0.5) for square in lengths.of_bandwidth])


def _rational_quadratic(lengths: Measured) -> Radial:
    return _sum([RationalQuadratic(1 / (2 * square), lengths.alpha) for square in lengths.of_bandwidth])


def _energy(_: Measured) -> Radial:
    return Energy()


def _sum(kernels: list[Radial], weights: list[float] | None = None) -> Radial:
    weights = weights or [1.0] * len(kernels)
    return kernels[0] if weights == [1.0] else Mixture(kernels, weights)


KERNELS: dict[Name, Callable[[Measured], Radial]] = {
    "imq": _imq,
    "gaussian": _gaussian,
    "laplacian": _laplacian,
    "rational-quadratic": _rational_quadratic,
    "energy": _energy,
}
