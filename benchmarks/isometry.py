"""What an isometry could disentangle: codes that keep the distances of the data, before and after independent components.

python benchmarks/isometry.py

The codes are found without a network: they minimise the mean |‖z_i − z_j‖ − ‖φ(x_i) − φ(x_j)‖|, the
Gromov-Wasserstein cost of a given coupling, from the start of classical scaling, whose axes are principal. Any rotation of
them does as well; an independent prior that they match fixes it, and independent component analysis finds what it can.
φ are the pixels, or pixels that are blurred.
Writes results/isometry.json.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import torch
from sides import machine
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor
from torch.nn import functional as F

import otae
from otae.interfaces import Dataset, Factors, Samples, Specimen
from otae_metrics import DCI, MIG

RESULT = Path(__file__).parent / "results/isometry.json"
TRAIN, TEST = 800, 800


def blur(x: Tensor, width: float) -> Tensor:
    """Returns pictures, smoothed by a Gaussian; black lies around them.

    Args:
        x: Pictures, with shape (N, C, H, W).
        width: The Gaussian's standard deviation in pixels; 0 leaves them as they are.
    """
    if width == 0:
        return x
    reach = int(3 * width) + 1
    kernel = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * width**2))
    rows = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)
    across = F.conv2d(x, rows, padding=(0, reach), groups=x.shape[1])
    return F.conv2d(across, rows.transpose(2, 3), padding=(reach, 0), groups=x.shape[1])


def embed(points: Tensor, size: int, steps: int = 300) -> tuple[Tensor, float]:
    """Returns codes whose distances are near those of points, and the mean gap as a share of the mean distance.

    Args:
        points: The points, with shape (N, D).
        size: The number of dimensions of the codes.
        steps: The number of steps of descent, each on all pairs of 256 points.
    """
    distances = torch.cdist(points, points)
    scale, count = float(distances.mean()), len(points)
    centre = torch.eye(count) - 1 / count
    values, vectors = torch.linalg.eigh(-0.5 * centre @ distances.square() @ centre)
    codes = (vectors[:, -size:] * values[-size:].clamp_min(0).sqrt()).requires_grad_()
    optimizer = torch.optim.Adam([codes], lr=0.02 * scale)
    falling = torch.optim.lr_scheduler.MultiStepLR(optimizer, [int(0.7 * steps)])
    draws = torch.Generator().manual_seed(0)
    for _ in range(steps):
        some = torch.randint(count, (256,), generator=draws)
        gaps = (codes[some][:, None] - codes[some]).square().sum(-1).add(1e-9).sqrt() - distances[some][:, some]
        loss = gaps.abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return codes.detach(), float(loss.detach()) / scale


def figures(data: Tensor, codes: Tensor, factors: Factors) -> dict[str, float]:
    """Returns disentanglement and the information gap of codes.

    Args:
        data: The samples, with shape (N, …).
        codes: The codes, with shape (N, D).
        factors: What generated the data.
    """
    first, rest = torch.arange(TRAIN), torch.arange(TRAIN, TRAIN + TEST)
    train = Samples(data=data[first], codes=codes[first], factors=factors[first])
    specimen = Specimen(
        data=data[rest],
        codes=codes[rest],
        factors=factors[rest],
        reconstructions=data[rest],
        generations=data[rest],
        prior=codes[rest],
        train=train,
    )
    dci, mig = DCI(trees=25)(specimen), MIG()(specimen)
    return {"disentanglement": float(dci["disentanglement"]), "mig": float(mig["mig"])}


def measure(data: Dataset, width: float, size: int) -> dict[str, float]:
    """Returns the figures of an isometry, and those of its independent components.

    Args:
        data: The data.
        width: The width of the blur in pixels.
        size: The number of dimensions.
    """
    x = data.__getitems__(list(range(TRAIN + TEST)))
    assert data.factors is not None
    codes, gap = embed(blur(x, width).flatten(1), size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        parts = FastICA(whiten="unit-variance", random_state=0, max_iter=500).fit_transform(codes.numpy())
    independent = figures(x, torch.from_numpy(parts).float(), data.factors)
    return {
        "gap": gap,
        **figures(x, codes, data.factors),
        **{f"ica_{name}": value for name, value in independent.items()},
    }


def main() -> None:
    """Measures the datasets, and writes what is found."""
    torch.set_num_threads(1)
    found = {}
    for name in ("rooms", "sprites"):
        data = otae.datasets.create(name, count=TRAIN + TEST, size=16)
        for width in (0, 2, 4):
            found[f"{name}, blur {width}"] = {key: round(value, 4) for key, value in measure(data, width, 8).items()}
            print(name, width, found[f"{name}, blur {width}"], flush=True)
            table = {"machine": machine("scikit-learn"), "dimensions": 8, "figures": found}
            RESULT.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
