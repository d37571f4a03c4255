"""The cost of the first two moments."""

from __future__ import annotations

from typing import Annotated

import torch
from otae import Cloud, Cost
from otae.reductions import precise
from pydantic import Field
from torch import Tensor


class Moments(Cost):
    r"""Creates the squared distance of two clouds' means and covariances.

    $$\|\mu_x - \mu_y\|^2 + w \, \|\Sigma_x - \Sigma_y\|_F^2$$

    It has no kernel to choose and no critic to train, and takes O(N D²) time. On joint clouds it compares the
    covariances between the members, too. Clouds that agree in both moments are the same to it.

    Args:
        covariance: The weight w of the covariances beside the means.

    References:
        Deep CORAL: Correlation Alignment for Deep Domain Adaptation (Sun, Saenko, 2016)
        https://arxiv.org/abs/1607.01719

    Examples:
        >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
        >>> Moments()(x, x + torch.tensor([0.0, 2.0]))
        tensor(4.)
    """

    def __init__(self, covariance: Annotated[float, Field(ge=0)] = 1.0) -> None:
        super().__init__()
        self.covariance = covariance

    def forward(self, source: Cloud, target: Cloud) -> Tensor:
        with torch.autocast(source.points.device.type, enabled=False):
            (mean_x, covariance_x), (mean_y, covariance_y) = _moments(source), _moments(target)
            gap = (covariance_x - covariance_y).square().sum()
            return (mean_x - mean_y).square().sum() + self.covariance * gap

    def extra_repr(self) -> str:
        return f"covariance={self.covariance:g}"


def _moments(cloud: Cloud) -> tuple[Tensor, Tensor]:
    """Returns the mean of a cloud, with shape (D,), and its covariance, with shape (D, D)."""
    x = precise(cloud.flat)
    masses = cloud.masses.to(x)
    mean = masses @ x
    centred = x - mean
    return mean, (masses * centred.T) @ centred
