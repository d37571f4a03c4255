"""Memory and open files over a long training: 20,000 steps with an adversary, a validation and a checkpoint every 60 of them.

python benchmarks/steadiness.py [--steps 20000]

A small GWAE-like objective is trained on drawn points; every 500 steps the resident memory and the number of open files of
the process are read, after a collection. What counts is the slope of the second half: a leak of one number a step would show.
Writes results/steadiness.json.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from sides import machine
from torch import Tensor

import otae
from otae.interfaces import Dataset

RESULT = Path(__file__).parent / "results/steadiness.json"
EVERY, BATCH, SAMPLES = 500, 32, 2740
PAGE = os.sysconf("SC_PAGE_SIZE")


class Watched(Dataset):
    """Creates drawn points that read the memory of the process as they are read themselves."""

    readings: ClassVar[list[tuple[int, int, int]]] = []
    batches: ClassVar[int] = 0

    def __init__(self) -> None:
        self.points = torch.randn(SAMPLES, 16, generator=torch.Generator().manual_seed(0))
        self.data_shape = (16,)

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> Tensor:
        return self.points[index]

    def __getitems__(self, indices: Sequence[int]) -> Tensor:
        if Watched.batches % EVERY == 0:
            gc.collect()
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
            Watched.readings.append((Watched.batches, resident, len(os.listdir("/proc/self/fd"))))
            print(*Watched.readings[-1], flush=True)
        Watched.batches += 1
        return self.points[list(indices)]


def main() -> None:
    """Trains, and writes what was read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    otae.datasets.register("watched", Watched)
    length = -(-round(SAMPLES * 0.7) // BATCH)
    small = "{name: mlp, width: 16, depth: 1}"
    overrides = [
        f"data={{name: watched, batch_size: {BATCH}}}", f"model.encoder={small}", f"model.decoder={small}",
        "model.latent_dim=4", f"training.epochs={-(-steps // length)}", "training.adversary.steps=1", "training.threads=1",
        "training.accelerator=cpu", "training.early_stopping={monitor: total, patience: 1000000}",
    ]  # fmt: skip
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        run = otae.train(otae.load_config("gwae", overrides), Path(folder) / "run", evaluation=False, report=False)
        rows = len((run.path / "metrics.csv").read_text().splitlines())
        size = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    read = np.array(Watched.readings, dtype=float)
    late = read[len(read) // 2 :]
    slope = float(np.polyfit(late[:, 0], late[:, 1], 1)[0]) if len(late) > 2 else float("nan")
    result = {
        "machine": machine(),
        "steps": steps,
        "batches read": Watched.batches,
        "resident MiB": [round(each / 2**20, 1) for each in read[:, 1]],
        "open files": [int(each) for each in read[:, 2]],
        "bytes a batch in the second half": round(slope, 1),
        "rows of metrics.csv": rows,
        "run's folder in MiB": round(size / 2**20, 1),
        "processor milliseconds a step": round(1000 * (time.process_time() - started) / steps, 2),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
