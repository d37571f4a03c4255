"""The address of a model on the Hub: `hf://user/name@revision`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ConfigError

PREFIX = "hf://"
_FORM = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class Address:
    """Holds where a model is on the Hub.

    Args:
        repository: The repository, as `user/name`.
        revision: The branch, tag or commit; the main branch where `None`.
    """

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{PREFIX}{self.repository}" + (f"@{self.revision}" if self.revision else "")


def parse_address(text: str) -> Address:
    """Returns the address that a text says.

    Args:
        text: `hf://user/name`, with `@revision` after it or not; the prefix may be left out.

    Raises:
        ConfigError: If it is of another form.

    Examples:
        >>> parse_address("hf://ada/digits@v1")
        Address(repository='ada/digits', revision='v1')
    """
    found = _FORM.fullmatch(text.removeprefix(PREFIX))
    if found is None:
        raise ConfigError(
            f"{text!r} is no address of a model on the Hub. Write hf://user/name or hf://user/name@revision."
        )
    return Address(found["repository"], found["revision"])
