"""The kernel distance of the generations to the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Estimate, Figure, FigureValue, Metric, Specimen

from .bootstrap import interval
from .features import Extraction, FeatureName
from .linear import Linear
from .subset import subset

_REPLICATES = 200


class KernelDistance(Metric):
    r"""Creates the kernel distance (KID): the squared maximum mean discrepancy of generations and data, without bias.

    $$\mathrm{MMD}^2 = \mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\, \mathbb{E}\, k(x, y), \qquad
    k(x, y) = \left(\frac{x^\top y}{D} + 1\right)^3$$

    over pairs of different samples. Its mean does not depend on how many samples there are, so that figures of few and of
    many compare, and single values may be negative. It is 0 where the first three moments agree. The baseline is that of
    as many draws from the linear Gaussian model of `frechet`. The interval is that of the bootstrap over both clouds.

    Figures: `distance`, `pca_distance`.

    Args:
        limit: The largest number of samples of each cloud to look at, drawn by seed; time and memory grow with its square.
        features: Where the clouds are compared: `pixels` for the entries of samples as they are, `pca` for at most 64
            principal components, `classifier` for the hidden layer of a network trained on the labels.
        module: The name of a module of one's own that gives the features instead, offered under the entry-point group
            `otae_networks.modules`, as for the encoder `pretrained`.
        weights: A safetensors file with the module's state.

    References:
        Demystifying MMD GANs (Bińkowski et al., 2018)
        https://arxiv.org/abs/1801.01401
    """

    headline = "distance"
    figures: ClassVar[Mapping[str, Figure]] = {
        "distance": Figure(
            "kernel distance", "unbiased squared MMD of generations and data, cubic kernel", "lower", 0.0
        ),
        "pca_distance": Figure("kernel distance of PCA", "that of as many draws from a linear Gaussian model"),
    }

    def __init__(
        self,
        limit: Annotated[int, Field(gt=1, le=100_000)] = 2_000,
        features: FeatureName = "pixels",
        module: str | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__()
        self.limit = limit
        self.extraction = Extraction(features, module, weights)

    def __call__(self, specimen: Specimen) -> dict[str, FigureValue]:
        """Returns the distance of the generations, and the baseline's.

        Args:
            specimen: The split and what the model makes of it.

        Raises:
            NotApplicableError: If there are fewer than two samples or two generations.
        """
        seed, extract = specimen.seed, self.extraction(specimen)
        data, generated = (
            cloud[subset(cloud, self.limit, seed, matrices=3)] for cloud in (specimen.data, specimen.generations)
        )
        if min(len(data), len(generated)) < 2:
            raise NotApplicableError("A kernel distance without bias needs two samples and two generations at least.")
        linear = Linear(specimen.train.data, specimen.codes.shape[1]).sample(len(generated), seed)
        drawn = linear.reshape(len(generated), *data.shape[1:]).to(data.dtype)
        x, y, z = extract(data), extract(generated), extract(drawn)
        return {"distance": kernel_estimate(x, y, seed), "pca_distance": kernel_estimate(x, z, seed)}


def kernel_estimate(x: Tensor, y: Tensor, seed: int) -> Estimate:
    """Returns the unbiased squared MMD of the cubic kernel, with its bootstrap interval.

    Args:
        x: The first points, with shape (N, D), in double precision.
        y: The second points, with shape (M, D), in double precision.
        seed: The seed of the bootstrap.
    """
    kernels = _cubic(x, x), _cubic(y, y), _cubic(x, y)
    generator = torch.Generator().manual_seed(seed)
    ones = (torch.ones(1, len(x), dtype=x.dtype), torch.ones(1, len(y), dtype=x.dtype))
    drawn = tuple(_draw(len(cloud), generator).to(x.dtype) for cloud in (x, y))
    return interval(float(_discrepancy(kernels, *ones)), _discrepancy(kernels, *drawn).tolist())


def _discrepancy(kernels: tuple[Tensor, Tensor, Tensor], a: Tensor, b: Tensor) -> Tensor:
    """Returns the discrepancy for each row of counts of how often the points are drawn, with shape (R,)."""
    xx, yy, xy = kernels
    within = sum(_pairs(kernel, counts) for kernel, counts in ((xx, a), (yy, b)))
    between = ((a @ xy) * b).sum(1) / (a.sum(1) * b.sum(1))
    return torch.as_tensor(within - 2 * between)


def _pairs(kernel: Tensor, counts: Tensor) -> Tensor:
    """Returns the mean of a kernel over pairs of different points, for each row of counts."""
    both = ((counts @ kernel) * counts).sum(1) - counts.square() @ kernel.diagonal()
    return both / (counts.sum(1).square() - counts.square().sum(1))


def _draw(size: int, generator: torch.Generator) -> Tensor:
    drawn = torch.randint(size, (_REPLICATES, size), generator=generator)
    return torch.zeros(_REPLICATES, size).scatter_add_(1, drawn, torch.ones(drawn.shape))


def _cubic(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1).pow(3)
