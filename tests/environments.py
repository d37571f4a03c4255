"""Fresh virtual environments, and commands that run in them as a stranger's would."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Environment:
    """Creates a view of a virtual environment, whose commands run outside the checkout.

    Args:
        path: Its folder.
        home: The working directory of its commands.
        wheels: The wheels that were installed in it, otae's first.
    """

    path: Path
    home: Path
    wheels: tuple[Path, ...]

    def run(self, *command: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Returns what a command of the environment printed, once it has ended with the status."""
        ended = called(self.path / "bin" / command[0], *command[1:], cwd=self.home)
        assert ended.returncode == status, f"status {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended


def fresh(home: Path, *projects: Path, extras: str = "") -> Environment:
    """Returns a fresh environment with the wheels of projects, and pinned dependencies.

    Args:
        home: The working directory of its commands, in which all is written.
        projects: The folders of the projects.
        extras: What to install besides.
    """
    path, wheels = home / "venv", tuple(wheel_of(folder, home / "wheels") for folder in projects)
    succeeded(sys.executable, "-m", "venv", path, cwd=home)
    succeeded(path / "bin" / "pip", "install", "-c", ROOT / "constraints.txt", *wheels, *extras.split(), cwd=home)
    return Environment(path, home, wheels)


def called(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Returns an ended command, run without the variables of this test's own Python."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "COV_"))}
    environment = clean | {"COLUMNS": "200"} | variables
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def succeeded(*command: str | Path, cwd: Path) -> None:
    """Runs a command that must end with status 0."""
    ended = called(*command, cwd=cwd)
    assert ended.returncode == 0, f"{' '.join(map(str, command))}\n{ended.stdout}\n{ended.stderr}"


def wheel_of(folder: Path, output: Path) -> Path:
    """Returns the wheel built from a project's folder."""
    before = set(output.glob("*.whl"))
    succeeded(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", output, folder, cwd=output.parent)
    (wheel,) = set(output.glob("*.whl")) - before
    return wheel
