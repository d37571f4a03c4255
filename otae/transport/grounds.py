"""Ground costs that are powers of the Euclidean distance, of which costs know more than of others."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from ..errors import ConfigError
from ..interfaces import DistancePower, Ground
from ..reductions import precise, safe_power, squared_distances


class _Powered(Ground):
    r"""Abstract base of ground costs $c \|x - y\|^p$."""

    @property
    @abstractmethod
    def distance_power(self) -> DistancePower:
        """Returns the exponent and the factor."""

    @property
    def degree(self) -> float:
        """Returns the exponent."""
        return self.distance_power.exponent

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        costs: Tensor = self._of(squared_distances(x.reshape(len(x), -1), y.reshape(len(y), -1)))
        return costs

    def pair(self, x: Tensor, y: Tensor) -> Tensor:
        gaps = precise(x.reshape(len(x), -1)) - precise(y.reshape(len(y), -1))
        costs: Tensor = self._of(gaps.square().sum(1))
        return costs

    def within(self, x: Tensor) -> Tensor:
        costs: Tensor = self._of(squared_distances(x.reshape(len(x), -1)))
        return costs

    def formula(self, x: Any, y: Any) -> Any:
        return self._of(((x - y) ** 2).sum(-1))

    def _of(self, squares: Any) -> Any:
        exponent, factor = self.distance_power.exponent, self.distance_power.factor
        powers = squares if exponent == 2 else safe_power(squares, exponent / 2)
        return powers if factor == 1 else powers * factor


@dataclass(frozen=True)
class Euclidean(_Powered):
    r"""Creates the ground cost $\|x - y\|^p$ of the Euclidean distance.

    Args:
        power: The exponent p.

    Examples:
        >>> import torch
        >>> Euclidean()(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).item()
        5.0
    """

    power: Annotated[float, Field(gt=0)] = 1.0

    @property
    def distance_power(self) -> DistancePower:
        """Returns the exponent."""
        return DistancePower(self.power)


@dataclass(frozen=True)
class SqEuclidean(_Powered):
    r"""Creates the ground cost $\|x - y\|^2$: that of `euclidean` with `power: 2`.

    Examples:
        >>> import torch
        >>> SqEuclidean()(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).item()
        25.0
    """

    @property
    def distance_power(self) -> DistancePower:
        """Returns the exponent 2."""
        return DistancePower(2.0)


@dataclass(frozen=True)
class HalfSqEuclidean(_Powered):
    r"""Creates the ground cost $\tfrac12 \|x - y\|^2$, the negative log-likelihood of a unit Gaussian up to a constant.

    Examples:
        >>> import torch
        >>> HalfSqEuclidean()(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])).item()
        12.5
    """

    @property
    def distance_power(self) -> DistancePower:
        """Returns the exponent 2 and the factor 1/2."""
        return DistancePower(2.0, 0.5)


def require_ground(value: Any) -> Ground:
    """Returns a ground cost that a cost was given.

    Args:
        value: What it was given.

    Raises:
        ConfigError: If it is none, such as the name or the exponent of one.
    """
    if isinstance(value, Ground):
        return value
    new = f"Euclidean({value:g})" if isinstance(value, int | float) else "Euclidean()"
    raise ConfigError(
        f"A ground cost is an object, such as otae.transport.{new}, got {value!r}. Names are looked up by "
        f"otae.costs.create(…, ground={value if isinstance(value, str) else 'euclidean'!r}) and in configurations, "
        "`ground: {name: euclidean, power: 1}`."
    )
