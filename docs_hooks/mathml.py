"""Formulas of the documentation as MathML, made when the site is built: browsers render it by themselves, without a network."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

_FORMULA = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>', flags=re.DOTALL)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Returns a page with its formulas as MathML; the hook of MkDocs.

    Args:
        html: The page's content.
        page: The page.

    Raises:
        PluginError: If a formula cannot be read, or a macro of it is not known.
    """
    return _FORMULA.sub(lambda found: _convert(found, page.file.src_uri), html)


def _convert(found: re.Match[str], where: str) -> str:
    latex = re.sub(r"\\arg(?![a-z])", r"\\operatorname{arg}", unescape(found["latex"]).strip())
    try:
        made = convert(latex, display="block" if found["tag"] == "div" else "inline")
    except Exception as error:
        raise PluginError(f"{where}: the formula {latex!r} cannot be read: {type(error).__name__} {error}.") from error
    if unknown := re.search(r"<m[a-z]+>(\\[A-Za-z]+)</m", made):
        raise PluginError(f"{where}: the macro {unknown[1]} in {latex!r} is not known.")
    return made
