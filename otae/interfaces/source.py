"""The place that a dataset's files are fetched from, and the folder that they are kept in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Download:
    """Creates one file to fetch.

    Args:
        url: Where it is: `https://…`, `http://…` or `file://…`.
        path: Where it goes, relative to the data folder, such as `MNIST/raw/train-images-idx3-ubyte.gz`.
        digest: Its checksum, as `sha256:…` or `md5:…`; `None` where nobody published one.
        size: Its size in bytes, or `None` where it is not known.
    """

    url: str
    path: str
    digest: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Source:
    """Creates a collection of files that `otae data fetch` gets; a dataset names it in its `sources`.

    Args:
        name: The name to fetch it by, such as `fashion-mnist`.
        about: What it is, in a sentence.
        page: The page of those who made it, with its terms.
        files: The files.
        by_hand: What to do where no program may fetch it: it then has no files.
    """

    name: str
    about: str
    page: str
    files: tuple[Download, ...] = ()
    by_hand: str = ""


def data_folder() -> Path:
    """Returns the folder that fetched data are kept in: that of the environment variable `OTAE_DATA`, or else `data`."""
    return Path(os.environ.get("OTAE_DATA") or "data").expanduser().absolute()
