"""Encoders and decoders: fully connected ones for data of any shape, convolutional ones for images."""

from __future__ import annotations

from .conv_decoder import ConvDecoder
from .conv_encoder import ConvEncoder
from .mlp_decoder import MLPDecoder
from .mlp_encoder import MLPEncoder

__all__ = ["ConvDecoder", "ConvEncoder", "MLPDecoder", "MLPEncoder"]
