"""The objective: a weighted sum of costs between named clouds, and its breakdown."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from .autoencoder import Autoencoder
from .cloud import Cloud
from .clouds import Clouds
from .contracts import require_scalar
from .errors import ObjectiveError
from .interfaces import Cost
from .schedule import Weight, as_weight, has_ended, weight_at
from .share import Share
from .term_rules import Names, as_names, check_density, check_fit, check_name
from .transport import Transport
from .views import Memory


@dataclass(frozen=True)
class TermLoss:
    """Creates the value of one term at one step.

    Args:
        raw: The cost, a scalar.
        weight: The weight at that step.
        unconverged: The share of the cost's solves that did not converge; `None` for a cost that solves nothing.
    """

    raw: Tensor
    weight: float
    unconverged: float | None = None

    @property
    def weighted(self) -> Tensor:
        """Returns the term's share of the total."""
        return self.weight * self.raw


@dataclass(frozen=True)
class Losses:
    """Creates the breakdown of an objective at one step.

    Args:
        terms: Each term's value by its name.
    """

    terms: dict[str, TermLoss]

    @property
    def total(self) -> Tensor:
        """Returns the weighted sum, a scalar to minimise."""
        return torch.stack([term.weighted for term in self.terms.values()]).sum()


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
        share = clouds.share
        if self.gather or share is None:
            return require_scalar(self.cost(source, target), self.cost)
        with share.apart():
            return share.factor * require_scalar(self.cost(source, target), self.cost)

    def view(self, clouds: Clouds) -> tuple[Cloud, Cloud | None]:
        """Returns the clouds that the cost compares: of the whole batch, or of the own samples where it looks at these alone.

        Args:
            clouds: The clouds of the batch.
        """
        law = self.cost.needs_density
        source = clouds.view(self.source, whole=self.gather, law=law)
        return source, None if self.target is None else clouds.view(self.target, whole=self.gather, law=law)

    def adversary_loss(self, source: Cloud, target: Cloud, share: Share | None = None) -> Tensor:
        """Returns what the cost's adversary minimises, a scalar.

        Args:
            source: The source cloud, as `view` returns it, cut from the graph.
            target: The target cloud, likewise.
            share: What they are of a batch that lies on several processes.
        """
        if self.gather or share is None:
            return self.cost.adversary_loss(source, target)
        with share.apart():
            return share.factor * self.cost.adversary_loss(source, target)

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


class Objective(nn.Module):
    """Creates an objective from named terms; a plain module for anyone's own loop.

    Args:
        terms: The terms by name; a name is made of letters, digits, `-` and `_`.

    Raises:
        ObjectiveError: If there is no term, or a name cannot be used.

    Examples:
        >>> import otae
        >>> term = Term(otae.costs.create("paired"), "data", "reconstruction")
        >>> objective = otae.Objective({"fit": term})
        >>> losses = objective(model, x)  # doctest: +SKIP
        >>> losses.total.backward()  # doctest: +SKIP
    """

    def __init__(self, terms: Mapping[str, Term]) -> None:
        super().__init__()
        if not terms:
            raise ObjectiveError("An objective needs at least one term.")
        self.terms = nn.ModuleDict()
        for name, term in terms.items():
            check_name(name)
            self.terms[name] = term

    def __iter__(self) -> Iterator[tuple[str, Term]]:
        return iter(cast("Mapping[str, Term]", self.terms).items())

    def forward(
        self,
        model: Autoencoder,
        x: Tensor,
        *,
        weights: Tensor | None = None,
        step: int = 0,
        epoch: int = 0,
        share: Share | None = None,
    ) -> Losses:
        """Returns the terms' values on a batch, and their sum.

        On several processes, the values of the batch and the gradients of the parameters are the means over the processes.

        Args:
            model: The autoencoder.
            x: The batch, with shape (N, *data_shape).
            weights: The weight of each sample, with shape (N,), for costs that take weights; uniform where `None`.
            step: The number of main steps done, for schedules.
            epoch: The number of epochs done, for schedules.
            share: What x is of a batch that lies on several processes; `None` where it is the whole batch.
        """
        clouds = Clouds(model, x, share, weights=weights)
        losses = {}
        for name, term in self:
            raw = term(clouds)
            losses[name] = TermLoss(raw, weight_at(term.weight, step, epoch), term.take_unconverged(name))
        return Losses(losses)

    def settled(self, step: int, epoch: int) -> bool:
        """Returns whether the schedule of every weight has ended.

        Args:
            step: The number of main steps done.
            epoch: The number of epochs done.
        """
        return all(has_ended(term.weight, step, epoch) for _, term in self)

    def adversary_losses(
        self,
        model: Autoencoder,
        x: Tensor,
        rounds: int = 1,
        share: Share | None = None,
        *,
        weights: Tensor | None = None,
    ) -> Iterator[dict[str, Tensor]]:
        """Yields what each term's adversary minimises, round after round, on fresh clouds that are cut from the graph.

        The batch is encoded once: between two rounds only the adversaries may change.

        Args:
            model: The autoencoder.
            x: The batch, with shape (N, *data_shape).
            rounds: The number of rounds.
            share: As for the objective itself.
            weights: The weight of each sample, with shape (N,); uniform where `None`.
        """
        duels = [(name, term) for name, term in self if term.cost.adversary is not None and term.target is not None]
        clouds = Clouds(model, x, share, weights=weights)
        for _ in range(rounds):
            with torch.no_grad():
                drawn = {name: _detach(*term.view(clouds)) for name, term in duels}
            yield {name: term.adversary_loss(*drawn[name], share) for name, term in duels}
            clouds = clouds.redrawn()

    def maximised(self) -> list[nn.Parameter]:
        """Returns the parameters of all adversaries, which maximise what the rest minimises: for an optimiser of their own."""
        adversaries = [term.cost.adversary for _, term in self]
        owned = (parameter for module in adversaries if module is not None for parameter in module.parameters())
        return list({id(parameter): parameter for parameter in owned}.values())  # terms may share a cost

    def minimised(self) -> list[nn.Parameter]:
        """Returns the parameters of the costs that are minimised with the model: for the model's optimiser."""
        maximised = {id(parameter) for parameter in self.maximised()}
        return [parameter for parameter in super().parameters() if id(parameter) not in maximised]

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Yields the parameters to minimise: those of adversaries are left out, which one optimiser would train backwards.

        Args:
            recurse: As in `torch.nn.Module`.
        """
        return iter(self.minimised()) if recurse else super().parameters(recurse)

    def check(self, model: Autoencoder) -> None:
        """Checks that the model's laws have the densities that the costs need.

        Args:
            model: The autoencoder to be trained.

        Raises:
            ObjectiveError: If a term needs a density that its cloud does not have.
        """
        for name, term in self:
            if term.cost.needs_density:
                for cloud in (*term.source, *(term.target or ())):
                    check_density(name, cloud, model)

    if TYPE_CHECKING:

        def __call__(self, model: Autoencoder, x: Tensor, **options: Any) -> Losses: ...


def _detach(source: Cloud, target: Cloud | None) -> tuple[Cloud, Cloud]:
    assert target is not None  # adversaries tell two clouds apart
    return source.detach(), target.detach()
