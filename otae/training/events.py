"""TensorBoard's events of a run, cut at a step so that a resumed run has each step once."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter

_HEADER, _FOOTER = 12, 4  # the length and its checksum before a record, the record's checksum after it


def keep_events(folder: Path, step: int) -> None:
    """Removes the events after a step, and what was written of one when a process died.

    Args:
        folder: The folder of the event files.
        step: The last step to keep; 0 removes all.
    """
    for path in sorted(folder.glob("events.out.tfevents.*")):
        kept = [record for record in _records(path) if _step(record) <= step] if step else []
        if not kept:
            path.unlink()
            continue
        draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        with draft.open("wb") as file:
            writer = RecordWriter(file)
            for record in kept:
                writer.write(record)
        draft.replace(path)


def _step(record: bytes) -> int:
    return int(Event.FromString(record).step)


def _records(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while len(header := file.read(_HEADER)) == _HEADER:
            (size,) = struct.unpack("<Q", header[:8])
            if size > path.stat().st_size:
                return
            record = file.read(size)
            if len(record) < size or len(file.read(_FOOTER)) < _FOOTER:
                return
            yield record
