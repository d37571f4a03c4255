"""A new plugin package: its files, rendered from templates, and written as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from ..errors import ConfigError
from .kinds import KINDS
from .name import Name, checked

_TEMPLATES = files("otae.scaffold") / "templates"
_PLACES = {
    "src": "src/PACKAGE",
    "init.py": "__init__.py",
    "part.py": "MODULE.py",
    "recipe.yaml": "NAME.yaml",
    "test_part.py": "test_MODULE.py",
    "gitignore": ".gitignore",
}


@dataclass(frozen=True)
class Project:
    """Creates the plan of a distribution that offers one plugin.

    Args:
        kind: The plugin's kind: prior, cost, encoder, decoder, dataset, metric, kernel, ground or recipe.
        name: The plugin's names.

    Examples:
        >>> project = Project.of("prior", "my-prior")
        >>> project.command
        'otae train gwae --set model.prior.name=my-prior'
        >>> sorted(project.files())[-1]
        'tests/test_my_prior.py'
    """

    kind: str
    name: Name

    @classmethod
    def of(cls, kind: str, name: str) -> Project:
        """Returns the plan of a plugin.

        Args:
            kind: Its kind.
            name: Its name, in kebab-case.

        Raises:
            ConfigError: If it cannot be named so.
        """
        return cls(kind, checked(kind, name))

    @property
    def command(self) -> str:
        """Returns the command that trains with the plugin."""
        return self._placed(KINDS[self.kind].command)

    def files(self) -> dict[str, str]:
        """Returns the text of each file, by its path in the project's folder."""
        templates = {**_templates("common"), **_templates(self.kind)}
        words = self._words(templates)
        return {self._path(name): _rendered(text, words) for name, text in templates.items()}

    def write(self, folder: Path) -> None:
        """Writes the project, whole or not at all.

        Args:
            folder: The folder, which must not be there yet.

        Raises:
            ConfigError: If it is there already, or cannot be written.
        """
        if folder.exists() or folder.is_symlink():
            raise ConfigError(f"{folder} is there already: choose another folder by --output, or remove it.")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        except OSError as error:
            raise ConfigError(f"Cannot write {folder}: {error.strerror}. Choose another folder by --output.") from error
        try:
            draft.chmod(0o755)  # a temporary folder is closed to others
            for name, text in self.files().items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_text(text, encoding="utf-8")
            draft.rename(folder)
        finally:
            rmtree(draft, ignore_errors=True)

    def _words(self, templates: dict[str, str]) -> dict[str, str]:
        names, kind = self.name, KINDS[self.kind]
        taken = re.search(
            rf"\b{names.cls}\b", "\n".join(templates.values())
        )  # the class would hide what its file imports
        cls = f"{names.cls}{self.kind.capitalize()}" if taken else names.cls
        return {
            "kind": self.kind,
            "name": names.plugin,
            "distribution": names.distribution,
            "package": names.package,
            "module": names.module,
            "cls": cls,
            "value": names.package if self.kind == "recipe" else f"{names.package}:{cls}",
            "version": version("otae"),
            "role": kind.role,
            "contents": kind.contents,
            "main": self._placed(kind.main),
            "command": self.command,
        }

    def _path(self, template: str) -> str:
        return self._placed("/".join(_PLACES.get(part, part) for part in template.removesuffix(".jinja").split("/")))

    def _placed(self, text: str) -> str:
        names = {"PACKAGE": self.name.package, "MODULE": self.name.module, "NAME": self.name.plugin}
        return re.sub("|".join(names), lambda found: names[found[0]], text)


def _templates(folder: str) -> dict[str, str]:
    """Returns the templates of a folder, by their paths in it."""
    return dict(_walk(_TEMPLATES / folder, ""))


def _walk(folder: Traversable, path: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        place = f"{path}{each.name}"
        found += _walk(each, f"{place}/") if each.is_dir() else [(place, each.read_text(encoding="utf-8"))]
    return found


def _rendered(template: str, words: dict[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined  # the names above need none

    return Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(template).render(words)
