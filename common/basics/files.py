"""Atomic writes, locks, and new folders."""

import os
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout, has_fcntl, lock_descriptor

from common.basics.errors import MachineError, UserError


@contextmanager
def atomic_write(path, before=None):
    """Yield a path to write to, which is renamed to `path` once it is on the disk.

    A process that is killed meanwhile leaves the old file unchanged, and beside it the
    unfinished one, whose name starts with a dot. After an error that one is removed.

    Args:
        path: Path of the file.
        before: Path that the old file is renamed to; None: it is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}")
    part.unlink(missing_ok=True)  # of a killed process, or a link to another place
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if before and path.exists():
            keep_as(path, before)
        part.replace(path)
    except BaseException as error:  # includes Ctrl-C
        part.unlink(missing_ok=True)
        if before and before.exists() and not path.exists():  # between the two renames
            before.replace(path)
        if isinstance(error, OSError):
            add_name(error, path)
        raise
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder
        with opened(path.parent) as folder:  # makes the new name durable
            os.fsync(folder)


def add_name(error, path):
    """Add the file's name to an OSError of writing; HDF5 reports addresses in memory."""
    if error.errno is None:
        raise MachineError(
            f"{path} cannot be written, perhaps the disk is full: make room; what was "
            "saved is kept"
        ) from None
    error.strerror = os.strerror(error.errno)
    error.filename = error.filename or str(path)


def keep_as(path, other):
    """Give a file a second name; rename it where the disk has no hard links."""
    link = other.with_name(f".{other.name}")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
        link.replace(other)
        link.unlink(missing_ok=True)  # replace() keeps it if both are one file
    except OSError:
        path.replace(other)


@contextmanager
def exclusive_lock(folder, wait=True):
    """Hold a lock of a folder inside this context; a killed process releases it.

    Args:
        folder: Path; on Windows a file `.lock` in it is locked.
        wait: whether to wait, with a message, until another process releases it.

    Raises:
        BlockingIOError: another process holds the lock, and `wait` is False.
    """
    if has_fcntl:
        with opened(folder) as handle:
            if not lock_descriptor(handle, blocking=False):
                _announce_wait(folder, wait)
                lock_descriptor(handle)
            yield
    else:
        lock = FileLock(folder / ".lock")
        try:
            held = lock.acquire(blocking=False)
        except Timeout:
            _announce_wait(folder, wait)
            held = lock.acquire()
        with held:
            yield


def _announce_wait(folder, wait):
    if not wait:
        raise BlockingIOError
    print(f"waiting for another process that uses {folder} ...", flush=True)


@contextmanager
def opened(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def new_folders(folder, keep=True):
    """Make a folder, and its missing parents, for use inside this context.

    After an error, those that are new and empty are removed.

    Args:
        folder: Path.
        keep: False: remove them in any case.

    Raises:
        OSError: it cannot be made.
    """
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        keep = False
        raise
    finally:
        for path in () if keep else new:
            with suppress(OSError):
                path.rmdir()


def check_new(option, folder):
    """Raise a UserError if a folder exists, or cannot be made; `option` is its option."""
    if folder.exists():
        raise UserError(f"{option} {folder} exists already: name a new folder")
    try:
        with new_folders(folder, keep=False):
            pass
    except OSError as error:
        raise UserError(f"{option} {folder}: {error.strerror}; name another") from None


def free_path(path):
    """Return a path, or the first of `name_2`, `name_3`, ... that does not exist."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}_{number}")
    return free
