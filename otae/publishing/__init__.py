"""Runs as folders for others: with a model card, for the Hub."""

from __future__ import annotations

from .folder import write_folder
from .pushing import push

__all__ = ["push", "write_folder"]
