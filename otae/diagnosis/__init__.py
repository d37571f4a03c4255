"""What there is on this machine, what is wrong with it, and the cure."""

from __future__ import annotations

from .finding import Finding
from .survey import diagnose

__all__ = ["Finding", "diagnose"]
