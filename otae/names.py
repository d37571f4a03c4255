"""The names that plugins may have."""

from __future__ import annotations

import keyword
import re

from .errors import PluginError

LONGEST = 40


def require_plugin_name(kind: str, text: str) -> None:
    """Checks that a name can be a plugin's: kebab-case, that neither Python nor YAML reads as something else.

    Args:
        kind: The kind of the plugin, such as `prior`.
        text: The name.

    Raises:
        PluginError: If it cannot.
    """
    if not isinstance(text, str) or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", text) or len(text) > LONGEST:
        raise PluginError(
            f"{text!r} is no plugin's name. Write it in kebab-case, as my-{kind}: "
            f"small letters, digits and single hyphens, a letter first, at most {LONGEST} of them."
        )
    module = text.replace("-", "_")
    if keyword.iskeyword(module) or keyword.iskeyword("".join(word.capitalize() for word in text.split("-"))):
        raise PluginError(
            f"{text!r} is a keyword of Python, which no module or class can be named by: take another name."
        )
    if text in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}:
        raise PluginError(f"{text!r} is no text in YAML, so that no configuration could name it: take another name.")
