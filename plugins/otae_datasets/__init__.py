"""Datasets: files of NumPy, IDX and HDF5, tables, folders of pictures, and points and pictures that need no file."""

from __future__ import annotations

from .arrays import Arrays
from .celeba import CelebA
from .digits import Digits
from .dsprites import DSprites
from .idx import Idx
from .images import Images
from .manifolds import Manifolds
from .shapes3d import Shapes3D
from .sprites import Sprites
from .table import Table

__all__ = ["Arrays", "CelebA", "DSprites", "Digits", "Idx", "Images", "Manifolds", "Shapes3D", "Sprites", "Table"]
