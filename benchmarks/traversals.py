"""What each dimension of a code changes: one point of a study is trained, and drawn to a picture.

python benchmarks/traversals.py examples/studies/rooms.yaml "gwae, factorized" docs/images/traversals_rooms_factorized.png

Each row starts from the same test picture (left) and moves one dimension over the middle 90 % of the codes' values.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from disentanglement import Held, train
from PIL import Image
from torch import Tensor

from otae import Autoencoder
from otae.build import open_dataset
from otae.splits import split
from otae.study.declaration import read_declaration
from otae.study.points import expand

STEPS, ENLARGED = 9, 3


@torch.no_grad()
def traverse(model: Autoencoder, x: Tensor) -> Tensor:
    """Returns pictures with shape (D, 1 + STEPS, C, H, W): the reconstruction of the first sample, and its changes.

    Args:
        model: The autoencoder.
        x: Samples, with shape (N, C, H, W).
    """
    codes = model.encode(x)
    levels = codes.quantile(torch.linspace(0.05, 0.95, STEPS), dim=0)  # (STEPS, D)
    base = codes[0].repeat(codes.shape[1], STEPS + 1, 1)  # (D, STEPS + 1, D)
    for dimension in range(codes.shape[1]):
        base[dimension, 1:, dimension] = levels[:, dimension]
    pictures = model.decode(base.flatten(0, 1))
    return pictures.reshape(*base.shape[:2], *pictures.shape[1:])


def draw(pictures: Tensor, path: Path) -> None:
    """Writes rows of pictures to a file.

    Args:
        pictures: The pictures, with shape (R, N, 3, H, W).
        path: The file.
    """
    framed = torch.nn.functional.pad(pictures, (1, 1, 1, 1), value=1.0)
    rows, count, _, height, width = framed.shape
    sheet = framed.permute(0, 3, 1, 4, 2).reshape(rows * height, count * width, 3)
    image = Image.fromarray((255 * sheet.clamp(0, 1)).byte().numpy())
    path.parent.mkdir(parents=True, exist_ok=True)
    image.resize((ENLARGED * image.width, ENLARGED * image.height), Image.Resampling.NEAREST).save(path)


def main() -> None:
    """Trains the point with seed 0, and writes its picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("variant")
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    points = expand(read_declaration(given.study, {"seeds": [0]}))
    experiment = next(each.experiment for each in points if each.variant == given.variant)
    data = Held(open_dataset(experiment))
    parts = split(len(data), experiment.data, experiment.seed)
    model, _, _ = train(experiment, data, parts.train)
    draw(traverse(model, data.points[parts.test]), given.picture)


if __name__ == "__main__":
    main()
