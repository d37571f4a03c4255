"""The report of a run: its pictures, and one self-contained page."""

from __future__ import annotations

from .page import write_report

__all__ = ["write_report"]
