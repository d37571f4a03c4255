"""What a table says of its entries: names, and the numbers they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from otae_datasets import Table


@pytest.mark.parametrize("scaling", ["standard", "min-max", "none"])
def test_a_feature_measures_its_entries_in_the_unit_of_the_column(tmp_path: Path, scaling: str) -> None:
    (tmp_path / "t.csv").write_text("mass,kind\n1.5,a\n2.5,b\n10,a\n", encoding="utf-8")
    table = Table(tmp_path / "t.csv", scaling=scaling, units={"mass": "kg"})
    assert table.features is not None
    entries = table.__getitems__([0, 1, 2])[:, 0]
    assert table.features[0].title == "mass (kg)"
    assert table.features[0].measure(entries).tolist() == pytest.approx([1.5, 2.5, 10], rel=1e-6)
