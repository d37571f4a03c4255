"""A training that diverged, in words: what is no longer finite, and whether there is a checkpoint to go back to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import NonFiniteError, OtaeError
from .checkpoints import Checkpoints
from .module import Engine

_LARGE = 1e5  # no weight of a sound model comes near


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
        sizes = {name: float(each.detach().abs().max()) for name, each in engine.named_parameters() if each.numel()}
        broken = [name for name, size in sizes.items() if not size < _LARGE]  # NaN is not
        if not broken:
            raise
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise NonFiniteError(
            f"The weights diverged: {broken[0]}{more} reach {sizes[broken[0]]:.3g} at step {engine.step}, epoch "
            f"{engine.current_epoch}, and the next call failed ({type(error).__name__}). Lower the learning "
            f"rate, or clip the gradient (training.gradient_clip). {_tell_checkpoint(checkpoints)}"
        ) from error


def _tell_checkpoint(checkpoints: Checkpoints) -> str:
    if not checkpoints.last.exists():
        return "There is no checkpoint: it happened before the first epoch's end."
    return f"The last checkpoint, {checkpoints.last}, is from before."
