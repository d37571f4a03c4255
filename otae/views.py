"""What stands between a cloud and its cost: views of a term, such as a memory of recent points."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .cloud import Cloud
from .errors import CloudError


class Memory(nn.Module):
    """Holds the last points of a cloud: those of earlier batches join the batch, cut from the graph.

    It grows in training mode alone, and is saved with the model's state, so that a resumed run goes on alike. The sizes of
    the points are those of the first cloud that it sees, or of the state that it loads.

    Args:
        capacity: The number of points to keep; 0 for none.

    Examples:
        >>> memory = Memory(4)
        >>> [len(memory(Cloud(torch.randn(3, 2)))) for _ in range(3)]
        [3, 6, 7]
    """

    points: Tensor
    filled: Tensor

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.register_buffer("points", torch.zeros(0, 0))

    def forward(self, cloud: Cloud) -> Cloud:
        """Returns the cloud together with what is remembered; in training mode, remembers the cloud for the next time.

        Args:
            cloud: A cloud, with shape (N, …).

        Raises:
            CloudError: If the cloud has weights, or its points have other sizes than those that are kept.
        """
        if not self.capacity:
            return cloud
        if cloud.weights is not None:
            raise CloudError("A memory keeps points without weights, but the cloud has some: set memory to 0.")
        new, past = cloud.points.reshape(len(cloud), -1), self.points
        if len(past) and past.shape[1] != new.shape[1]:
            raise CloudError(f"The memory keeps points of {past.shape[1]} entries, but these have {new.shape[1]}.")
        joined = torch.cat([new, past.to(new)]) if len(past) else new
        if self.training:
            self.points = joined.detach()[: self.capacity].clone()
        if not len(past):
            return cloud
        shape = cloud.points.shape[1:]
        return Cloud(joined.reshape(len(joined), *shape), parts=_split(joined, cloud))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *others: object) -> None:
        if (points := state_dict.get(f"{prefix}points")) is not None:
            self.points = torch.zeros_like(points, device=self.points.device)  # of any size and type
        super()._load_from_state_dict(state_dict, prefix, *others)

    def extra_repr(self) -> str:
        return f"capacity={self.capacity}"


def _split(points: Tensor, cloud: Cloud) -> tuple[Cloud, ...]:
    """Returns the members of a joint cloud, with the points that were remembered."""
    if not cloud.parts:
        return ()
    sizes = [part.flat.shape[1] for part in cloud.parts]
    members = torch.split(points, sizes, dim=1)
    return tuple(
        Cloud(member.reshape(len(points), *part.points.shape[1:]))
        for member, part in zip(members, cloud.parts, strict=True)
    )
