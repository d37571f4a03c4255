"""The command line that looks around: lists, shows, schema, help, and what a mistake is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from fakes import Standard
from pydantic import BaseModel, Field
from typer.testing import CliRunner, Result

import otae
from otae.cli.app import app, main
from otae.cli.complete import kinds, plugin_names, recipe_names
from otae.errors import ConfigError, UnknownPluginError
from otae.registry import registries

PRIOR = "from otae.interfaces import Prior\nclass Mine(Prior):\n    def sample(self, count, generator=None): ...\n"


def run(*arguments: str | Path) -> Result:
    """Returns what a command of `otae` left: its status and what it printed."""
    return CliRunner().invoke(app, [str(each) for each in arguments])


def listed(*arguments: str) -> list[dict[str, Any]]:
    """Returns what `otae list --json` tells."""
    result = run("list", *arguments, "--json")
    assert result.exit_code == 0
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def fresh(code: str) -> subprocess.CompletedProcess[str]:
    """Returns what a fresh Python said."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


LIGHT = """
import sys
plugins = {name.partition(".")[0] for name in sys.modules if name.startswith("otae_")}
assert not plugins, plugins
assert "torch" not in sys.modules
print("light")
"""


@pytest.mark.parametrize("action", [
    "import otae; otae.priors.names(), otae.priors.offer('gaussian'), dir(otae)",
    "from otae.cli.app import app; app(['list'], standalone_mode=False)",
    "from otae.cli.app import app; app(['show', 'recipe', 'gwae'], standalone_mode=False)",
    "from otae.cli.app import app; app(['new', '--help'], standalone_mode=False)",
    "from otae.cli.app import app; app(['doctor', '--help'], standalone_mode=False)",
    "from otae.scaffold import Project; Project.of('prior', 'my-prior').files()",
])  # fmt: skip
def test_looking_around_imports_neither_torch_nor_any_plugin(action: str) -> None:
    ended = fresh(action + LIGHT)
    assert ended.stdout.endswith("light\n"), ended.stderr


def test_the_version_is_told_by_the_module_too() -> None:
    for result in (
        run("--version"),
        subprocess.run([sys.executable, "-m", "otae", "--version"], capture_output=True, text=True, check=True),
    ):
        assert result.stdout == f"otae {version('otae')}\n"


def test_every_public_name_is_there_and_an_unknown_one_lists_them() -> None:
    assert all(getattr(otae, name) is not None for name in otae.__all__)
    assert set(otae.__all__) <= set(dir(otae))
    with pytest.raises(
        AttributeError, match=r"module 'otae' has no attribute 'autoencoder_'\. It offers: Autoencoder, Cloud"
    ):
        _ = otae.autoencoder_


def test_list_tells_every_kind_with_its_origin() -> None:
    rows = listed()
    assert {row["kind"] for row in rows} == {*registries(), "recipe"}
    assert [row["name"] for row in rows if row["kind"] == "prior"] == otae.priors.names()
    assert {
        "kind": "cost",
        "name": "fit",
        "distribution": "session",
        "version": "",
        "value": "fakes:Fit",
        "problem": None,
    } in rows
    recipe = next(row for row in rows if row["name"] == "gwae")
    assert "Nakagawa" in recipe["summary"]
    assert recipe["version"] == version("otae")


@pytest.mark.parametrize("kind", ["prior", "priors", "recipe", "recipes"])
def test_list_takes_one_kind_in_singular_or_plural(kind: str) -> None:
    assert {row["kind"] for row in listed(kind)} == {kind.removesuffix("s")}
    assert kind.removesuffix("s") + "s" in run("list", kind).stdout


def test_list_marks_what_cannot_be_used(install: Callable[..., Path]) -> None:
    points = "[otae.priors]\nbroken = my_broken:Mine\nwrong = my_wrong:Mine\n"
    install("sick", points, {"my_broken.py": "import no_such_package", "my_wrong.py": "Mine = 3"})
    install("healthy", "[otae.priors]\nmine = my_healthy:Mine\ntwice = my_healthy:Mine\n", {"my_healthy.py": PRIOR})
    install("thief", "[otae.priors]\ntwice = my_healthy:Mine\n")
    problems = {row["name"]: row["problem"] for row in listed("prior")}
    assert problems["broken"] == "needs 'no_such_package', which is not installed"
    assert problems["twice"] == "offered by several distributions"
    assert problems["wrong"] is problems["mine"] is problems["gaussian"] is None
    assert "my_wrong" not in sys.modules
    checked = {row["name"]: row["problem"] for row in listed("prior", "--check")}
    assert "3 is not a subclass of otae.Prior" in checked["wrong"]
    assert "broken: needs 'no_such_package'" in run("list", "prior").stdout.replace("\n", " ")


def test_show_tells_options_types_limits_documentation_and_source() -> None:
    shown = json.loads(run("show", "encoder", "linear-encoder", "--json").stdout)
    assert shown["options"] == [
        {"name": "noise", "type": "'gaussian' | 'none'", "default": "gaussian", "required": False, "limits": ""}
    ]
    assert "fakes.py:" in shown["source"]
    assert shown["documentation"].startswith("Creates a linear map with Gaussian noise")
    assert json.loads(run("show", "cost", "mean-gap", "--json").stdout)["options"][0]["limits"] == "> 0"
    told = run("show", "cost", "mean-gap").stdout
    assert all(
        part in told for part in ("cost mean-gap", "session", "squared distance", "scale", "number", "1.0", "> 0")
    )
    assert "It has no options" in run("show", "cost", "fit").stdout


class Colour(BaseModel):
    """Creates a colour with shades of its own."""

    hue: Annotated[float, Field(ge=0, lt=360)] = 0.0
    shades: list[Colour] = []


class Dressed(Standard):
    """Creates a prior with options of every type."""

    def __init__(
        self,
        latent_dim: int,
        size: Annotated[int, Field(gt=0, multiple_of=4)],
        scales: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1, max_length=3)] | None = None,
        pair: tuple[Annotated[int, Field(ge=1)], float] = (1, 2.0),
        rule: Literal["a", "b"] | Literal[1] | Annotated[float, Field(lt=0)] = "a",
        kernels: dict[Literal["x", "y"], Annotated[float, Field(gt=0)]] | Literal["auto"] = "auto",
        label: Annotated[str, Field(pattern="^[a-z]+$")] = "a",
        colour: Colour | None = None,
    ) -> None:
        super().__init__(latent_dim)


@pytest.mark.parametrize(("option", "told", "default", "limits"), [
    ("size", "integer", None, "> 0, a multiple of 4"),
    ("scales", "list of number or none", None, "length ≥ 1, length ≤ 3, each > 0"),
    ("pair", "[integer, number]", [1, 2.0], "each ≥ 1"),
    ("rule", "'a' | 'b' or 1 or number", "a", "< 0"),
    ("kernels", "mapping of 'x' | 'y' to number or 'auto'", "auto", "each > 0"),
    ("label", "string", "a", "matching ^[a-z]+$"),
    ("colour", "{hue: number, shades: list of Colour} or none", None, "hue ≥ 0, hue < 360"),
])  # fmt: skip
def test_show_tells_every_type_and_its_limits(option: str, told: str, default: Any, limits: str) -> None:
    otae.priors.register("dressed", Dressed)
    try:
        shown = {each["name"]: each for each in json.loads(run("show", "prior", "dressed", "--json").stdout)["options"]}
        table = " ".join(run("show", "prior", "dressed").stdout.split())
    finally:
        otae.priors.unregister("dressed")
    row = {"name": option, "type": told, "default": default, "required": option == "size", "limits": limits}
    assert shown[option] == row
    assert option in table


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, each in registries().items() for name in each.names()]
)
def test_every_plugin_is_shown_in_words(kind: str, name: str) -> None:
    shown = json.loads(run("show", kind, name, "--json").stdout)
    assert set(shown) == {"kind", "name", "distribution", "version", "source", "documentation", "options"}
    assert not [each for each in shown["options"] if each["type"] in ("any", "list", "object", "array", "mapping")]
    table = run("show", kind, name).stdout
    assert all(each["name"] in table for each in shown["options"])


def test_show_prints_a_recipe_that_reads_back() -> None:
    text = json.loads(run("show", "recipe", "gwae", "--json").stdout)["text"]
    assert otae.load_config(yaml.safe_load(text)).to_dict() == otae.load_config("gwae").to_dict()
    printed = run("show", "recipe", "gwae").stdout
    assert all(line in printed for line in text.splitlines())


def test_schema_is_printed_or_written(tmp_path: Path) -> None:
    assert run("schema", "--output", tmp_path / "deep" / "schema.json").exit_code == 0
    assert json.loads(run("schema").stdout) == json.loads((tmp_path / "deep" / "schema.json").read_text())


@pytest.mark.parametrize(("arguments", "message"), [
    (["list", "prio"], "No kind of plugin named 'prio'. Known: cost, dataset,  … Did you mean 'prior'"),
    (["show", "pryor", "gaussian"], "No kind of plugin named 'pryor' … Did you mean 'prior'"),
    (["show", "prior", "gausian"], "No plugin named 'gausian' in 'otae.priors' … Did you mean 'gaussian'"),
    (["show", "recipe", "gwea"], "No plugin named 'gwea' in 'otae.recipes' … Did you mean 'gwae'"),
    (["train", "gwea"], "No plugin named 'gwea' in 'otae.recipes' … Did you mean 'gwae'"),
    (["train", "gone.yaml"], "Cannot read the configuration gone.yaml: No such file"),
    (["train", "gwae", "--set", "seed"], "The override 'seed' must read path=value"),
    (["train", "gwae", "--set", "modle.latent_dim=3"], "modle: unknown option … Did you mean 'model'"),
    (["train", "gwae", "--set", "model.prior=[1"], "--set model.prior:1:3: expected ',' or ']'"),
    (["resume", "nowhere"], "nowhere holds no run: there is no config.yaml in it"),
    (["evaluate", "nowhere"], "nowhere holds no run"),
    (["report", "nowhere"], "nowhere holds no run"),
    (["sample", "nowhere"], "nowhere holds no run"),
    (["encode", "nowhere"], "nowhere holds no run"),
    (["reconstruct", "nowhere"], "nowhere holds no run"),
    (["trian"], "No such command 'trian'. Did you mean 'train'"),
    (["train"], "Missing argument"),
    (["train", "gwae", "--outptu", "x"], "No such option"),
])  # fmt: skip
def test_a_mistake_ends_with_status_2_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    told = " ".join(result.stderr.replace("│", " ").split())
    assert all(part in told for part in message.split(" … ")), told
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())


def test_debug_shows_where_an_error_came_from() -> None:
    result = run("--debug", "show", "prior", "gausian")
    assert isinstance(result.exception, UnknownPluginError)


def said(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Runs the command line as the shell does."""
    monkeypatch.setattr(sys, "argv", ["otae", *arguments])
    main()


def test_debug_may_stand_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownPluginError, match="gausian"):
        said(monkeypatch, "show", "prior", "gausian", "--debug")
    with pytest.raises(ConfigError, match="No kind"):
        said(monkeypatch, "show", "--debug", "nothing", "gausian")


def test_a_defect_ends_with_status_1_and_says_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], values: dict[str, Any], tmp_path: Path
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("otae.run.Run.create", fail)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(values))
    arguments = ["train", str(tmp_path / "tiny.yaml"), "--output", str(tmp_path / "run")]
    with pytest.raises(SystemExit, match="1"):
        said(monkeypatch, *arguments)
    told = " ".join(capsys.readouterr().err.split())
    assert "Unexpected error: RuntimeError: a defect" in told
    assert "--debug for the traceback" in told
    with pytest.raises(RuntimeError, match="a defect"):
        said(monkeypatch, *arguments[:-1], str(tmp_path / "other"), "--debug")


def test_names_complete_as_they_are_typed() -> None:
    class Typed:
        params = {"kind": "prior"}

    assert recipe_names("gwae-f") == ["gwae-factorized", "gwae-factorized-64"]
    assert kinds("d") == ["decoder", "dataset"]
    assert plugin_names(Typed, "sta") == ["standard"]
    for kind, expected in (("recipe", ["wae-gan", "wae-gan-64", "wae-mmd", "wae-mmd-64"]), ("nothing", []), (None, [])):
        Typed.params = {"kind": kind}
        assert plugin_names(Typed, "wae") == expected


def test_the_page_of_the_command_line_tells_of_every_command_and_no_other() -> None:
    page = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `otae ((?:data )?[a-z]+)", page, flags=re.MULTILINE)
    commands = [command.name for command in app.registered_commands]
    for group in app.registered_groups:
        commands += [f"{group.name} {command.name}" for command in group.typer_instance.registered_commands]  # type: ignore[union-attr]
    assert sorted(documented) == sorted(map(str, commands))
