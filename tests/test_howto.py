"""The how-to pages: their blocks run one after the other, as a reader would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from otae.training.quiet import quiet

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
@pytest.mark.parametrize("page", ["scikit-learn", "lightning"])
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    space: dict[str, Any] = {"__name__": page.replace("-", "_")}
    with quiet():
        for block in blocks:
            exec(compile(block, f"docs/{page}.md", "exec", dont_inherit=True), space)
