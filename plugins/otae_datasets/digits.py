"""The handwritten digits of scikit-learn, which need no download."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from otae.interfaces import Dataset


class Digits(Dataset):
    """Creates the 1797 handwritten digits that come with scikit-learn: 8×8 grey pixels in [0, 1], labels 0 to 9.

    References:
        Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998)
        https://doi.org/10.24432/C50P49

    Examples:
        >>> digits = Digits()
        >>> len(digits), digits.data_shape
        (1797, (1, 8, 8))
    """

    def __init__(self) -> None:
        super().__init__()
        from sklearn.datasets import load_digits  # two seconds that the other datasets need not wait for

        digits = load_digits()
        self._samples = torch.as_tensor(digits.images, dtype=torch.float32).div(16).unsqueeze(1)
        self.labels = torch.as_tensor(digits.target, dtype=torch.int64)
        self.data_shape = tuple(self._samples.shape[1:])
        self.value_range = (0.0, 1.0)
        self.class_names = tuple(str(name) for name in digits.target_names)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Tensor:
        return self._samples[index].clone()

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        return self._samples[torch.as_tensor(indices)]
