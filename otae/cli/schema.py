"""`otae schema`: the JSON Schema of configurations, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import print_json


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file instead.")] = None,
) -> None:
    """Print one JSON Schema over all installed plugins, for completion and checks in editors.

    In an editor with YAML support, begin a file with [bold]# yaml-language-server: $schema=otae.schema.json[/]
    """
    from ..files import write_json
    from ..schema import schema as build_schema

    if output is None:
        print_json(build_schema())
    else:
        write_json(output, build_schema())
