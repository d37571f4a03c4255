"""`otae doctor`: whether all is well on this machine, and the cure of what is not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from .console import print_json, results

if TYPE_CHECKING:
    from ..diagnosis import Finding

_MARKS = {"well": "[green]ok[/]", "lacking": "[yellow]lacking[/]", "broken": "[bold red]broken[/]"}


def doctor(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check this machine: libraries, devices, KeOps, folders, and every plugin; say the cure of what is broken.

    Ends with status 1 if something is broken.
    """
    from ..diagnosis import diagnose

    findings = diagnose()
    broken = [finding for finding in findings if finding.state == "broken"]
    if json:
        print_json({"well": not broken, "findings": [asdict(finding) for finding in findings]})
    else:
        for topic in dict.fromkeys(finding.topic for finding in findings):
            results().print(_table(topic, [finding for finding in findings if finding.topic == topic]))
        results().print(f"[bold red]{len(broken)} broken.[/]" if broken else "[green]All is well.[/]")
    if broken:
        raise typer.Exit(1)


def _table(topic: str, findings: list[Finding]) -> Table:
    table = Table(title=topic, title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, min_width=8)
    table.add_column(style="cyan", min_width=16)
    table.add_column(overflow="fold")
    for finding in findings:
        cure = f"\n[bold]Cure:[/] {escape(finding.cure)}" if finding.cure else ""
        table.add_row(_MARKS[finding.state], escape(finding.name), escape(finding.found) + cure)
    table.add_row()
    return table
