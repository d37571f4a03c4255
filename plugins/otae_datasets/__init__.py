"""Datasets: files of NumPy, IDX, HDF5 and Hugging Face, tables, folders of pictures, and points and pictures without files."""

from __future__ import annotations

from .arrays import Arrays
from .celeba import CelebA
from .cells import Cells
from .digits import Digits
from .dsprites import DSprites
from .hf import HF
from .idx import Idx
from .images import Images
from .manifolds import Manifolds
from .memory import Memory
from .mnist5k import MNIST5k
from .proteins import Proteins
from .rooms import Rooms
from .shapes3d import Shapes3D
from .sprites import Sprites
from .table import Table

__all__ = [
    "Arrays",
    "Cells",
    "CelebA",
    "DSprites",
    "Digits",
    "HF",
    "Idx",
    "Images",
    "MNIST5k",
    "Manifolds",
    "Memory",
    "Proteins",
    "Rooms",
    "Shapes3D",
    "Sprites",
    "Table",
]
