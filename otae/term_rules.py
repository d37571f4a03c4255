"""The rules of terms: names of terms and clouds, and which clouds fit which cost."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from .autoencoder import Autoencoder
from .clouds import NAMED_CLOUDS
from .errors import ObjectiveError, unknown_name
from .interfaces import Cost

Names = str | Sequence[str]
_LONGEST = 80  # it becomes part of file names
_TAKEN = {"total", "lr", "step", "split", *dir(nn.ModuleDict())}


def as_names(names: Names) -> tuple[str, ...]:
    """Returns cloud names as a tuple; a joint cloud has several.

    Args:
        names: One name or several.
    """
    return (names,) if isinstance(names, str) else tuple(names)


def check_name(name: str) -> None:
    """Checks that a term can bear a name: a word that neither the history nor `torch.nn.ModuleDict` uses.

    Args:
        name: The name.

    Raises:
        ObjectiveError: If it cannot be used.
    """
    if len(name) > _LONGEST:
        raise ObjectiveError(f"A term's name is too long: {len(name)} characters, of at most {_LONGEST}.")
    if not name.replace("-", "_").isidentifier() or name in _TAKEN:
        raise ObjectiveError(f"A term cannot be named {name!r}: use another word of letters, digits, '-' and '_'.")


def check_fit(cost: type[Cost], source: Names, target: Names | None) -> None:
    """Checks that a cost can compare two clouds, before any of them is drawn.

    Args:
        cost: The class of the cost.
        source: The names of the source's members.
        target: The names of the target's members, or `None`.

    Raises:
        ObjectiveError: If a cloud is unknown, a target is missing or idle, or lines or spaces differ where they must not.
    """
    sides = [as_names(side) for side in (source, target) if side is not None]
    for name in (name for side in sides for name in side):
        if name not in NAMED_CLOUDS:
            raise ObjectiveError(unknown_name("cloud", name, NAMED_CLOUDS))
    if not all(sides):
        raise ObjectiveError("A joint cloud needs at least one member, got an empty list.")
    if cost.unary and target is not None:
        raise ObjectiveError(f"The cost {cost.__name__} looks at its source alone: remove the target {target!r}.")
    if not cost.unary and target is None:
        raise ObjectiveError(f"The cost {cost.__name__} compares two clouds: give it a target.")
    lines = [{NAMED_CLOUDS[name].line for name in side} for side in sides]
    for side, line in zip(sides, lines, strict=True):
        if len(line) > 1:
            raise ObjectiveError(
                f"The clouds {', '.join(side)} lie on different lines: a joint cloud pairs samples of one line."
            )
    if cost.paired and len(sides) > 1 and lines[0] != lines[1]:
        raise ObjectiveError(
            f"The cost {cost.__name__} pairs its clouds sample by sample, but {_told(sides[0])} and {_told(sides[1])} lie on "
            "different lines. Data, code and reconstruction are one line; prior, generation and recode the other."
        )
    spaces = [[NAMED_CLOUDS[name].space for name in side] for side in sides]
    if cost.same_space and len(sides) > 1 and spaces[0] != spaces[1]:
        raise ObjectiveError(
            f"The cost {cost.__name__} compares clouds of one space, but {_told(sides[0])} lives in {' × '.join(spaces[0])} and "
            f"{_told(sides[1])} in {' × '.join(spaces[1])}. Choose clouds of one space, or a Gromov cost."
        )


def check_density(term: str, cloud: str, model: Autoencoder) -> None:
    match NAMED_CLOUDS[cloud].origin:
        case "encoder" if not model.encoder.has_density:
            raise ObjectiveError(
                f"The term {term!r} needs the density of {cloud!r}, but the law of the encoder {type(model.encoder).__name__} "
                "has none. Choose one with a density, such as {name: mlp, noise: gaussian}, or drop the term."
            )
        case "prior" if model.prior.law is None:
            raise ObjectiveError(
                f"The term {term!r} needs the density of {cloud!r}, but the prior {type(model.prior).__name__} has none. "
                "Choose one with a density, such as gaussian, or another cost, such as mmd."
            )
        case None:
            raise ObjectiveError(
                f"The term {term!r} needs a density, but the cloud {cloud!r} has no law. Use code or prior."
            )


def _told(side: tuple[str, ...]) -> str:
    return repr(side[0]) if len(side) == 1 else f"[{', '.join(side)}]"
