"""The interface of kernels: how alike two points are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, cast

import torch
from pydantic import Field
from torch import Generator, Tensor

from ..errors import ConfigError


class Kernel(ABC):
    r"""Abstract base of kernels: a function of two blocks of points, positive definite at least for weights of sum 0.

    An author writes `__call__`. All else has a default, and is there to be faster or known to KeOps. A kernel with numbers to
    choose is best a frozen dataclass, whose fields are its options. Kernels add and multiply: `Gaussian(1.0) + 2 * IMQ()`.

    Attributes:
        conditional: Whether the kernel is positive definite for weights of sum 0 only, as $-\|x - y\|$.
    """

    conditional: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns the kernel of all pairs, with shape (N, M), differentiable in the points.

        Args:
            x: The first points, with shape (N, D).
            y: The second points, with shape (M, D).
        """

    def fix(self, x: Tensor, y: Tensor) -> Kernel:
        """Returns the kernel with the lengths that it has between two clouds, such as the median of their distances.

        Args:
            x: The points of the source, with shape (N, D).
            y: The points of the target, with shape (M, D).
        """
        return self

    def diagonal(self, x: Tensor) -> Tensor:
        """Returns the kernel of each point with itself, with shape (N,).

        Args:
            x: The points, with shape (N, D).
        """
        return torch.cat([self(point[None], point[None])[0] for point in x])

    def formula(self, x: Any, y: Any) -> Any | None:
        """Returns the kernel of all pairs as a formula of KeOps, with shape (N, M), or `None` where there is none.

        Args:
            x: The first points as a LazyTensor, with shape (N, 1, D).
            y: The second points as a LazyTensor, with shape (1, M, D).
        """
        return None

    @property
    def takes_batches(self) -> bool:
        """Returns whether `fix` takes batches of clouds too, with shape (B, N, D), and returns a `Radial` kernel for them.

        Points without weight are then no numbers.
        """
        return False

    @property
    def has_frequencies(self) -> bool:
        """Returns whether `draw_frequencies` is defined, as random features need."""
        return False

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        r"""Returns frequencies ω of waves whose mean is the kernel over that of a point with itself, with shape (D, F).

        $$\mathbb{E} \cos \langle\omega, x - y\rangle = k(x, y) / k(x, x)$$

        Only for kernels of the difference of two points, as `fix` returns them, and where `has_frequencies` is set.

        Args:
            count: The number of frequencies, F.
            like: Points with the dimension, the type and the device to have, with shape (N, D).
            generator: The source of randomness; torch's own where `None`.
        """
        raise NotImplementedError(f"{self!r} has no random frequencies.")

    def terms(self) -> list[tuple[float, Kernel]]:
        """Returns the kernels whose weighted sum this one is, with their weights: itself, unless it is a sum."""
        return [(1.0, self)]

    def __add__(self, other: Kernel) -> Kernel:
        return Sum([self, other])

    def __mul__(self, weight: float) -> Kernel:
        return Weighted(self, weight)

    __rmul__ = __mul__


class Sum(Kernel):
    """Creates the sum of kernels; in a configuration, a list of them.

    Args:
        kernels: The kernels.
    """

    def __init__(self, kernels: Sequence[Kernel]) -> None:
        if not kernels:
            raise ConfigError("A sum of kernels needs one at least.")
        self.kernels = tuple(kernels)

    @property
    def has_frequencies(self) -> bool:
        """Returns whether all of the kernels have random frequencies."""
        return all(kernel.has_frequencies for kernel in self.kernels)

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.stack([weight * kernel(x, y) for weight, kernel in self.terms()]).sum(0)

    def fix(self, x: Tensor, y: Tensor) -> Kernel:
        return Sum([kernel.fix(x, y) for kernel in self.kernels])

    def diagonal(self, x: Tensor) -> Tensor:
        return torch.stack([weight * kernel.diagonal(x) for weight, kernel in self.terms()]).sum(0)

    def formula(self, x: Any, y: Any) -> Any | None:
        first, *others = ((weight, kernel.formula(x, y)) for weight, kernel in self.terms())
        if first[1] is None or any(formula is None for _, formula in others):
            return None
        total = first[1] * first[0]
        for weight, formula in others:
            total = total + cast("Any", formula) * weight
        return total

    def draw_frequencies(self, count: int, like: Tensor, generator: Generator | None = None) -> Tensor:
        terms = self.terms()
        shares = [weight * float(kernel.diagonal(like[:1])[0]) for weight, kernel in terms]
        counts = split_count(count, shares, like, generator)
        pairs = zip(terms, counts, strict=True)
        return torch.cat([kernel.draw_frequencies(size, like, generator) for (_, kernel), size in pairs], 1)

    def terms(self) -> list[tuple[float, Kernel]]:
        return [term for kernel in self.kernels for term in kernel.terms()]

    def __repr__(self) -> str:
        return " + ".join(map(repr, self.kernels))


class Weighted(Sum):
    """Creates a kernel times a weight, for sums of kernels that do not count alike.

    Args:
        kernel: The kernel.
        weight: The weight, positive.
    """

    def __init__(self, kernel: Kernel, weight: Annotated[float, Field(gt=0)] = 1.0) -> None:
        if not 0 < weight < float("inf"):
            raise ConfigError(f"The weight of a kernel is a positive number, got {weight!r}.")
        super().__init__([kernel])
        self.kernel, self.weight = kernel, weight

    def fix(self, x: Tensor, y: Tensor) -> Kernel:
        return Weighted(self.kernel.fix(x, y), self.weight)

    def terms(self) -> list[tuple[float, Kernel]]:
        return [(self.weight * weight, kernel) for weight, kernel in self.kernel.terms()]

    def __repr__(self) -> str:
        return f"{self.weight:g} * {self.kernel!r}"


def split_count(count: int, shares: Sequence[float], like: Tensor, generator: Generator | None = None) -> list[int]:
    """Returns how many of some draws each part of a mixture has: its share, rounded up or down at random.

    Args:
        count: The number of draws.
        shares: The share of each part, of any sum.
        like: A tensor on the device of the generator.
        generator: The source of randomness; torch's own where `None`.
    """
    ends = torch.tensor(shares, dtype=torch.float64).cumsum(0) / sum(shares) * count
    start = torch.rand(1, generator=generator, dtype=torch.float64, device=like.device).cpu()
    before = (ends - start).ceil().clamp(0, count).long()
    before[-1] = count
    return [int(size) for size in before.diff(prepend=before.new_zeros(1))]
