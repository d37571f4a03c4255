"""Trained models in forms that other programs run: ONNX, programs of `torch.export`, plain weights."""

from __future__ import annotations

from .export import FORMATS, PARTS, Exported, export

__all__ = ["FORMATS", "PARTS", "Exported", "export"]
