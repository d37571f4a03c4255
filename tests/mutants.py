"""The one check of all tests of the suites: the sound part passes, and the faulty one is told its fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import torch

from otae.testing.suite import Suite

Arguments: TypeAlias = tuple[Any, ...] | Callable[[type[Suite]], tuple[Any, ...]]


def assert_told(suite: type[Suite], mutant: type, test: str, arguments: Arguments, message: str) -> None:
    """Asserts that one rule of a suite lets its sound part pass, and fails a faulty one with a message.

    Args:
        suite: The suite, whose plugin is sound.
        mutant: The faulty part.
        test: The name of the rule.
        arguments: The arguments of the rule, or what gives them for a suite.
        message: The pattern of what it must say.
    """
    dtype = torch.get_default_dtype()
    try:
        run(suite, test, arguments)
        faulty = type("Faulty", (suite,), {"plugin": mutant})
        with pytest.raises((AssertionError, pytest.fail.Exception), match=message):
            run(faulty, test, arguments)
    finally:
        torch.set_default_dtype(dtype)


def run(suite: type[Suite], test: str, arguments: Arguments) -> None:
    """Runs one rule of a suite; a skipped rule is no rule."""
    try:
        getattr(suite(), test)(*(arguments(suite) if callable(arguments) else arguments))
    except pytest.skip.Exception as skipped:
        raise RuntimeError(f"{suite.plugin.__name__} skips {test}: {skipped}") from skipped
