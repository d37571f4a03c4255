"""The faults of parts: which part raised, or returned what it must not, where its code stands, and the likely cure."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from .cures import find_cure
from .errors import NO_MEMORY, NO_SHARED_MEMORY, OtaeError, PartError
from .nested import KINDS
from .registry import registries

_ENVIRONMENT = (*NO_MEMORY, *NO_SHARED_MEMORY, "DataLoader worker (pid")
_IN_WORKER = "in DataLoader worker process"
_ENTRANCES = {
    "cost": "forward",
    "encoder": "forward",
    "decoder": "forward",
    "prior": "sample",
    "dataset": "__getitem__",
}


def find_kind(part: object) -> str:
    """Returns the kind of a part or of its class, such as `prior`, or an empty string.

    Args:
        part: Anything.
    """
    cls = part if isinstance(part, type) else type(part)
    return next((kind for interface, kind in KINDS.items() if issubclass(cls, interface)), "")


def name_part(part: object) -> str:
    """Returns what a part is in words: its kind, its name, the distribution and version that offer it.

    Args:
        part: A part, or its class.

    Examples:
        >>> import otae
        >>> name_part(otae.priors.create("gaussian", latent_dim=2))[:19]
        "prior 'gaussian' of"
    """
    cls, kind = part if isinstance(part, type) else type(part), find_kind(part)
    offer = registries()[kind].find_loaded(cls) if kind else None
    if offer is None:
        return f"{kind or 'part'} {cls.__name__} of {cls.__module__}"
    return f"{kind} {offer.name!r} of {offer.origin}"


def locate(part: object) -> str:
    """Returns the file and line of a part's main method, or of its class.

    Args:
        part: A part, or its class.
    """
    cls = part if isinstance(part, type) else type(part)
    subject = getattr(cls, _ENTRANCES.get(find_kind(cls), "__call__"), cls)
    try:
        _, line = inspect.getsourcelines(subject)
        return f"{inspect.getsourcefile(subject)}, line {line}"
    except (OSError, TypeError):  # written at a prompt, or compiled
        return f"{cls.__module__}.{cls.__qualname__}"


def make_fault(part: object, what: str, cure: str, where: str = "") -> PartError:
    """Returns the error for something that a part returned and must not.

    Args:
        part: The part.
        what: What it did, such as `returned None`.
        cure: What to do.
        where: What it was doing, for messages, such as a dotted path; empty for nothing.
    """
    place = f"{where}: " if where else ""
    return PartError(f"{place}the {name_part(part)} {what} ({locate(part)}). {cure}")


def make_failure(part: object, error: BaseException, doing: str, where: str = "") -> PartError:
    """Returns the error for something that a part raised.

    Args:
        part: The part, or its class.
        error: What it raised.
        doing: What could not be done with it, such as `cannot be built`.
        where: What it was doing, for messages; empty for nothing.
    """
    place, text = f"{where}: " if where else "", _text(error)
    told = f"{type(error).__name__}: {text}" if text else type(error).__name__
    named = name_part(part)
    cure = find_cure(find_kind(part), part, error) or (
        f"If what it was given is right, this is a defect of {named.partition(' of ')[2] or named}."
    )
    return PartError(f"{place}the {named} {doing}: {told} ({find_line(error, part)}). {cure}")


def _text(error: BaseException) -> str:
    """Returns what an error says, in one line; one of a reading process ends with what it was about."""
    lines = [line for line in str(error).splitlines() if line.strip()] or [""]
    return lines[-1].partition(": ")[2] if _IN_WORKER in lines[0] else lines[0].strip()


def find_line(error: BaseException, part: object) -> str:
    """Returns the file and line where an error arose, the innermost in the part's own package.

    Args:
        error: The error.
        part: The part, or its class.
    """
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    places += re.findall(r'File "(.+)", line (\d+)', str(error)) if _IN_WORKER in str(error) else []
    cls = part if isinstance(part, type) else type(part)
    try:
        own = Path(inspect.getfile(cls))
    except (OSError, TypeError):
        own = Path("<none>")
    folder = own.parent if "." in cls.__module__ else own
    inside = [each for each in places if Path(each[0]) == own or folder in Path(each[0]).parents]
    return f"{inside[-1][0]}, line {inside[-1][1]}" if inside else locate(part)


def find_culprit(error: BaseException) -> object | None:
    """Returns the part in whose method an error arose, the innermost one, or `None`.

    Args:
        error: The error, as it was caught.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((owner for owner in map(_owner, reversed(frames)) if find_kind(owner) and not _ours(owner)), None)


def _owner(frame: FrameType) -> Any:
    return frame.f_locals.get("self")


def _ours(owner: object) -> bool:
    """Returns whether a class is an interface itself, which no part is."""
    return type(owner) in KINDS


@contextmanager
def blaming(where: str = "", part: object = None) -> Iterator[None]:
    """Tells whatever a part raises as its own; what is an error of otae's or the environment's passes as it is.

    Args:
        where: What was being done, for messages; empty for nothing.
        part: The part to blame where no other is found.

    Raises:
        PartError: If a part raised something else.
    """
    try:
        yield
    except PartError as error:
        raise PartError(f"{where}: {error}" if where and str(error).startswith("the ") else str(error)) from error
    except (OtaeError, OSError, MemoryError):
        raise
    except Exception as error:  # the plugin door: a part may raise anything
        culprit = find_culprit(error) or part
        if culprit is None or _is_environments(error):
            raise
        raise make_failure(culprit, error, "failed", where) from error


def _is_environments(error: BaseException) -> bool:
    """Returns whether an error says that memory is wanting, or that a reading process died: no part's doing."""
    return isinstance(error, MemoryError) or any(each in str(error) for each in _ENVIRONMENT)
