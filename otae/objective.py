"""The objective: a weighted sum of costs between named clouds, and its breakdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from .autoencoder import Autoencoder
from .cloud import Cloud
from .clouds import Clouds
from .errors import ObjectiveError
from .schedule import has_ended, weight_at
from .share import Share
from .term import Term
from .term_rules import check_density, check_name


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
        chunks: int = 1,
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
            chunks: In how many chunks the networks work through x: more need less memory, and give the same.
        """
        clouds = Clouds(model, x, share, chunks, weights=weights)
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
        chunks: int = 1,
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
            chunks: Likewise.
            weights: The weight of each sample, with shape (N,); uniform where `None`.
        """
        duels = [(name, term) for name, term in self if term.cost.adversary is not None and term.target is not None]
        clouds = Clouds(model, x, share, chunks, weights=weights)
        for _ in range(rounds):
            with torch.no_grad():
                drawn = {name: _detach(*term.view(clouds)) for name, term in duels}
            yield {name: term.adversary_loss(*drawn[name], share, chunks) for name, term in duels}
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
