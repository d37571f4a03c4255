"""`otae show`: one plugin's options, types, defaults, limits, documentation and source."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from ..errors import ConfigError, unknown_name
from ..recipes import Recipe, recipe
from ..registry import registries
from .complete import EVERY_KIND, kinds, plugin_names
from .console import print_json, results
from .wording import limits_of, type_of


def show(
    kind: Annotated[
        str,
        typer.Argument(help=f"{EVERY_KIND}.", autocompletion=kinds),
    ],
    name: Annotated[str, typer.Argument(help="The plugin's name.", autocompletion=plugin_names)],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a plugin: its options with types, defaults and limits, its documentation, its source."""
    kind, known = kind.removesuffix("s"), [*registries(), "recipe"]
    if kind not in known:
        raise ConfigError(unknown_name("kind of plugin", kind, known))
    if kind == "recipe":
        _show_recipe(recipe(name), json)
        return
    described = describe(kind, name)
    if json:
        print_json(described)
        return
    results().print(f"[bold]{kind} {name}[/]  [dim]{described['distribution']} {described['version']}[/]")
    results().print(f"[dim]{escape(described['source'])}[/]\n", soft_wrap=True)
    results().print(escape(described["documentation"]) + "\n", soft_wrap=True, highlight=False)
    results().print(_table(described["options"]) if described["options"] else "It has no options.")


def _show_recipe(found: Recipe, json: bool) -> None:
    text, offer = found.path.read_text(encoding="utf-8"), found.offer
    if json:
        origin = {"distribution": offer.distribution, "version": offer.version, "source": str(found.path)}
        print_json({"kind": "recipe", "name": found.name, **origin, "text": text})
        return
    results().print(f"[bold]{found.name}[/]  [dim]{offer.origin}, {escape(str(found.path))}[/]", soft_wrap=True)
    results().print(Syntax("", "yaml", background_color="default").highlight(text), soft_wrap=True)


def describe(kind: str, name: str) -> dict[str, Any]:
    """Returns what there is to know of a plugin, as plain values.

    Args:
        kind: Its kind.
        name: Its name.

    Raises:
        PluginError: If it is unknown, broken, or offered twice.
    """
    import inspect

    from ..signature import options_model

    registry = registries()[kind]
    plugin, offer = registry.get(name), registry.offer(name)
    fields = options_model(plugin, registry.given).model_json_schema()
    required, inner = fields.get("required", []), fields.get("$defs", {})
    options = [
        {"name": option, "type": type_of(spec, inner), "default": None if option in required else spec.get("default")}
        | {"required": option in required, "limits": limits_of(spec, inner)}
        for option, spec in fields.get("properties", {}).items()
    ]
    return {
        "kind": kind,
        "name": name,
        "distribution": offer.distribution,
        "version": offer.version,
        "source": f"{inspect.getsourcefile(plugin)}:{inspect.getsourcelines(plugin)[1]}",
        "documentation": inspect.getdoc(plugin) or "",
        "options": options,
    }


def _table(options: list[dict[str, Any]]) -> Table:
    table = Table("option", "type", "default", "limits", box=None, pad_edge=False, header_style="bold")
    for option in options:
        default = "[red]required[/]" if option["required"] else escape(repr(option["default"]))
        table.add_row(f"[cyan]{option['name']}[/]", escape(option["type"]), default, escape(option["limits"]))
    return table
