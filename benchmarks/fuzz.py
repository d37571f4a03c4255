"""Mutated configurations in number: each must be fine, or refused by one sentence with status 2.

python benchmarks/fuzz.py [--count 10000] [--commands 300] [--seed 1]

Recipes and the parts of the tests are mutated: values are replaced by odd ones of every type, taken out, or set beside, and the
optimisers and schedulers get options of one another. `--count` of them are loaded, split, built, rehearsed as before each
training, and take one step of the optimiser in this process; `--commands` more go through the command line, each in a process
of its own. A configuration that takes 90 seconds of the processor is told as a hang; one that trains for two minutes through
the command line is stopped by SIGTERM, and must end by it. Memory is limited to 12 GiB. Appends what was neither to
results/fuzz_failures.jsonl, and writes results/fuzz.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from sides import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from configurations import mutate
from fakes import EXPERIMENT, FAKES

import otae
from otae.build import Shape, build
from otae.cli import main
from otae.cli.environment import describe_fault
from otae.errors import OtaeError
from otae.faults import blaming
from otae.optimizers import check_length
from otae.splits import draw_splits, open_data
from otae.training import seeded
from otae.training.batches import Batches
from otae.training.module import Engine
from otae.training.readiness import check_single_samples
from otae.training.rehearsal import rehearse

RESULTS = Path(__file__).parent / "results"
RECIPES = ("gwae", "gwae-mixture", "wae-mmd", "swae", "sinkhorn-ae", "vae", "vamp-vae", "gw-ae", "aae")
SECONDS, PATIENCE, MEMORY = 90, 120, 12 * 2**30


class Hang(BaseException):
    """Raised when a configuration takes too long."""


@contextmanager
def limiting(seconds: int) -> Iterator[None]:
    """Raises `Hang` where the context takes more of the processor's time."""

    def ring(*_: object) -> None:
        raise Hang

    former = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)


def step(values: Any) -> None:
    """Loads a configuration, goes through all checks before a training, and takes one step of its optimiser."""
    experiment = otae.load_config(values)
    with seeded(experiment.seed), blaming():
        dataset = open_data(experiment)
        make = partial(build, experiment, Shape(dataset.data_shape, dataset.value_range))
        splits = draw_splits(dataset, experiment.data, experiment.seed)
        train = Batches(dataset, splits.train, experiment.data.batch_size, experiment.seed)
        check_length(experiment.training, len(train))
        check_single_samples(make(), {"train": train})
        rehearse(make, dataset, train.indices[: -(-len(train.indices) // len(train))].tolist())
        parts = make()
        optimizers, _ = Engine(parts, experiment.training, experiment.seed).configure_optimizers()
        batch = dataset.__getitems__(train.indices[:8].tolist())
        parts.objective(parts.model, batch).total.backward()
        optimizers[0].step()


def try_out(values: Any) -> tuple[str, str]:
    """Returns what a configuration came to, in a word and in its message."""
    try:
        with limiting(SECONDS):
            step(values)
    except OtaeError as error:
        return "refused", str(error)
    except Hang:
        return "hang", ""
    except Exception as error:
        told = describe_fault(error)
        return ("refused", told) if told else ("traceback", f"{type(error).__name__}: {error}")
    return "fine", ""


def command(values: Any, folder: Path) -> tuple[str, str]:
    """Returns what a configuration came to through the command line, in a process of its own."""
    path, told = folder / "mutant.yaml", folder / "told.txt"
    path.write_text(yaml.safe_dump(values, allow_unicode=True))
    child = os.fork()
    if not child:
        with told.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.argv = ["otae", "train", str(path), "-q", "--no-report", "--no-evaluation", "-o", str(folder / "run")]
        status = 0
        try:
            main()
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else 1
        except BaseException:
            status = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    status, stopped = wait(child)
    text = told.read_text(errors="replace")
    sentence = "Traceback" not in text and "Unexpected error" not in text
    if status == 2 and sentence:
        return "refused", text
    if status == 0 or (stopped and status in (143, -signal.SIGTERM)):
        return ("stopped" if stopped else "fine"), text
    return ("diverged" if status == 1 and sentence else f"status {status}"), text


def wait(child: int) -> tuple[int, bool]:
    """Returns the exit status of a process, and whether it had to be stopped."""
    for tick in range(10 * 2 * PATIENCE):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), tick >= 10 * PATIENCE
        if tick == 10 * PATIENCE:
            os.kill(child, signal.SIGTERM)
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -9, True


def bases() -> list[Any]:
    """Returns the configurations to mutate."""
    small = {"training": {"epochs": 1, "threads": 1}}
    found = [{**EXPERIMENT, **small}]
    for name in RECIPES:
        values = otae.load_config(name).to_dict()
        found.append({**values, "training": {**values["training"], **small["training"], "accelerator": "cpu"}})
    return found


def main_() -> None:
    """Runs the fuzz, and writes what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--commands", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for registry, name, part in FAKES:
        registry.register(name, part)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    random, started, all_of_them = np.random.default_rng(options.seed), time.process_time(), bases()
    outcomes: dict[str, Counter[str]] = {"in process": Counter(), "command line": Counter()}
    longest = 0
    with tempfile.TemporaryDirectory() as folder, (RESULTS / "fuzz_failures.jsonl").open("a") as failures:
        for number in range(options.count + options.commands):
            values = mutate(random, all_of_them[random.integers(len(all_of_them))])
            inside = number < options.count
            if inside:
                word, told = try_out(values)
            else:
                home = Path(folder) / str(number)
                home.mkdir()
                word, told = command(values, home)
            outcomes["in process" if inside else "command line"][word] += 1
            longest = max(longest, len(told))
            if word not in ("fine", "refused", "stopped") or (word == "refused" and len(told) > 4200):
                failures.write(
                    json.dumps({"outcome": word, "told": told[-2000:], "values": values}, default=str) + "\n"
                )
                failures.flush()
            if number % 100 == 0:
                print(number, {name: dict(each) for name, each in outcomes.items()}, flush=True)
    result = {
        "machine": machine(),
        "seed": options.seed,
        "outcomes": {name: dict(each) for name, each in outcomes.items()},
        "longest message": longest,
        "processor seconds in process": round(time.process_time() - started),
    }
    (RESULTS / "fuzz.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main_()
