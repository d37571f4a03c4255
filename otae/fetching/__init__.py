"""Fetching: the files that datasets name, checked, resumed and whole; training never fetches any."""

from __future__ import annotations

from .download import Progress, digest_of, fetch
from .sources import Entry, entries, entry

__all__ = ["Entry", "Progress", "digest_of", "entries", "entry", "fetch"]
