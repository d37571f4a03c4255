"""Where the processes of a training meet: who has come, what the first one says, and which failure ended all of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

from torch import distributed as dist
from torch._C._distributed_c10d import PrefixStore, TCPStore

from ..errors import ProcessError
from .failure import Failure
from .placement import Placement

PATIENCE = 300.0
"""The seconds that processes which others start are waited for."""
_PAUSE = 0.05
_STORE = timedelta(seconds=PATIENCE)


class Meeting:
    """Creates the place where the processes of one training meet.

    Args:
        placement: The place of this process; the first one holds what is said.
    """

    def __init__(self, placement: Placement) -> None:
        self.rank, self.world = placement.rank, placement.world
        holds = placement.rank == 0 and not placement.agent
        try:
            self._all = TCPStore(
                placement.address or "127.0.0.1",
                placement.port,
                is_master=holds,
                timeout=_STORE,
                wait_for_workers=False,
            )
        except (dist.DistStoreError, dist.DistNetworkError) as error:
            where = f"{placement.address}:{placement.port}"
            raise ProcessError(
                f"Process {self.rank} did not meet the first one at {where}: {str(error).splitlines()[0]} Start all "
                f"{self.world} processes together, and let {where} be free and within reach."
            ) from error
        self.port = self._all.port
        self.store = PrefixStore(f"otae-{placement.number}", self._all)

    def say(self, key: str, text: str = "") -> None:
        """Says something to all.

        Args:
            key: What it is about.
            text: What is said.
        """
        self.store.set(key, text)

    def hear(self, key: str) -> str | None:
        """Returns what was said, or `None` where nothing was.

        Args:
            key: What it is about.

        Raises:
            ProcessError: If the process that holds what is said is gone.
        """
        try:
            return self.store.get(key).decode() if self.store.check([key]) else None
        except dist.DistError as error:
            raise ProcessError("The first process of the training is gone.") from error

    def wait(self, key: str, check: Callable[[], None] = lambda: None, patience: float = float("inf")) -> str:
        """Returns what is said, once it is.

        Args:
            key: What it is about.
            check: What is called in between, and raises where it is hopeless.
            patience: The seconds to wait at most.

        Raises:
            Followed: If another process fails meanwhile.
            TimeoutError: If it takes longer.
        """
        end = time.monotonic() + patience
        while (said := self.hear(key)) is None:
            if (failure := self.find_failure()) is not None:
                raise failure.as_followed() if self.rank else failure.as_error()
            check()
            if time.monotonic() > end:
                raise TimeoutError(key)
            time.sleep(_PAUSE)
        return said

    def gather(self, check: Callable[[], None], patience: float) -> None:
        """Waits until all processes are here.

        Args:
            check: As for `wait`.
            patience: The seconds to wait at most.

        Raises:
            ProcessError: If some do not come.
        """
        self.say(f"here-{self.rank}")
        for rank in range(self.world):
            try:
                self.wait(f"here-{rank}", check, patience)
            except TimeoutError as error:
                missing = [each for each in range(self.world) if self.hear(f"here-{each}") is None]
                raise ProcessError(
                    f"Of the {self.world} processes of the training, these did not come within {patience:.0f} s: "
                    f"{', '.join(map(str, missing))}. Under SLURM, start them by `srun otae train …`; a batch job of one "
                    "process needs --ntasks=1."
                ) from error

    def part(self, patience: float) -> None:
        """Takes leave; the first process, which holds what is said, waits for the others to do so.

        Args:
            patience: The seconds to wait at most.
        """
        self.say(f"bye-{self.rank}")
        end = time.monotonic() + patience
        while self.rank == 0 and time.monotonic() < end:
            if all(self.hear(f"bye-{rank}") is not None for rank in range(self.world)):
                return
            time.sleep(_PAUSE)

    def tell(self, error: BaseException) -> Failure:
        """Tells all others what ended this process, unless another one has failed before, and returns what counts.

        Args:
            error: What this process raised.
        """
        own = Failure.of(error, self.rank)
        first = self.store.compare_set("failure", "", json.dumps([own.rank, own.kind, own.text, own.status]))
        return Failure(*json.loads(first))

    def find_failure(self) -> Failure | None:
        """Returns the failure that ended the training, or `None`.

        Raises:
            ProcessError: If the process that holds what is said is gone.
        """
        said = self.hear("failure")
        return None if said is None else Failure(*json.loads(said))
