"""The dataset of the Hugging Face library: by name from its cache, or from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from otae.errors import ConfigError

from .batched import Batched
from .hf_columns import chosen, class_labels
from .hf_readers import NumberReader, PictureReader, Reader
from .hf_source import Request, open_rows
from .indices import checked
from .layout import Layout
from .pictures import Mode, Side
from .tagged_preparation import TaggedPreparation


class HF(Batched):
    """Creates a dataset from one of Hugging Face: the pictures of a column, or the numbers of some.

    Training downloads nothing: a name is looked up in the cache of the package `datasets`, unless `download` is set.
    Samples are read from Arrow files mapped into memory, so there may be more than fit into it. otae reads samples by
    index, which a stream cannot: with `streaming` the first `limit` samples are read once and kept in memory, and files
    are not copied to the cache. Needs `pip install 'otae[hf]'`.

    Args:
        path: A folder, of `save_to_disk` or of Parquet, JSON, CSV or picture files, where one exists in the working
            directory or the data folder; else a name on the Hub, such as `ylecun/mnist`.
        image: The column of pictures; found where it is the only one and no `columns` are named.
        columns: The columns of numbers, flattened and joined in this order; one alone keeps its shape, laid out by
            `layout`. All that hold numbers, but the label, where `None` and there are no pictures.
        label: The column of the classes: integers, booleans or text.
        config: The configuration, where the dataset has several.
        split: The split, such as `train` or `train[:10%]`; `all` for all of them, of which `split_by: official` keeps validation
            and test as they are; `None` for the only one, or else `train`.
        revision: The commit of the dataset on the Hub; with `download` also a branch or tag.
        size: The side, or (height, width), to crop pictures to, about the centre, and resize; needed where they differ.
        mode: `RGB` for three channels, `L` for one, grey.
        layout: Where the channels of a column of three axes stand; `none` keeps the axes of samples that are no images.
        scaling: `auto` divides 8-bit numbers (uint8) by 255, unless all are 0 or 1; `none` keeps all.
        streaming: Whether to read the first `limit` samples into memory.
        limit: The largest number of samples to use, the first ones; `None` for all.
        download: Whether the package may reach the network.

    Attributes:
        class_names: The names of the classes, in the order of the labels; `None` where there is no label.

    Raises:
        ConfigError: If the package is not installed, or options contradict each other.
        DataError: If the dataset, split or column is missing, or holds what is no sample; the message says what is there.

    References:
        Datasets: A Community Library for Natural Language Processing (Lhoest et al., 2021)
        https://arxiv.org/abs/2109.02846
    """

    preparations = TaggedPreparation

    def __init__(
        self,
        path: str | Path,
        *,
        image: str | None = None,
        columns: Annotated[list[str], Field(min_length=1)] | None = None,
        label: str | None = None,
        config: str | None = None,
        split: str | None = None,
        revision: str | None = None,
        size: Side | tuple[Side, Side] | None = None,
        mode: Mode = "RGB",
        layout: Layout = "auto",
        scaling: Literal["auto", "none"] = "auto",
        streaming: bool = False,
        limit: Annotated[int, Field(gt=0, le=1_000_000_000_000)] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__()
        if streaming and limit is None:
            raise ConfigError(
                "streaming keeps samples in memory and needs a limit. Set the option limit, such as 10000."
            )
        if image is not None and columns is not None:
            raise ConfigError("The options image and columns exclude each other. Give one of them.")
        where = Path(path)
        rows, parts = open_rows(Request(path, config, split, revision, streaming, limit, download))
        self.official_split = None if parts is None else torch.tensor(parts)
        self.class_names, self.labels = class_labels(rows, label, where)
        picture, names = chosen(rows, image, columns, label, where)
        sides = (size, size) if isinstance(size, int) else size
        self._reader: Reader = (
            NumberReader(rows, names, layout, scaling, where)
            if picture is None
            else PictureReader(rows, picture, sides, mode, where)
        )
        self._count = len(rows)
        self.data_shape = self._reader.data_shape
        self.value_range = self._reader.value_range
        self.preparation = TaggedPreparation(self._reader.preparation)

    def __len__(self) -> int:
        return self._count

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._reader.read(checked(indices, len(self)))
