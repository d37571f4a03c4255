"""What trainings tell programs on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import EXPERIMENT
from typer.testing import CliRunner

from otae import Run
from otae.cli.app import app


@pytest.mark.slow
def test_train_and_resume_tell_programs_where_the_run_is_and_how_good(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    judged = {"evaluation": {"metrics": ["reconstruction"], "samples": 5}}
    Path("tiny.yaml").write_text(yaml.safe_dump(EXPERIMENT | judged))
    trained = CliRunner().invoke(app, ["train", "tiny.yaml", "-o", "told", "--quiet", "--no-report", "--json"])
    told = json.loads(trained.stdout)
    assert (told["run"], told["report"]) == ("told", None)
    assert told["figures"] == Run("told").metrics
    options = ["--epochs", "9", "-q", "--json", "--no-evaluation", "--no-report"]
    further = CliRunner().invoke(app, ["resume", "told", *options])
    assert json.loads(further.stdout) == {"run": "told", "report": None, "figures": None}
