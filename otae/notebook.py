"""What notebooks show: tables in HTML, in the notebook's own colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def to_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table as HTML, all text escaped.

    Args:
        header: The names of its columns.
        rows: Its rows.

    Examples:
        >>> to_table(["name"], [["a<b"]])
        '<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>a&lt;b</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{escape(str(each))}</th>" for each in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
