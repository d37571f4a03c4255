"""Where the values of a YAML file stand: the line of each key and entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

Path = tuple[str | int, ...]


def find_lines(text: str) -> dict[Path, int]:
    """Returns the line of each key and entry of YAML text, counted from 1, by the keys and numbers that lead to it.

    Args:
        text: The text, which must be sound.

    Examples:
        >>> find_lines("seeds: [0]\\ngrid:\\n  data.name: [rooms]")["grid", "data.name"]
        3
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return dict(_walk(node, ())) if node is not None else {}


def line_of(place: Sequence[str | int], lines: dict[Path, int]) -> int:
    """Returns the line of a place, or of the nearest one above it that stands in the file; 1 for the whole file.

    Args:
        place: The keys and numbers that lead to it.
        lines: The lines that there are.
    """
    known = (lines.get(tuple(place[:length])) for length in range(len(place), 0, -1))
    return next((line for line in known if line is not None), 1)


def _walk(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _walk(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            inner = (*path, number)
            yield inner, value.start_mark.line + 1
            yield from _walk(value, inner)
