"""Trained models from the Hugging Face Hub; `huggingface_hub` is imported when something is asked of it."""

from __future__ import annotations

from .address import PREFIX, Address, parse_address
from .pulling import pull

__all__ = ["PREFIX", "Address", "parse_address", "pull"]
