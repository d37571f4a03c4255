"""`otae new`: the first files of a plugin of one's own."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ..errors import ConfigError, unknown_name
from .complete import EVERY_KIND, kinds
from .console import results


def new(
    kind: Annotated[
        str,
        typer.Argument(help=f"{EVERY_KIND}.", autocompletion=kinds),
    ],
    name: Annotated[str, typer.Argument(help="The plugin's name, in kebab-case.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder to write, new; otae-NAME if left out.")
    ] = None,
) -> None:
    """Write a plugin package that works as it is: one class, its entry point, its tests.

    [bold]otae new prior my-prior[/]
    """
    from ..scaffold import KINDS, Project

    if kind not in KINDS:
        raise ConfigError(unknown_name("kind of plugin", kind, KINDS))
    project = Project.of(kind, name)
    folder = output or Path(project.name.distribution)
    project.write(folder)
    for line in (f"Wrote {folder}. Try it:", f'  cd {quote(str(folder))} && pip install -e ".[test]" && pytest'):
        results().print(line, highlight=False, markup=False, soft_wrap=True)
    results().print(f"  {project.command}", highlight=False, markup=False, soft_wrap=True)
