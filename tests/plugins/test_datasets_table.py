"""Tables: how columns become entries and come back, and every spoilt row that is refused by name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from pyarrow import parquet
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

import otae
from otae.errors import ConfigError, DataError
from otae.testing import DatasetSuite
from otae_datasets import Table

ROWS = {
    "age": [30.5, 41, 7, 19],
    "colour": ["red", "blue", "red", "green"],
    "zip": [100, 200, 100, 300],
    "kind": ["b", "a", "b", "c"],
    "fixed": [5, 5, 5, 5],
}
CSV = "age, colour,zip,kind,fixed\n30.5,red,100,b,5\n41,blue,200,a,5\n7,red,100,b,5\n\n19,green,300,c,5\n"


def write(folder: Path, suffix: str, text: str = CSV) -> Path:
    path = folder / f"t.{suffix}"
    if suffix == "csv":
        path.write_text(text, encoding="utf-8")
    else:
        parquet.write_table(pyarrow.table(ROWS), path)
    return path


@pytest.mark.parametrize(("suffix", "scaling"), [("csv", "standard"), ("parquet", "min-max"), ("csv", "none")])
class TestTable(DatasetSuite):
    plugin = Table

    @pytest.fixture(autouse=True)
    def file(self, suffix: str, scaling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        options = {"path": str(write(tmp_path, suffix)), "label": "kind", "scaling": scaling, "categorical": ["zip"]}
        monkeypatch.setattr(type(self), "options", options)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(("scaling", "oracle"), [("standard", StandardScaler), ("min-max", MinMaxScaler)])
def test_entries_are_those_of_scikit_learn(tmp_path, suffix, scaling, oracle) -> None:
    table = Table(write(tmp_path, suffix), scaling=scaling, label="kind")
    numbers = oracle().fit_transform(np.array([ROWS["age"], ROWS["zip"], ROWS["fixed"]], dtype=float).T)
    colours = OneHotEncoder(sparse_output=False).fit_transform(np.array(ROWS["colour"])[:, None])
    expected = np.column_stack([numbers[:, :1], colours, numbers[:, 1:]])
    torch.testing.assert_close(table.__getitems__(range(4)), torch.tensor(expected, dtype=torch.float32))
    assert [feature.title for feature in table.features] == [
        "age",
        "colour=blue",
        "colour=green",
        "colour=red",
        "zip",
        "fixed",
    ]
    assert (table.class_names, table.labels.tolist()) == (("a", "b", "c"), [1, 0, 1, 2])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("scaling", ["standard", "min-max", "none"])
def test_decoding_gives_the_file_back(tmp_path, suffix, scaling) -> None:
    table = Table(write(tmp_path, suffix), scaling=scaling)
    back = table.decode(table.__getitems__(range(4)))
    for name, values in ROWS.items():
        if isinstance(values[0], str):
            assert back[name].tolist() == values
        else:
            np.testing.assert_allclose(back[name], values, rtol=1e-6)
    with pytest.raises(DataError, match=r"shape \(N, 9\), not \(4, 2\)"):
        table.decode(torch.zeros(4, 2))


def test_columns_are_chosen_in_the_order_of_the_file(tmp_path) -> None:
    table = Table(write(tmp_path, "csv"), columns=["zip", "age"], categorical=["zip"], label="kind")
    assert [feature.title for feature in table.features] == ["age", "zip=100", "zip=200", "zip=300"]


def test_missing_values_are_refused_by_row_and_column_or_imputed(tmp_path) -> None:
    path = write(tmp_path, "csv", "x,c\n1,a\nNA,b\n3,\n8,b\n")
    with pytest.raises(DataError, match=r"t\.csv', row 2 of the data: the column 'x' has no value.*missing: impute"):
        Table(path)
    table = Table(path, missing="impute", scaling="none")
    assert table[1].tolist() == [4.0, 0.0, 1.0]
    assert table[2].tolist() == [3.0, 0.0, 1.0]
    with pytest.raises(DataError, match="row 3 of the data: the label 'c' is missing"):
        Table(path, label="c", missing="impute")


def test_missing_values_of_parquet_are_null_and_nan(tmp_path) -> None:
    parquet.write_table(pyarrow.table({"x": [1.0, None, float("nan"), 4.0], "y": [1, 2, 3, 4]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="row 2 of the data: the column 'x' has no value"):
        Table(tmp_path / "t.parquet")
    assert Table(tmp_path / "t.parquet", missing="impute", scaling="none").decode(torch.tensor([[2.5, 1]]))["x"] == 2.5


def test_other_delimiters_quotes_and_marks_are_read(tmp_path) -> None:
    path = write(tmp_path, "csv", '\ufeffx;"the name"\n1;"a;b"\n2;"c\nd"\n')
    table = Table(path, delimiter=";")
    assert [feature.title for feature in table.features] == ["x", "the name=a;b", "the name=c\nd"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "must begin with a line of different column names"),
        ("a,a\n1,2\n", {}, "different column names"),
        ("1,2\n3,4\n", {}, "none a number"),
        ("a,b\n", {}, "holds no rows"),
        ("a,b\n1,2\n3\n", {}, r"line 3: 1 values, where the first line names 2 columns"),
        ("a,b\n1,inf\n", {}, "row 1 of the data: the column 'b' holds a value that is not finite"),
        ("a,b\n1,2\n1,1e99\n", {}, "row 2 of the data: the column 'b' holds a value that is not finite"),
        ("a,b\n1,\n2,\n", {"missing": "impute"}, "the column 'b' has no value at all"),
        ("a,b\n1,2\n", {"columns": ["c"]}, "No column named 'c'. Known: a, b"),
        ("a,b\n1,2\n", {"label": "bb"}, "No column named 'bb'"),
        ("a\n1\n", {"label": "a"}, "no column besides the label"),
        ("a,b\nx,1\ny,2\nz,3\n", {"max_categories": 2}, "'a' holds 3 categories, more than 2. Leave the column out"),
        ('a,b\n"x"y,1\n', {}, "cannot be read as CSV"),
    ],
)
def test_a_spoilt_table_is_refused_by_name(tmp_path, text, options, message) -> None:
    with pytest.raises(DataError, match=rf"t\.csv'.*{message}"):
        Table(write(tmp_path, "csv", text), **options)


@pytest.mark.parametrize("content", [b"\x80\x04\x95\xff", b"PAR1", b"a,b\n1,\xff\n"], ids=["pickle", "cut", "latin"])
def test_a_file_of_another_kind_is_refused_by_name(tmp_path, content) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match=r"x' cannot be read as"):
        Table(tmp_path / "x")


def test_a_truncated_parquet_is_refused_by_name(tmp_path) -> None:
    path = write(tmp_path, "parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"t\.parquet' cannot be read as Parquet.*get it again"):
        Table(path)


def test_options_that_contradict_each_other_are_refused(tmp_path) -> None:
    path = write(tmp_path, "csv")
    with pytest.raises(ConfigError, match=r"label 'age' cannot be one of the columns"):
        Table(path, columns=["age"], label="age")
    with pytest.raises(ConfigError, match=r"categorical: No column named 'zap'.*Did you mean 'zip'"):
        Table(path, categorical=["zap"])
    with pytest.raises(ConfigError, match="scaling"):
        otae.datasets.create("table", path=str(path), scaling="robust")


def test_csv_needs_no_pyarrow_and_parquet_tells_its_extra(tmp_path, monkeypatch) -> None:
    csv, other = write(tmp_path, "csv"), write(tmp_path, "parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert len(Table(csv)) == 4
    with pytest.raises(ConfigError, match=r"needs the package 'pyarrow'.*otae\[table\]"):
        Table(other)
