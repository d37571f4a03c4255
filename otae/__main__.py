"""Runs the command line as `python -m otae`."""

from __future__ import annotations

from .cli import main

main()
