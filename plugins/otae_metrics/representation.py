"""Codes beside the factors that generated their samples, ready for scores of disentanglement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from otae.errors import NotApplicableError
from otae.interfaces import Factor, Factors, Samples, Table

from .linear import vectors
from .order import canonical

Codes: TypeAlias = Literal["means", "samples"]


@dataclass(frozen=True, eq=False)
class Representation:
    """Holds the codes of samples and their factors, in an order that depends on nothing but themselves.

    Args:
        codes: The codes, in double precision and with shape (N, D).
        values: The values of the factors that vary, with shape (N, F).
        classes: The same factors as classes, with shape (N, F).
        kinds: What each factor is.
    """

    codes: Tensor
    values: Tensor
    classes: Tensor
    kinds: tuple[Factor, ...]

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self.codes)

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the factors' names."""
        return tuple(kind.name for kind in self.kinds)

    def table(self, values: Tensor, title: str) -> Table:
        """Returns a matrix of factors and codes for the report.

        Args:
            values: The numbers, with shape (F, D).
            title: What they are.
        """
        return Table(values, self.names, code_names(values.shape[1]), title)


def represent(samples: Samples, codes: Codes, bins: int) -> Representation:
    """Returns the codes and factors of samples.

    Args:
        samples: The samples.
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        bins: The number of classes of a factor that may take any value of an interval.

    Raises:
        NotApplicableError: If there are no factors, none of them varies, or the codes have no known law to draw from.
    """
    return represent_all([samples], codes, bins)[0]


def represent_all(groups: Sequence[Samples], codes: Codes, bins: int) -> list[Representation]:
    """Returns the codes and factors of several groups of samples, whose classes mean the same.

    A factor that is constant in one of the groups is left out of all. A factor with a finite set of values has these as
    its classes; one that may take any value of an interval is divided into `bins` of equal width.

    Args:
        groups: The samples of each group.
        codes: Whether to look at the means of the codes' laws, or at one draw from each.
        bins: The number of classes of a factor that may take any value of an interval.

    Raises:
        NotApplicableError: If there are no factors, none of them varies, or the codes have no known law to draw from.
    """
    tables = [_factors(each).table.double() for each in groups]
    kinds = _factors(groups[0]).kinds
    kept = [f for f in range(len(kinds)) if all(len(torch.unique(table[:, f])) > 1 for table in tables)]
    if not kept:
        raise NotApplicableError(f"No factor varies in {min(map(len, tables))} samples. Judge more of them.")
    varying = tuple(kinds[f] for f in kept)
    whole = Factors(torch.cat(tables)[:, kept], varying)
    classes = torch.split(_classes(whole, bins), [len(table) for table in tables])
    return [
        _ordered(_codes(each, codes), table[:, kept], labels, varying)
        for each, table, labels in zip(groups, tables, classes, strict=True)
    ]


def code_names(count: int) -> tuple[str, ...]:
    """Returns a name for each dimension of a code.

    Args:
        count: The number of dimensions.
    """
    return tuple(f"z{dimension}" for dimension in range(count))


def standardise(codes: Tensor, like: Tensor | None = None) -> Tensor:
    """Returns codes with mean 0 and variance 1 in each dimension; a constant dimension is 0.

    Args:
        codes: The codes, with shape (N, D).
        like: The codes whose mean and variance to use, such as those that a probe is fitted to; these where `None`.
    """
    reference = codes if like is None else like
    spread = reference.std(0, correction=0)
    constant = spread <= 1e-12 * reference.abs().amax(0)
    return torch.where(constant, 0.0, (codes - reference.mean(0)) / spread.masked_fill(constant, 1.0))


def _factors(samples: Samples) -> Factors:
    if samples.factors is None:
        raise NotApplicableError("The samples have no factors. Judge data that tell what generated them.")
    return samples.factors


def _codes(samples: Samples, codes: Codes) -> Tensor:
    if codes == "means":
        return vectors(samples.codes)
    if samples.draws is None:
        raise NotApplicableError("There are no draws from the codes' laws. Ask for codes=means.")
    return vectors(samples.draws)


def _classes(factors: Factors, bins: int) -> Tensor:
    counts = [bins if kind.values is None else len(kind.values) for kind in factors.kinds]
    columns = [
        Factors(factors.table[:, [f]], (kind,)).bins(count)
        for f, (kind, count) in enumerate(zip(factors.kinds, counts, strict=True))
    ]
    return torch.cat(columns, dim=1)


def _ordered(codes: Tensor, values: Tensor, classes: Tensor, kinds: tuple[Factor, ...]) -> Representation:
    order = canonical(torch.cat([codes, values], dim=1))
    return Representation(codes[order], values[order], classes[order], kinds)
