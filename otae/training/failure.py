"""What ended a training on several processes, as they tell it each other."""

from __future__ import annotations

from dataclasses import dataclass

from .. import errors
from ..errors import Followed, NonFiniteError, OtaeError, ProcessError
from .interrupted import Interrupted


@dataclass(frozen=True)
class Failure:
    """Holds what ended a training.

    Args:
        rank: The number of the process where it happened.
        kind: The name of the error of otae, or empty for another one.
        text: What it says.
        status: The status that a command ends with.
    """

    rank: int
    kind: str
    text: str
    status: int

    @classmethod
    def of(cls, error: BaseException, rank: int) -> Failure:
        """Returns the failure that an error is.

        Args:
            error: The error.
            rank: The number of the process that raised it.
        """
        match error:
            case Interrupted():
                return cls(rank, "", str(error), 128 + error.number)
            case KeyboardInterrupt():
                return cls(rank, "", "interrupted", 130)
            case NonFiniteError() | ProcessError():
                return cls(rank, type(error).__name__, str(error), 1)
            case OtaeError():
                return cls(rank, type(error).__name__, str(error), 2)
        return cls(rank, "", f"{type(error).__name__}: {error}", 1)

    def as_error(self) -> BaseException:
        """Returns the error that it was, for the process that tells the user."""
        if self.status > 128:
            return KeyboardInterrupt(self.text)
        if not self.kind:
            return ProcessError(f"Process {self.rank} of the training failed: {self.text}")
        cls: type[OtaeError] = getattr(errors, self.kind, ProcessError)
        error = cls.__new__(cls, self.text)
        error.args = (self.text,)
        return error

    def as_followed(self) -> Followed:
        """Returns the error for a process that only follows."""
        return Followed(self.text, self.status)
