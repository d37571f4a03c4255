"""Measuring side by side: calls that take turns in one process, and calls alone in fresh ones, some with a time limit."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def clock() -> float:
    """Returns the time: the processor's on one thread, which other processes do not disturb, the wall's otherwise."""
    single = torch.get_num_threads() == 1 and not torch.cuda.is_available()
    return time.process_time() if single else time.perf_counter()


def medians(calls: Mapping[str, Callable[[], object]], repetitions: int, warm: bool = True) -> dict[str, float]:
    """Returns the median time of each call in seconds; they take turns, after one call each to warm up.

    Args:
        calls: The calls by their names.
        repetitions: The number of timed calls of each.
        warm: Whether to call each once before.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repetitions + warm):
        for name, call in calls.items():
            start = clock()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if turn >= warm:
                times[name].append(clock() - start)
    return {name: statistics.median(spent) for name, spent in times.items()}


def own_peak(call: Callable[[], object]) -> float:
    """Returns by how many megabytes a call raises this process's peak of memory; Linux only.

    Args:
        call: What is called.
    """
    before = _peak()
    call()
    return (_peak() - before) / 1024


def fresh_peak(script: str, *arguments: str) -> float:
    """Returns the last number that a script prints in a fresh process.

    Args:
        script: The script's path.
        *arguments: Its arguments.
    """
    return fresh_numbers(script, *arguments)[-1]


def fresh_numbers(script: str, *arguments: str) -> list[float]:
    """Returns the numbers on the last line that a script prints in a fresh process.

    Args:
        script: The script's path.
        *arguments: Its arguments.
    """
    command = [sys.executable, script, *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in printed.splitlines()[-1].split()]


def alone(call: Callable[[], object]) -> dict[str, float]:
    """Returns the seconds of a call, and by how many megabytes it raises this process's peak of memory; Linux only.

    Args:
        call: What is called.
    """
    start = clock()
    megabytes = own_peak(call)
    return {"seconds": clock() - start, "megabytes": megabytes}


def attempt(limit: float | None, script: str, *arguments: str) -> dict[str, Any]:
    """Returns the figures that a script prints last, as JSON, in a fresh process, or why there are none.

    Args:
        limit: The seconds after which the process is stopped; none where `None`.
        script: The script's path.
        *arguments: Its arguments.
    """
    command, threads = [sys.executable, script, *arguments], {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    try:
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=limit, env={**os.environ, **threads}
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"did not end within {limit:.0f} s"}
    except subprocess.CalledProcessError as error:
        return {"failed": (error.stderr.splitlines() or [f"stopped by signal {-error.returncode}"])[-1]}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def machine(*packages: str) -> dict[str, Any]:
    """Returns what the figures depend on: the processor, the threads, and versions.

    Args:
        *packages: Distributions beside torch.
    """
    models = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in ("torch", *packages)},
    }


def save(path: Path | None, found: Mapping[str, Any]) -> None:
    """Writes figures as JSON, where a path is given.

    Args:
        path: The file.
        found: The figures.
    """
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _peak() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
