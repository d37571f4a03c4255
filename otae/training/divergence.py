"""A training that diverged, in words: what is no longer finite, and whether there is a checkpoint to go back to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..errors import NonFiniteError, OtaeError
from .checkpoints import Checkpoints
from .module import Engine


@contextmanager
def diverging(engine: Engine, checkpoints: Checkpoints) -> Iterator[None]:
    """Tells what a part raises once weights are not finite as a divergence, and which checkpoint there is.

    Args:
        engine: The training.
        checkpoints: Its checkpoints.

    Raises:
        NonFiniteError: If a loss, a gradient or a weight is not finite.
    """
    try:
        yield
    except NonFiniteError as error:
        raise NonFiniteError(f"{error} {_tell_checkpoint(checkpoints)}") from error
    except OtaeError:
        raise
    except Exception as error:
        broken = [name for name, each in engine.named_parameters() if not bool(torch.isfinite(each).all())]
        if not broken:
            raise
        raise NonFiniteError(
            f"The weights diverged: {broken[0]}{f' and {len(broken) - 1} more' * (len(broken) > 1)} hold NaN or infinity at step "
            f"{engine.step}, epoch {engine.current_epoch}, and the next call failed ({type(error).__name__}). Lower the learning "
            f"rate, or clip the gradient (training.gradient_clip). {_tell_checkpoint(checkpoints)}"
        ) from error


def _tell_checkpoint(checkpoints: Checkpoints) -> str:
    if not checkpoints.last.exists():
        return "There is no checkpoint: it happened before the first epoch's end."
    return f"The last checkpoint, {checkpoints.last}, is from before."
