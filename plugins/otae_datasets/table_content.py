"""The samples of a table's columns: how each becomes entries is learnt, and its labels are numbered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from otae.errors import ConfigError, DataError, unknown_name
from otae.interfaces import Feature

from .array_file import Array
from .column_rules import ColumnRule, Learning, as_text, read_numbers
from .columns import line
from .encodings import OneHot, Scaled
from .table_preparation import TablePreparation


@dataclass(frozen=True)
class TableContent:
    """Holds what a table becomes.

    Args:
        samples: The samples, with shape (N, D).
        preparation: The way from rows to samples.
        features: What each entry of a sample is.
        class_names: The values of the label column, in the order of the labels, or `None`.
        labels: One class per row, with shape (N,), or `None`.
    """

    samples: Tensor
    preparation: TablePreparation
    features: tuple[Feature, ...]
    class_names: tuple[str, ...] | None
    labels: Tensor | None


def learn_table(
    columns: Mapping[str, Array],
    label: str | None,
    learning: Learning,
    delimiter: str | None = None,
    marks: tuple[str, ...] = (),
) -> TableContent:
    """Returns what columns become.

    Args:
        columns: The columns by name, with `None` where a value is missing.
        label: The column of the classes, which is no part of the samples, or `None`.
        learning: How the rules of columns are learnt.
        delimiter: What stands between the values of a CSV file, for new files.
        marks: What else stands for a missing value in a CSV file, for new files.

    Raises:
        ConfigError: If an option names a column that is not there.
        DataError: If a column does not hold what it should; the message names row and column.
    """
    read, where = dict(columns), learning.where
    class_names, labels = _take_label(read, label, learning.decimal, where)
    if not read:
        raise DataError(f"{where} holds no column besides the label. Write one.")
    for option, named in (("categorical", learning.categorical), ("units", learning.units)):
        for name in sorted(named):
            if name not in read:
                raise ConfigError(f"{option}: {unknown_name('column', name, read)}")
    rules = tuple(learning.learn(name, values) for name, values in read.items())
    preparation = TablePreparation(rules, learning.missing, delimiter, learning.decimal, marks)
    features = tuple(feature for rule in rules for feature in _list_features(rule))
    return TableContent(preparation.encode(read, where), preparation, features, class_names, labels)


def _list_features(rule: ColumnRule) -> tuple[Feature, ...]:
    if isinstance(rule.encoding, OneHot):
        return tuple(Feature(rule.name, rule.unit, category) for category in rule.encoding.categories)
    assert isinstance(rule.encoding, Scaled)
    return (Feature(rule.name, rule.unit, None, rule.encoding.shift, rule.encoding.scale, rule.encoding.log),)


def _take_label(
    read: dict[str, Array], label: str | None, decimal: str, where: str
) -> tuple[tuple[str, ...] | None, Tensor | None]:
    """Returns the names of the classes, and one integer class per row, with shape (N,); takes the label from the columns."""
    if label is None:
        return None, None
    if label not in read:
        raise DataError(f"{where}: {unknown_name('column', label, read)}")
    return number_classes(read.pop(label), f"the label {label!r}", decimal, where)


def number_classes(values: Array, what: str, decimal: str, where: str) -> tuple[tuple[str, ...], Tensor]:
    """Returns the names of classes, sorted, and the number of each value's class, with shape (N,).

    Args:
        values: The values, numbers or text, with `None` where one is missing.
        what: What they are, for messages.
        decimal: The decimal mark of text.
        where: Where they come from, for messages.

    Raises:
        DataError: If one is missing.
    """
    if (lost := np.array([value is None for value in values])).any():
        raise DataError(f"{line(int(lost.argmax()), where)}: {what} is missing. Give it, or drop the row.")
    numbers = read_numbers(values, decimal)
    texts = bool(np.isnan(numbers).any())
    classes, places = np.unique(as_text(values) if texts else numbers, return_inverse=True)
    names = tuple(str(each) for each in (classes if texts else as_text(classes.astype(object))))
    return names, torch.from_numpy(places.astype(np.int64))
