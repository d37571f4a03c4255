"""`otae data list` and `otae data fetch`: the files of datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import errors, print_json, results

if TYPE_CHECKING:
    from ..fetching import Entry

Root = Annotated[
    Path | None, typer.Option("--root", help="The data folder; that of OTAE_DATA, or else `data`, if left out.")
]

app = typer.Typer(help="See and fetch the files of datasets. Training never fetches any.", no_args_is_help=True)


@app.command("list")
def list_(root: Root = None, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List what can be fetched, for which dataset, how large it is, and whether it is there."""
    from rich.table import Table

    from ..fetching import entries

    folder = _folder(root)
    rows = [_row(entry, folder) for entry in entries()]
    if json:
        print_json(rows)
        return
    table = Table("source", "dataset", "size", "there", "about", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(f"[cyan]{row['name']}[/]", *(str(row[key]) for key in ("dataset", "size", "there", "about")))
    results().print(table)
    results().print(f"Data folder  {folder}", highlight=False, soft_wrap=True)


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="The source, as `otae data list` names it.")], root: Root = None
) -> None:
    """Fetch the files of a source, continue where it was broken off, and check them."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from ..errors import DataError
    from ..fetching import digest_of, entry
    from ..fetching import fetch as fetch_file

    source = entry(name).source
    folder = _folder(root)
    if not source.files:
        raise DataError(f"{source.name} must be fetched by hand, from {source.page}. {source.by_hand}")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    for file in source.files:
        already = (folder / file.path).exists()
        with Progress(*columns, console=errors(), transient=True) as bar:
            task = bar.add_task(Path(file.path).name, total=file.size)
            path = fetch_file(file, folder, lambda done, total: bar.update(task, completed=done, total=total))  # noqa: B023
        note = (
            "there already" if already else "checksum right" if file.digest else f"no checksum known; {digest_of(path)}"
        )
        results().print(f"{path}  {note}", highlight=False, soft_wrap=True)


def _row(entry: Entry, folder: Path) -> dict[str, str]:
    source = entry.source
    there = [(folder / file.path).is_file() for file in source.files]
    sizes = [file.size for file in source.files if file.size is not None]
    size = f"{sum(sizes) / 1e6:.1f} MB" if sizes and len(sizes) == len(source.files) else "not known"
    return {
        "name": source.name,
        "dataset": entry.dataset,
        "size": size if source.files else "by hand",
        "there": "by hand" if not source.files else "yes" if all(there) else "in part" if any(there) else "no",
        "about": source.about,
        "page": source.page,
    }


def _folder(root: Path | None) -> Path:
    from ..interfaces import data_folder

    return data_folder() if root is None else root.expanduser().absolute()
