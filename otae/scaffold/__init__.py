"""The first files of a plugin package, from templates."""

from __future__ import annotations

from .kinds import KINDS
from .project import Project

__all__ = ["KINDS", "Project"]
