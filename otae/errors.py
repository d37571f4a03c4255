"""Every error a user can meet: what was asked, what is there, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

LONGEST = 4000
NO_MEMORY = (
    "allocate memory",
    "out of memory",
    "Storage size calculation overflowed",
    "integer multiplication overflow",
)
NO_SHARED_MEMORY = ("shared memory object", "unable to mmap")
"""What errors of torch and of the system say where memory is wanting."""

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "rbf": ("mmd", "gaussian"),
    "squared-exponential": ("gaussian",),
    "inverse-multiquadric": ("imq",),
    "swd": ("sliced",),
    "sw": ("sliced",),
    "wasserstein": ("sinkhorn", "exact"),
    "ot": ("sinkhorn", "exact"),
    "emd": ("exact",),
    "gan": ("critic",),
    "wgan": ("critic",),
    "mse": ("paired", "sqeuclidean", "reconstruction"),
    "l2": ("sqeuclidean", "paired"),
    "normal": ("gaussian",),
    "gmm": ("mixture",),
    "vampprior": ("vamp",),
    "cnn": ("conv",),
    "fid": ("frechet",),
    "kid": ("kernel-distance",),
    "mnist": ("mnist5k", "idx"),
    "csv": ("table",),
    "npy": ("arrays",),
    "numpy": ("arrays",),
    "sgd-momentum": ("sgd",),
}
"""What the field also calls things: hints at one of these where it is among the known names."""


class OtaeError(Exception):
    """Abstract base of all errors that a user of otae can meet; the command line shows them without a traceback.

    A message is plain text of bounded length, whatever the file says that it quotes.
    """

    def __str__(self) -> str:
        return printable(shorten(super().__str__(), LONGEST))


class PluginError(OtaeError):
    """Creates an error about the plugin door: a name, a distribution or a class."""


class UnknownPluginError(PluginError, LookupError):
    """Creates an error for a name that nobody offers.

    Args:
        name: The name that was asked for.
        group: The entry-point group that was searched, such as `otae.priors`.
        installed: The names that the group offers.
    """

    def __init__(self, name: str, group: str, installed: Iterable[str]) -> None:
        known = sorted(installed)
        super().__init__(
            f"No plugin named {name!r} in {group!r}. Installed: {', '.join(known) or 'none'}.{near_match(name, known)}"
        )


class PluginConflictError(PluginError):
    """Creates an error for one name that several distributions offer.

    Args:
        name: The name in question.
        group: The entry-point group.
        offers: Each offer in words, such as `otae-foo 1.0 (foo:Prior)`.
    """

    def __init__(self, name: str, group: str, offers: Iterable[str]) -> None:
        listed = " and ".join(offers)
        super().__init__(
            f"The name {name!r} in {group!r} is offered by {listed}. "
            "Uninstall one of them, or ask its author to rename the plugin."
        )


class BrokenPluginError(PluginError, ImportError):
    """Creates an error for a plugin that is installed but cannot be used.

    Args:
        name: The plugin's name.
        group: Its entry-point group.
        origin: The distribution and version that offer it.
        reason: What went wrong.
    """

    def __init__(self, name: str, group: str, origin: str, reason: str) -> None:
        super().__init__(
            f"The plugin {name!r} in {group!r}, from {origin}, cannot be used: {reason}. "
            "Reinstall or update that distribution, or choose another plugin."
        )


class PartError(PluginError):
    """Raised when a part fails, or returns what it must not, naming its kind, name, distribution, file and line."""


class ConfigError(OtaeError, ValueError):
    """Creates an error about a configuration or an option: where it stands, what was given, what is allowed."""


class CloudError(OtaeError, ValueError):
    """Creates an error about the points, weights or shapes that a cost or a model was given."""


class BackendError(OtaeError, RuntimeError):
    """Creates an error for a way of computing that was asked for and cannot run here."""


class ObjectiveError(OtaeError, ValueError):
    """Creates an error about a term whose cost and clouds do not fit each other."""


class DataError(OtaeError, ValueError):
    """Creates an error about a data file or folder, which the message names."""


class RunError(OtaeError):
    """Creates an error about a run's folder: missing, incomplete, or already in use."""


class NotApplicableError(OtaeError):
    """Raised by a metric that cannot judge a model or its data, such as one that needs labels where there are none."""


class NonFiniteError(OtaeError, ArithmeticError):
    """Creates an error for a loss or gradient that is not a finite number, naming the term and the step."""


class ProcessError(OtaeError, RuntimeError):
    """Raised when a process of a training on several ended, failed or did not come."""


class Followed(OtaeError):
    """Raised in a process that only follows another one, which tells the user what happened.

    Args:
        message: What happened.
        status: The status to end with.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Stopped(KeyboardInterrupt):
    """Raised when a signal ended a training between two steps; it can be continued.

    Args:
        message: What happened, and how to continue.
        number: The signal's number.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


def near_match(name: str, known: Iterable[str]) -> str:
    """Returns a hint at the known name nearest to the one given, or an empty string.

    Args:
        name: What was asked for.
        known: What there is.
    """
    names, asked = list(known), name.lower().replace("_", "-")
    tokens = set(asked.split("-"))
    within = sorted((each for each in names if set(each.split("-")) <= tokens), key=len, reverse=True)
    found = (
        get_close_matches(asked, names, n=1, cutoff=0.85)
        or [each for each in _OTHER_NAMES.get(asked, ()) if each in names]
        or within
        or get_close_matches(asked, names, n=1, cutoff=0.6)
    )
    return f" Did you mean {found[0]!r}?" if found else ""


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Returns the sentence for a name that is not among the known ones, with the nearest match.

    Args:
        what: The kind of thing that was asked for, such as `cloud`.
        name: What was asked for.
        known: What there is.
    """
    names = sorted(known)
    return f"No {what} named {name!r}. Known: {', '.join(names) or 'none'}.{near_match(name, names)}"


def printable(text: str) -> str:
    r"""Returns text with its control characters made visible, so that it cannot steer a terminal; line ends stay.

    Args:
        text: The text.

    Examples:
        >>> printable("a\x1b[2Jb")
        'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    kept = "\n\t\xa0\u202f"
    return "".join(
        each if each.isprintable() or each in kept else each.encode("unicode_escape").decode() for each in text
    )


def shorten(text: str, length: int) -> str:
    """Returns text of a largest length, its middle left out where it is longer.

    Args:
        text: The text.
        length: The largest number of characters, more than 20.
    """
    if len(text) <= length:
        return text
    half = (length - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
