"""The law of a cloud, where it has a density."""

from __future__ import annotations

import torch
from torch.distributions import Distribution

from otae.cloud import Cloud
from otae.errors import CloudError
from otae.interfaces import Dirac


def law_of(cloud: Cloud, count: int, asker: str) -> Distribution:
    """Returns the law of a cloud: one for all points, or one for each of `count`.

    Args:
        cloud: The cloud.
        count: The number of points that are asked about.
        asker: Who asks for the law, for messages, such as `KL needs the law of its target`.

    Raises:
        CloudError: If the cloud has no law, its law has no density, or there are not one or `count` laws.
    """
    if cloud.law is None:
        raise CloudError(
            f"{asker}, but this cloud has none. Name a cloud that is drawn from a law: code, or a prior with a "
            "density such as gaussian or mixture; or compare points instead, by mmd."
        )
    if type(cloud.law).log_prob is Distribution.log_prob:
        kind = (
            "a deterministic encoder's law" if isinstance(cloud.law, Dirac) else f"{type(cloud.law).__name__}, its law,"
        )
        raise CloudError(f"{asker}, but {kind} has no density. Set model.encoder.noise=gaussian.")
    if cloud.law.batch_shape not in (torch.Size(), torch.Size((count,))):
        raise CloudError(
            f"{asker}, one for all points or one for each of {count}, but got laws of batch shape "
            f"{tuple(cloud.law.batch_shape)}. Make the entries of a point one event: Independent(law, 1)."
        )
    return cloud.law
