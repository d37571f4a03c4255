"""Encoders and decoders: for images, sequences, sets of points and data of any shape, and around modules of one's own."""

from __future__ import annotations

from .conv_decoder import ConvDecoder
from .conv_encoder import ConvEncoder
from .linear import LinearDecoder, LinearEncoder
from .mlp_decoder import MLPDecoder
from .mlp_encoder import MLPEncoder
from .pretrained import PretrainedDecoder, PretrainedEncoder
from .resnet_decoder import ResNetDecoder
from .resnet_encoder import ResNetEncoder
from .sequence_decoder import SequenceDecoder
from .sequence_encoder import SequenceEncoder
from .set_decoder import SetDecoder
from .set_encoder import SetEncoder

__all__ = [
    "ConvDecoder",
    "ConvEncoder",
    "LinearDecoder",
    "LinearEncoder",
    "MLPDecoder",
    "MLPEncoder",
    "PretrainedDecoder",
    "PretrainedEncoder",
    "ResNetDecoder",
    "ResNetEncoder",
    "SequenceDecoder",
    "SequenceEncoder",
    "SetDecoder",
    "SetEncoder",
]
