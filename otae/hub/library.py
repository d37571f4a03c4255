"""The library `huggingface_hub`, and its errors in a sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ..errors import RunError


def load_library() -> Any:
    """Returns the module `huggingface_hub`.

    Raises:
        RunError: If it is not installed.
    """
    try:
        return import_module("huggingface_hub")
    except ImportError as error:
        raise RunError(f"The Hub needs huggingface_hub ({error}). Install it: pip install 'otae[hub]'.") from error


def find_endpoint() -> str | None:
    """Returns the server that the variable `HF_ENDPOINT` names, or `None` for the Hub itself."""
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Turns whatever the library raises into a sentence.

    Args:
        what: What was asked of the Hub, such as `hf://user/name cannot be read`.

    Raises:
        RunError: If the library raised something.
    """
    library = load_library()
    try:
        yield
    except (library.errors.HfHubHTTPError, OSError, ValueError, *_transport_errors()) as error:
        raise RunError(f"{what}: {_describe(library, error)}") from error


def _transport_errors() -> list[type[Exception]]:
    """Returns the errors of the library's own library: a server that cannot be reached, or hangs up."""
    return [sys.modules[name].HTTPError for name in ("httpx2", "httpx") if name in sys.modules]


def _describe(library: Any, error: Exception) -> str:
    errors = library.errors
    if isinstance(error, errors.OfflineModeIsEnabled) or library.is_offline_mode():
        return (
            "HF_HUB_OFFLINE is set, and it is not in the cache. Unset it, or pull the model while there is a network."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return "there is no such revision. Look for a branch, tag or commit on its page."
    if isinstance(error, errors.RepositoryNotFoundError):
        return "there is no such repository, or it is private: log in with `hf auth login`."
    if isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError):
        return "it holds no run of otae: a file is missing. Push one with `otae push RUN user/name`."
    first = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{first or type(error).__name__}. Check the name, the network and `hf auth whoami`."
