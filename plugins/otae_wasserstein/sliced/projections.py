"""Points projected on lines, with the masses of their cloud."""

from __future__ import annotations

from torch import Tensor

from otae.cloud import Cloud
from otae.interfaces import Batch
from otae.transport import cloud_masses

from .line import Line


def project(points: Tensor, directions: Tensor, cloud: Cloud) -> Line:
    """Returns points on lines, with the masses of their cloud.

    Args:
        points: The points, with shape (N, D).
        directions: The directions of the lines, with shape (D, L).
        cloud: The cloud they are from.
    """
    return line_of(directions.T @ points.T, cloud)


def line_of(values: Tensor, cloud: Cloud) -> Line:
    """Returns numbers of points as points on lines, with the masses of their cloud.

    Args:
        values: One number per line and point, with shape (L, N).
        cloud: The cloud they are from.
    """
    return Line(values, None if cloud.weights is None else cloud_masses(cloud, values))


def line_batch(values: Tensor, batch: Batch) -> Line:
    """Returns numbers of the points of a batch as points on lines, one cloud after the other, with their masses.

    Args:
        values: One number per cloud, line and point, with shape (B, L, N).
        batch: The batch they are of.
    """
    masses = None if batch.weights is None else batch.masses[:, None].expand_as(values).flatten(0, 1)
    return Line(values.flatten(0, 1), masses)
