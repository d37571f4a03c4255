"""Tables: how columns become entries and come back, and every spoilt row that is refused by name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
import pytest
import torch
from pandas._libs.parsers import STR_NA_VALUES
from pyarrow import parquet
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

import otae
from otae.errors import ConfigError, DataError
from otae.testing import DatasetSuite
from otae_datasets import Table
from otae_datasets.table_preparation import TablePreparation

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
        ("1,2\n3,4\n", {}, "not of numbers; it holds .1., .2."),
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


def test_the_delimiter_is_found_in_the_first_line(tmp_path) -> None:
    expected = Table(write(tmp_path, "csv", "a,b\n1,x\n2,y\n")).__getitems__(range(2))
    for delimiter in ";\t|":
        text = f'a{delimiter}"b,c"\n1{delimiter}x\n2{delimiter}y\n'
        table = Table(write(tmp_path, "csv", text))
        assert [feature.title for feature in table.features] == ["a", "b,c=x", "b,c=y"]
        assert torch.equal(table.__getitems__(range(2)), expected)
        with pytest.raises(DataError, match=r"(a bar|a semicolon|'~') does not part the first line"):
            Table(tmp_path / "t.csv", delimiter="~")


def test_decimal_commas_are_read_where_told_and_named_where_not(tmp_path) -> None:
    path = write(tmp_path, "csv", "a;b\n1,5;x\n2,5;y\n")
    assert Table(path, decimal=",", scaling="none").__getitems__(range(2))[:, 0].tolist() == [1.5, 2.5]
    with pytest.raises(
        DataError, match=r"the column 'a' holds text such as '1,5'.*decimal mark ','\. Set the option decimal"
    ):
        Table(path)
    thousands = write(tmp_path, "csv", 'a;b\n"1,500";x\n"2,500";y\n')
    with pytest.raises(DataError, match="without commas between thousands"):
        Table(thousands)


@pytest.mark.parametrize("mark", sorted(STR_NA_VALUES))
def test_missing_is_what_pandas_takes_for_missing(tmp_path, mark) -> None:
    path = write(tmp_path, "csv", f"a,b\n1,2\n{mark},3\n4,5\n")
    assert Table(path, missing="impute", scaling="none")[1].tolist() == [2.5, 3]


def test_own_marks_of_missing_values_are_told_by_option(tmp_path) -> None:
    path = write(tmp_path, "csv", "a,b\n1,2\n-999,3\n4,5\n")
    assert Table(path, missing="impute", missing_values=["-999"], scaling="none")[1].tolist() == [2.5, 3]


@pytest.mark.parametrize("bad", ["#VALUE!", "-", "5_87", "1.2.3", "0x10"])
def test_one_cell_that_is_no_number_is_named_with_its_text(tmp_path, bad) -> None:
    path = write(tmp_path, "csv", "a,b\n" + "".join(f"{n},{n}\n" for n in range(9)) + f"{bad},1\n")
    with pytest.raises(DataError, match=rf"row 10 of the data: the column 'a' holds '{bad}' among numbers"):
        Table(path)
    assert len(Table(path, categorical=["a"]).features) == 11


def test_numbers_are_what_pandas_reads_as_such(tmp_path) -> None:
    path = write(tmp_path, "csv", "x,plot,cls\n1,5_87,1_1\n2,58_7,11\n3,5_87,01\n")
    table = Table(path, label="cls")
    assert table.decode(table.__getitems__(range(3)))["plot"].tolist() == ["5_87", "58_7", "5_87"]
    assert table.class_names == ("01", "11", "1_1")


@pytest.mark.parametrize(
    ("cell", "cure"), [("2024-01-{:02}", "Write these dates as numbers"), ("n{}", "Leave the column out")]
)
def test_texts_that_mostly_differ_are_no_categories(tmp_path, cell, cure) -> None:
    rows = "".join(f"{n},{cell.format(n)}\n" for n in range(1, 29))
    with pytest.raises(DataError, match=rf"the column 'b' holds 28 different texts in 28 rows.*{cure}"):
        Table(write(tmp_path, "csv", "a,b\n" + rows))
    assert len(Table(tmp_path / "t.csv", categorical=["b"]).features) == 29


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_pandas_writes_is_read_without_its_row_numbers(tmp_path, suffix) -> None:
    frame = pd.DataFrame({"a": [1.5, 2, 4], "inf": [3, 1, 2]}, index=[2, 0, 1])
    path = tmp_path / f"t.{suffix}"
    frame.to_csv(path) if suffix == "csv" else frame.to_parquet(path)
    assert [feature.title for feature in Table(path).features] == ["a", "inf"]


def test_columns_without_names_are_numbered_or_refused(tmp_path) -> None:
    pd.DataFrame(np.eye(3)).to_csv(tmp_path / "t.csv", index=False)
    assert [feature.title for feature in Table(tmp_path / "t.csv").features] == ["0", "1", "2"]
    with pytest.raises(DataError, match="the first column has no name, and holds more than row numbers"):
        Table(write(tmp_path, "csv", ",a\n0.5,1\n0.2,2\n"))


def test_columns_of_lists_are_named(tmp_path) -> None:
    pd.DataFrame({"a": [1, 2], "e": [[1, 2], [3]]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"the column 'e' holds a list in each row\. Write one column for each entry"):
        Table(tmp_path / "t.parquet")
    assert len(Table(tmp_path / "t.parquet", columns=["a"]).features) == 1


def test_new_rows_go_the_way_of_the_training_rows(tmp_path) -> None:
    table = Table(write(tmp_path, "csv"), label="kind", categorical=["zip"])
    kept = TablePreparation.from_dict(json.loads(json.dumps(table.preparation.to_dict())))
    assert kept == table.preparation
    frame = pd.DataFrame(ROWS)[["fixed", "zip", "colour", "age"]]  # in another order, the label left out
    assert torch.equal(kept.prepare(frame), table.__getitems__(range(4)))
    (tmp_path / "new").mkdir()
    frame.iloc[[1]].to_csv(tmp_path / "new" / "t.csv", index=False)
    assert torch.equal(kept.read(tmp_path / "new" / "t.csv"), table[1][None])
    back = kept.restore(table.__getitems__(range(4)))
    assert back["fixed"].tolist() == ROWS["fixed"]
    assert back["fixed"].dtype == np.int64
    assert back["colour"].tolist() == ROWS["colour"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"colour": "pink"},
            "row 1 of the data: the column 'colour' holds 'pink', which the training data lacked; they held",
        ),
        ({"age": "old"}, "row 1 of the data: the column 'age' holds 'old' among numbers"),
        ({"age": None}, "row 1 of the data: the column 'age' has no value"),
    ],
)
def test_new_rows_that_do_not_fit_are_named(tmp_path, change, message) -> None:
    table = Table(write(tmp_path, "csv"), label="kind")
    frame = pd.DataFrame(ROWS).astype(object).assign(**change)
    with pytest.raises(DataError, match=message):
        table.preparation.prepare(frame)
    with pytest.raises(DataError, match=r"lacks 2 of the columns.*: age, zip. It holds colour, kind, fixed. Add them"):
        table.preparation.prepare(pd.DataFrame(ROWS).drop(columns=["age", "zip"]))
    with pytest.raises(
        DataError, match=r"give a pandas.DataFrame with the columns age, colour, zip, fixed, not ndarray"
    ):
        table.preparation.prepare(np.zeros((2, 5)))


def test_missing_values_of_new_rows_are_imputed_from_the_training_rows(tmp_path) -> None:
    table = Table(write(tmp_path, "csv", "x,c\n1,a\nNA,b\n3,b\n8,b\n"), missing="impute", scaling="none")
    assert table.preparation.prepare(pd.DataFrame({"x": [np.nan], "c": [None]})).tolist() == [[4.0, 0.0, 1.0]]


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
