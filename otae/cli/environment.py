"""Faults of the environment in words: a full disk or a folder that cannot be written is no defect of otae."""

from __future__ import annotations

import errno

from ..errors import NO_MEMORY, NO_SHARED_MEMORY

_CURES = {
    errno.ENOSPC: "the disk is full. Free some space",
    errno.EDQUOT: "your disk quota is used up. Free some space",
    errno.EROFS: "the file system is read-only. Choose another folder",
    errno.EACCES: "permission is denied. Change its permissions, or choose another folder",
    errno.EPERM: "the operation is not permitted. Change its permissions, or choose another folder",
    errno.EIO: "the device reports an error of its own. Look after the disk",
    errno.EMFILE: "too many files are open. Raise the limit by `ulimit -n`, or lower data.workers",
    errno.ENFILE: "too many files are open on this machine. Close some",
    errno.ENOMEM: "there is no memory left. Lower data.batch_size or data.workers",
    errno.EAGAIN: "no further process or thread can be started. Lower data.workers",
    errno.EFBIG: "the file grows too large for this file system. Choose another folder",
    errno.ENAMETOOLONG: "the name is too long for this file system. Choose a shorter one",
    errno.ESTALE: "the network file system lost it. Mount it again",
    errno.ENOENT: "it is not there. Give one that is, and look at TMPDIR if this is a temporary folder",
    errno.ENOTDIR: "a part of its path is no folder. Choose another",
    errno.EEXIST: "it is there already. Choose another",
    errno.EISDIR: "it is a folder. Choose another",
    errno.ELOOP: "its links lead in a circle. Mend them",
}


_WORKERS = ("DataLoader worker", *NO_SHARED_MEMORY)
_WRITING = ("PytorchStreamWriter failed", "unexpected pos", "file write failed")


def describe_fault(error: BaseException) -> str | None:
    """Returns what is wrong with the environment and how to mend it, or `None` where the fault is not the environment's.

    Args:
        error: The error.
    """
    if isinstance(error, OSError) and error.errno in _CURES:
        what = f"{error.filename}: " if error.filename else ""
        return f"{what}{_CURES[error.errno]}, and start again; a run that had begun goes on with `otae resume`."
    text = str(error)
    if isinstance(error, MemoryError) or any(each in text for each in NO_MEMORY):
        return "There is not enough memory. Lower data.batch_size or the size of the networks."
    if any(each in text for each in _WORKERS):
        return (
            "A process that reads ahead died, most likely for want of memory or of shared memory (/dev/shm), or because a file "
            "was cut while it was read. Lower data.workers, or set it to 0, and start again or go on with `otae resume`."
        )
    if any(each in text for each in _WRITING):
        return "A file could not be written whole: the disk is full, or the file too large. Free some space, and start again."
    return None
