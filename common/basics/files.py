"""Files that are written as a whole or not at all, and folders made for a result."""

import os
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout, has_fcntl, lock_descriptor

from common.basics.errors import MachineError, UserError


@contextmanager
def atomic_write(path, before=None):
    """Give a path to write to, which becomes `path` once all of it is on the disk.

    Whoever is killed meanwhile leaves the file that was there, and beside it what was
    written, with a dot before its name; after an error that vanishes.

    Args:
        path: Path of the file.
        before: Path that the file which was there becomes; None: it is replaced.
    """
    part = path.with_name(f".{path.name}")
    part.unlink(missing_ok=True)  # of who was killed, or a link to somewhere else
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if before and path.exists():
            keep_as(path, before)
        part.replace(path)
    except BaseException as error:  # Ctrl-C, too
        part.unlink(missing_ok=True)
        if before and before.exists() and not path.exists():  # it came between the two
            before.replace(path)
        if isinstance(error, OSError):
            tell_name(error, path)
        raise
    if hasattr(os, "O_DIRECTORY"):  # Windows opens no folder
        with opened(path.parent) as folder:  # the new name is on the disk when that is
            os.fsync(folder)


def tell_name(error, path):
    """Have an error of writing name the file; HDF5 tells of addresses in memory."""
    if error.errno is None:
        raise MachineError(
            f"{path} cannot be written: make room, the disk may be full; what was saved "
            "stays"
        ) from None
    error.strerror = os.strerror(error.errno)
    error.filename = error.filename or str(path)


def keep_as(path, other):
    """Give a file another name, too; where the disk has no such links, instead."""
    link = other.with_name(f".{other.name}")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
        link.replace(other)
        link.unlink(missing_ok=True)  # it stays where both were the same file already
    except OSError:
        path.replace(other)


@contextmanager
def exclusive_lock(folder, wait=True):
    """Inside, no other process is inside with this folder; a killed one is no more.

    Args:
        folder: Path; Windows locks no folder, but a file `.lock` in it.
        wait: whether to print that another process is inside, and wait for it.

    Raises:
        BlockingIOError: another process is inside, and `wait` is False.
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
    print(f"waiting for another process that works in {folder} ...", flush=True)


@contextmanager
def opened(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def new_folders(folder, keep=True):
    """Make a folder, and those above it that are missing; inside, something is put there.

    Those that are new and empty are removed after an error.

    Args:
        folder: Path.
        keep: False: remove them without an error, too.

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
    """Raise a UserError if this option of a command line cannot make this folder."""
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
