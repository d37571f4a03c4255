"""The processes of a training: one, those of this machine, or those of several, as one object to the engine."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count

import torch
from torch import distributed as dist

from ..config import TrainingConfig
from ..errors import Followed, OtaeError, ProcessError
from ..faults import blaming
from ..run import Run
from .exchange import Exchange
from .failure import Failure
from .launch import Child, launch
from .meeting import PATIENCE, Meeting
from .placement import Placement, find_placement

_NUMBERS = count()
_INTERVAL, _GRACE, _HEARING = 1.0, 15.0, 10.0


class Processes:
    """Creates the processes of one training, as one of them sees them.

    Args:
        placement: The place of this one.
    """

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        self.exchange = Exchange(placement)
        self._meeting: Meeting | None = None
        self._children: list[Child] = []

    @classmethod
    def find(cls, training: TrainingConfig) -> Processes:
        """Returns the processes that the environment and the configuration ask for, this one as yet alone.

        Args:
            training: The training section.

        Raises:
            ConfigError: If these do not fit each other.
        """
        return cls(find_placement(training))

    @property
    def count(self) -> int:
        """Returns their number."""
        return self.placement.world

    @property
    def leads(self) -> bool:
        """Returns whether this is the first one, which alone writes and tells."""
        return self.placement.rank == 0

    @property
    def follows(self) -> bool:
        """Returns whether this one was started by others than the first one, and waits for what that one says."""
        return self.placement.rank > 0

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Holds, for the first process, whatever others have started wait for: a run, its end, or a failure."""
        if self.count == 1 or not self.placement.address:
            yield
            return
        meeting = self._meet()
        try:
            yield
            meeting.say("end")
        except BaseException as error:
            self._tell(error)
            raise
        finally:
            meeting.part(_HEARING)

    @contextmanager
    def following(self) -> Iterator[Run]:
        """Holds, for a process that only follows, the run that the first process announces, until that one has ended all.

        Raises:
            Followed: If a process fails.
        """
        meeting = self._meet()
        try:
            yield Run(meeting.wait("run"))
            meeting.wait("end")
        except BaseException as error:
            raise self._translate(self._tell(error), error) from error
        finally:
            with suppress(ProcessError, dist.DistError):
                meeting.part(0)

    def announce(self, run: Run) -> None:
        """Tells the others which run is trained.

        Args:
            run: The run.
        """
        if self._meeting is not None:
            self._meeting.say("run", str(run.path.absolute()))

    @contextmanager
    def running(self, run: Run) -> Iterator[None]:
        """Holds the processes together for as long as the context lasts: a failure of one ends all, and none waits forever.

        Args:
            run: The run.

        Raises:
            Followed: In a process that is not the first one, if another failed.
        """
        if self.count == 1:
            yield
            return
        left = threading.Event()
        try:
            self._meet()
            if self.placement.launches:
                self._launch(run)
            threading.Thread(target=self._watch, args=(left,), daemon=True).start()
            with blaming():
                yield
        except BaseException as error:
            told = self._tell(error)
            left.set()
            self._leave()
            raise self._translate(told, error) from error
        finally:
            left.set()
            self._leave()
            for child in self._children:
                child.end()
            self._children = []

    def join(self, gpu: bool) -> None:
        """Joins all processes into one group, once each of them is here.

        Args:
            gpu: Whether they train on GPUs.
        """
        if self.count == 1:
            return
        meeting, here = self._meet(), self.placement
        started = here.launches and here.nodes == 1
        if gpu:
            self.exchange.device = torch.device("cuda", here.local_rank)
            torch.cuda.set_device(self.exchange.device)
        meeting.gather(self._require_children, float("inf") if started else PATIENCE)
        kind = "nccl" if gpu else "gloo"
        dist.init_process_group(kind, store=meeting.store, rank=here.rank, world_size=here.world)

    def _meet(self) -> Meeting:
        if self._meeting is None:
            if self.placement.number is None:
                self.placement = replace(self.placement, number=next(_NUMBERS))
            self._meeting = Meeting(self.placement)
        return self._meeting

    def _launch(self, run: Run) -> None:
        place = self.placement
        if not place.address:
            place = replace(place, address="127.0.0.1", port=self._meet().port)
        self._children = launch(run.path, run.memory, place)

    def _require_children(self) -> None:
        for child in self._children:
            child.require_alive()

    def _tell(self, error: BaseException) -> Failure:
        """Returns the failure that ended the training: that of another process, if its end was the cause of this error."""
        own = Failure.of(error, self.placement.rank)
        if self._meeting is None or isinstance(error, Followed):
            return own
        with suppress(ProcessError, dist.DistError):
            if _is_collective(error):
                with suppress(TimeoutError, OtaeError, KeyboardInterrupt):
                    self._meeting.wait("failure", self._require_children, _HEARING)
                try:
                    self._require_children()
                except ProcessError as silent:
                    return self._meeting.tell(silent)
            return self._meeting.tell(error)
        return own

    def _translate(self, told: Failure, error: BaseException) -> BaseException:
        """Returns what this process raises for a failure."""
        if isinstance(error, Followed):
            return error
        if self.leads:
            return told.as_error() if _is_collective(error) else error
        if told.rank != self.placement.rank or self.placement.started or self._is_heard():
            return told.as_followed()
        return error

    def _is_heard(self) -> bool:
        """Returns whether the first process has taken notice of the failure here."""
        try:
            self._meet().wait("heard", patience=_HEARING)
        except (TimeoutError, OtaeError):
            return False
        return True

    def _leave(self) -> None:
        if self.leads and self._meeting is not None:
            with suppress(ProcessError, dist.DistError):
                self._meeting.say("heard")
        if dist.is_initialized():
            dist.destroy_process_group()

    def _watch(self, left: threading.Event) -> None:
        """Ends this process where another has failed, and this one cannot leave what it waits for."""
        assert self._meeting is not None
        while not left.wait(_INTERVAL):
            try:
                failure = self._meeting.find_failure()
                self._require_children()
            except ProcessError as error:
                failure = Failure.of(error, self.placement.rank)
            if failure is not None and not left.wait(_GRACE):
                if self.leads:
                    print(f"Error: {failure.text}", file=sys.stderr, flush=True)
                os._exit(failure.status)


def _is_collective(error: BaseException) -> bool:
    """Returns whether an error arose while processes exchanged tensors."""
    if isinstance(error, OtaeError | KeyboardInterrupt):
        return False
    return any("distributed" in frame.filename for frame in traceback.extract_tb(error.__traceback__))
