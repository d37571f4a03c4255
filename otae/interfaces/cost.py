"""The interface of costs: a discrepancy between two clouds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from ..cloud import Cloud, CloudLike, as_cloud
from ..errors import CloudError
from .arguments import drop_weightless, refuse_batch, unify_types
from .batch import Batch, read_batch
from .former import refuse_when_constructed


class Cost(nn.Module, ABC):
    """Creates a discrepancy between two clouds.

    A cost is a plain module: `cost(source, target)` takes clouds, tensors of shape (N, …), or sequences of these as joint
    clouds, and returns a scalar to minimise. Its parameters are minimised with the rest of the model, save those of
    `adversary`, which follow `adversary_loss` with an optimiser of their own.

    Attributes:
        paired: Whether the clouds must lie on one line, sample by sample: the coupling is the identity.
        same_space: Whether the clouds must live in one space; `False` for Gromov-Wasserstein.
        unary: Whether the cost looks at its source alone and takes no target.
        needs_density: Whether the clouds' laws must have densities.
        separable: Whether the cost is a mean over the samples of its source, each with its own target's: each process may
            then compute its own rows' alone.
        vectorized: Whether `torch.vmap` can see through the cost, so that batches of clouds are computed at once.
        former: The options that the cost had once, and what to write instead of each, with `VALUE` for its value.
    """

    paired: ClassVar[bool] = False
    same_space: ClassVar[bool] = True
    unary: ClassVar[bool] = False
    needs_density: ClassVar[bool] = False
    separable: ClassVar[bool] = False
    vectorized: ClassVar[bool] = False
    former: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "former" in vars(cls):
            refuse_when_constructed(cls)

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns the cost of the clouds, a scalar.

        Args:
            source: A cloud, with shape (N, …).
            target: A cloud, with shape (M, …).
        """

    @property
    def adversary(self) -> nn.Module | None:
        """Returns the module whose parameters maximise the cost, or `None`."""
        return None

    def adversary_loss(self, source: Cloud, target: Cloud) -> Tensor:
        """Returns what the adversary minimises, penalties included, a scalar.

        Args:
            source: The source cloud, cut from the graph.
            target: The target cloud, cut from the graph.
        """
        raise NotImplementedError(f"{type(self).__name__} has no adversary, hence no adversary loss.")

    def batched(
        self, x: Tensor, y: Tensor, weights: Tensor | None = None, target_weights: Tensor | None = None
    ) -> Tensor:
        """Returns the costs of a batch of pairs of clouds, with shape (B,); random draws are shared where it is vectorised.

        Args:
            x: The source clouds, with shape (B, N, D); those with fewer points are padded by points of weight 0.
            y: The target clouds, with shape (B, M, D).
            weights: The weights of the source's points, with shape (B, N); uniform where `None`.
            target_weights: The weights of the target's points, with shape (B, M); uniform where `None`.

        Raises:
            CloudError: If the clouds are not batches of one size, or do not fit the cost.
        """
        if self.unary:
            raise CloudError(f"{type(self).__name__} looks at one cloud alone: there are no pairs to take a batch of.")
        source, target = (read_batch(*each) for each in ((x, weights), (y, target_weights)))
        if len(source) != len(target) or (self.paired and source.points.shape[1] != target.points.shape[1]):
            shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
            raise CloudError(f"A batch compares as many clouds as others, and paired clouds of one size, got {shapes}.")
        if self.same_space and x.shape[2] != y.shape[2]:
            raise CloudError(
                f"{type(self).__name__} compares clouds of one space, but got {tuple(x.shape)} and {tuple(y.shape)}."
            )
        dtype = torch.promote_types(source.points.dtype, target.points.dtype)
        with torch.autocast(x.device.type, enabled=False):
            return self.compare_batch(source.to(dtype), target.to(dtype))

    def compare_batch(self, source: Batch, target: Batch) -> Tensor:
        """Returns the costs of a batch of pairs of clouds, with shape (B,): one after the other, unless a cost knows better.

        Args:
            source: The source clouds, with shape (B, N, D).
            target: The target clouds, with shape (B, M, D).
        """
        if self.vectorized and source.weights is None and target.weights is None:
            together = torch.vmap(lambda x, y: self(Cloud(x), Cloud(y)), randomness="same")
            return together(source.points, target.points)
        return torch.stack([self(*pair) for pair in zip(source.clouds(), target.clouds(), strict=True)])

    def potential(self, cloud: Cloud) -> Tensor | None:
        """Returns the dual potential that the cost has learned, at each point of a cloud, with shape (N,): high where points
        look like the target, low where they look like the source. `None` where the cost has none.

        Args:
            cloud: A cloud of the kind that the cost compares, with shape (N, …).
        """
        return None

    def __call__(self, source: CloudLike, target: CloudLike | None = None) -> Tensor:
        if self.unary and target is not None:
            raise CloudError(f"{type(self).__name__} looks at its source alone: give it no target.")
        if self.unary:
            return self._compute(as_cloud(source))
        if target is None:
            raise CloudError(f"{type(self).__name__} compares two clouds: give it a target as well as a source.")
        return self._compute(*self._drop_weightless(*self._lift(source, target)))

    def _compute(self, *clouds: Cloud) -> Tensor:
        """Returns the cost of clouds, in single precision at least under autocast: distances do not survive less."""
        kind = clouds[0].points.device.type
        if self.adversary is not None or not torch.is_autocast_enabled(kind):  # networks are what autocast is for
            return cast("Tensor", super().__call__(*clouds))
        wide = [cloud.to(torch.promote_types(cloud.points.dtype, torch.float32)) for cloud in clouds]
        with torch.autocast(kind, enabled=False):
            return cast("Tensor", super().__call__(*wide))

    def _drop_weightless(self, source: Cloud, target: Cloud) -> tuple[Cloud, Cloud]:
        """Returns the clouds without the points of weight 0, which must change nothing."""
        return drop_weightless(source, target, self.paired)

    def _lift(self, source: CloudLike, target: CloudLike) -> tuple[Cloud, Cloud]:
        """Returns what the cost was given as two clouds of one type that fit it."""
        if not self.paired:
            refuse_batch(source, type(self).__name__)
            refuse_batch(target, type(self).__name__)
        first, second = as_cloud(source), as_cloud(target)
        self._check(first, second)
        first, second = unify_types(first, second)
        return first, second

    def _check(self, source: Cloud, target: Cloud) -> None:
        name, (n, m) = type(self).__name__, (len(source), len(target))
        if self.paired and n != m:
            raise CloudError(f"{name} pairs its clouds sample by sample, but they have {n} and {m} points.")
        if self.same_space and source.flat.shape[1] != target.flat.shape[1]:
            shapes = f"{tuple(source.points.shape)} and {tuple(target.points.shape)}"
            raise CloudError(
                f"{name} compares clouds of one space, but got shapes {shapes}. For two spaces use a Gromov cost."
            )
        if source.points.device != target.points.device:
            raise CloudError(f"The clouds lie on {source.points.device} and {target.points.device}: move one of them.")
