"""`otae list`: every plugin, the distribution it comes from, and whether it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..discovery import Offer
from ..errors import ConfigError, PluginError, unknown_name
from ..health import find_faults
from ..recipes import recipes
from ..registry import Registry, clashes, registries
from .complete import EVERY_KIND, kinds
from .console import print_json, results


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help=f"{EVERY_KIND}; all if left out.",
            autocompletion=kinds,
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Import every plugin, to find what fails only then.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the plugins that are installed, without importing any.

    Each comes with its distribution and version. A plugin that cannot be used is marked, and the reason given.
    """
    wanted = (kind or "").removesuffix("s")
    if wanted and wanted not in (known := [*registries(), "recipe"]):
        raise ConfigError(unknown_name("kind of plugin", wanted, known))
    chosen = [registry for name, registry in registries().items() if wanted in ("", name)]
    faults = find_faults(offer for registry in chosen for offer in registry.offers() if offer.distribution != "session")
    rows = [row for registry in chosen for row in _rows(registry, faults, check)]
    rows += _recipe_rows() if wanted in ("", "recipe") else []
    if json:
        print_json(rows)
        return
    for group in dict.fromkeys(row["kind"] for row in rows):
        results().print(_table(group, [row for row in rows if row["kind"] == group]))


def _rows(registry: Registry[Any], faults: Mapping[str, str | None], check: bool) -> list[dict[str, Any]]:
    listed = registry.offers()
    twice = clashes(listed)
    return [_row(registry.kind, offer, _trouble(registry, offer, twice, faults, check)) for offer in listed]


def _recipe_rows() -> list[dict[str, Any]]:
    shipped = recipes()
    twice = {each.name for each in shipped if [other.name for other in shipped].count(each.name) > 1}
    return [
        _row("recipe", each.offer, "offered by several distributions" if each.name in twice else None)
        | {"name": each.name, "summary": each.summary}
        for each in shipped
    ]


def _row(kind: str, offer: Offer, trouble: str | None) -> dict[str, Any]:
    told = {"name": offer.name, "distribution": offer.distribution, "version": offer.version, "value": offer.value}
    return {"kind": kind, **told, "problem": trouble}


def _trouble(
    registry: Registry[Any], offer: Offer, twice: set[str], faults: Mapping[str, str | None], check: bool
) -> str | None:
    if offer.name in twice:
        return "offered by several distributions"
    if offer.distribution == "session":
        return None
    if check:
        try:
            registry.get(offer.name)
        except PluginError as error:
            return str(error.__cause__ or error)
    return faults[offer.value]


def _table(kind: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(
        title=f"{kind}s", title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False
    )
    table.add_column(style="cyan", no_wrap=True, min_width=18)
    table.add_column(style="dim", no_wrap=True, min_width=16)
    table.add_column()
    for row in rows:
        note = f"[red]broken: {escape(row['problem'])}[/]" if row["problem"] else escape(row.get("summary", ""))
        table.add_row(row["name"], f"{row['distribution']} {row['version']}".strip(), note)
    table.add_row()
    return table
