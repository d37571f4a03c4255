"""The term: a cost between two named clouds, times a weight."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .chunks import compute_again, differentiate, hold_weights
from .cloud import Cloud
from .clouds import Clouds
from .contracts import require_scalar
from .errors import ObjectiveError
from .interfaces import Cost
from .schedule import Weight, as_weight
from .share import Share
from .split_costs import split_cost
from .term_rules import Names, as_names, check_fit
from .transport import Transport
from .views import Memory


class Term(nn.Module):
    """Creates a term: a cost between two named clouds, times a weight.

    Args:
        cost: The cost.
        source: The name of a cloud, or several for a joint cloud: data, code, reconstruction, prior, generation, recode.
        target: Likewise; `None` for a cost that looks at its source alone.
        weight: A number, or a schedule: a `Schedule`, or its options as a dict, such as `{"from": 0, "to": 1, "steps": 1000}`.
        memory: How many recent points of either cloud join it while training, cut from the graph.
        gather: Whether the cost sees the whole batch where several processes share it; else each process compares its own
            samples alone, which is another objective, save for costs that are means over samples.

    Raises:
        ObjectiveError: If a cloud is unknown, or the clouds do not meet what the cost needs.

    Examples:
        >>> import otae
        >>> Term(otae.costs.create("paired"), "data", "reconstruction", weight=1.0).source
        ('data',)
    """

    def __init__(
        self,
        cost: Cost,
        source: Names,
        target: Names | None = None,
        weight: Weight | Mapping[str, Any] = 1.0,
        memory: int = 0,
        gather: bool = True,
    ) -> None:
        super().__init__()
        check_fit(type(cost), source, target)
        if memory and (cost.unary or cost.needs_density):
            raise ObjectiveError(
                f"The cost {type(cost).__name__} looks at laws, which a memory does not keep: set memory to 0."
            )
        if memory and not gather:
            raise ObjectiveError("A memory keeps points of whole batches, alike on all processes: leave gather out.")
        self.gather = gather and (memory > 0 or not cost.separable)
        self.memories = nn.ModuleList(Memory(memory) for _ in range(2)) if memory else None
        self._warned = False
        self.cost = cost
        self.source = as_names(source)
        self.target = None if target is None else as_names(target)
        self.weight = as_weight(weight)

    def forward(self, clouds: Clouds) -> Tensor:
        """Returns the cost between the term's clouds, a scalar; of several processes, the mean over these is the term's value.

        Args:
            clouds: The clouds of the batch.
        """
        source, target = self.view(clouds)
        if self.memories is not None and target is not None:
            source, target = (memory(cloud) for memory, cloud in zip(self.memories, (source, target), strict=True))
        return require_scalar(self._compute(source, target, clouds.share, clouds.chunks), self.cost)

    def _compute(self, source: Cloud, target: Cloud | None, share: Share | None, chunks: int) -> Tensor:
        if self.cost.separable and self.cost.adversary is not None and chunks > 1 and target is not None:
            parts = split_cost(self.cost, source, target, share, chunks)
            return torch.stack([compute_again(part) for part in parts]).sum()
        return self._share_out(share, "cost", lambda: self.cost(source, target))

    def _share_out(self, share: Share | None, what: str, compute: Callable[[], Tensor]) -> Tensor:
        """Returns a value whose mean over the processes is that of the batch."""
        if self.gather or share is None:
            return compute()
        if self.cost.separable:
            return share.factor * share.compute((id(self.cost), what, self.training), compute)
        with share.apart():
            return share.factor * compute()

    def view(self, clouds: Clouds) -> tuple[Cloud, Cloud | None]:
        """Returns the clouds that the cost compares: of the whole batch, or of the own samples where it looks at these alone.

        Args:
            clouds: The clouds of the batch.
        """
        law = self.cost.needs_density
        source = clouds.view(self.source, whole=self.gather, law=law)
        return source, None if self.target is None else clouds.view(self.target, whole=self.gather, law=law)

    def adversary_loss(self, source: Cloud, target: Cloud, share: Share | None = None, chunks: int = 1) -> Tensor:
        """Returns what the cost's adversary minimises, a scalar.

        Args:
            source: The source cloud, as `view` returns it, cut from the graph.
            target: The target cloud, likewise.
            share: What they are of a batch that lies on several processes.
            chunks: In how many chunks it is computed, where the cost is a mean over samples.
        """
        if chunks > 1 and self.cost.separable and self.cost.adversary is not None:
            parts = split_cost(self.cost, source, target, share, chunks, adversary=True)
            with hold_weights(self.cost.adversary, chunks):
                return differentiate(parts, [each for each in self.cost.adversary.parameters() if each.requires_grad])
        return self._share_out(share, "adversary", lambda: self.cost.adversary_loss(source, target))

    def take_unconverged(self, name: str) -> float | None:
        """Returns the share of the cost's solves since the last call that did not converge, and warns of the first.

        Args:
            name: The name of the term.
        """
        if not isinstance(self.cost, Transport) or (share := self.cost.take_unconverged()) is None:
            return None
        if share and not self._warned:
            self._warned = True
            warnings.warn(f"The term {name!r}: {self.cost.trouble}", RuntimeWarning, stacklevel=2)
        return share

    def extra_repr(self) -> str:
        return f"source={self.source}, target={self.target}, weight={self.weight}"
