"""The application: its commands, and what a user sees of an error."""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import LONGEST, Followed, NonFiniteError, OtaeError, ProcessError, Stopped, shorten
from . import apply, compare, data, doctor, export, hub, listing, new, report, schema, show, study, train
from .bus_error import tell_bus_errors
from .console import errors, tell_warnings
from .environment import describe_fault


class OtaeGroup(TyperGroup):
    """Creates the group of commands, which turns errors into messages and exit statuses.

    Status 2 is a mistake that the user can mend, 1 a failure of the work itself, 130 and 143 an interruption.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Followed as error:  # the first process of the training tells the user
            raise typer.Exit(error.status) from error
        except OtaeError as error:
            if ctx.params.get("debug"):
                raise
            errors().print(f"[bold red]Error:[/] {_plain(error)}", soft_wrap=True)
            raise typer.Exit(1 if isinstance(error, NonFiniteError | ProcessError) else 2) from error
        except KeyboardInterrupt as interruption:
            errors().print(f"\n[bold]Stopped:[/] {_plain(interruption) or 'interrupted'}.", soft_wrap=True)
            number = interruption.number if isinstance(interruption, Stopped) else signal.SIGINT
            raise typer.Exit(128 + number) from interruption
        except (typer.Exit, typer.Abort):  # what the command line itself ends by
            raise
        except Exception as error:
            if hasattr(error, "exit_code"):  # of a command line that cannot be read
                raise
            fault = describe_fault(error) or _describe_failure(error)
            if ctx.params.get("debug") or fault is None:
                raise
            errors().print(f"[bold red]Error:[/] {_escape(fault)}", soft_wrap=True)
            raise typer.Exit(2) from error


def _describe_failure(error: BaseException) -> str | None:
    """Returns what a part did wrong, or `None` where the error is no part's."""
    from ..faults import find_culprit, make_failure  # torch is not loaded for what needs none

    part = find_culprit(error)
    return str(make_failure(part, error, "failed")) if part else None


def _plain(error: BaseException) -> str:
    return _escape(shorten(str(error), LONGEST))


def _escape(text: str) -> str:
    return text.replace("[", r"\[")  # brackets are no markup here


app = typer.Typer(
    cls=OtaeGroup,
    name="otae",
    help="Train autoencoders with optimal transport, from parts: encoders, decoders, priors and transport costs.",
    epilog="Start with: otae train gwae   ·   Then: otae train gwae --set model.prior=mixture",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"otae {version('otae')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command("train", rich_help_panel="Train")(train.train)
app.command("resume", rich_help_panel="Train")(train.resume)
app.command("evaluate", rich_help_panel="Use a run")(report.evaluate)
app.command("report", rich_help_panel="Use a run")(report.report)
app.command("compare", rich_help_panel="Compare")(compare.compare)
app.command("study", rich_help_panel="Compare")(study.study)
app.command("sample", rich_help_panel="Use a run")(apply.sample)
app.command("interpolate", rich_help_panel="Use a run")(apply.interpolate)
app.command("traverse", rich_help_panel="Use a run")(apply.traverse)
app.command("encode", rich_help_panel="Use a run")(apply.encode)
app.command("reconstruct", rich_help_panel="Use a run")(apply.reconstruct)
app.command("export", rich_help_panel="Share")(export.export)
app.command("push", rich_help_panel="Share")(hub.push)
app.command("pull", rich_help_panel="Share")(hub.pull)
app.add_typer(data.app, name="data", rich_help_panel="Data")
app.command("list", rich_help_panel="Look around")(listing.list_)
app.command("show", rich_help_panel="Look around")(show.show)
app.command("schema", rich_help_panel="Look around")(schema.schema)
app.command("doctor", rich_help_panel="Look around")(doctor.doctor)
app.command("new", rich_help_panel="Extend")(new.new)


def main() -> None:
    """Runs the command line; `--debug` may stand anywhere."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    tell_bus_errors()
    try:
        with tell_warnings():
            app(args=["--debug"] * debug + [each for each in arguments if each != "--debug"], prog_name="otae")
    except Exception as error:
        if debug:
            raise
        errors().print(f"[bold red]Unexpected error:[/] {type(error).__name__}: {_plain(error)}", soft_wrap=True)
        errors().print("This may be a defect of otae or of a plugin: run it with --debug for the traceback.")
        sys.exit(1)
