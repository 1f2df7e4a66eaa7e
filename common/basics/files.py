"""Write files atomically, lock folders, and make new ones."""

import os
from contextlib import contextmanager, suppress
from itertools import chain, count

from filelock import FileLock, Timeout, has_fcntl, lock_descriptor

from common.basics.errors import MachineError, UserError


@contextmanager
def atomic_write(path, before=None):
    """Yield a temporary path to write to; it is renamed to `path` at the end.

    If the process is killed, the old file is unchanged, and the temporary file, whose
    name starts with a dot, is left in the same folder. After an error it is removed.

    Args:
        path: Path of the file.
        before: Path that the old file is renamed to; None: the old file is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)  # left by a killed process, or a symbolic link
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if before and path.exists():
            back_up(path, before)
        temporary.replace(path)
    except BaseException as error:  # includes Ctrl-C
        temporary.unlink(missing_ok=True)
        if before and before.exists() and not path.exists():  # between the two renames
            before.replace(path)
        if isinstance(error, OSError):
            add_file_name(error, path)
        raise
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder
        with folder_descriptor(path.parent) as folder:  # makes the new name durable
            os.fsync(folder)


def add_file_name(error, path):
    """Add the file's name to an OSError; the texts of HDF5 contain memory addresses."""
    if error.errno is None:
        text = f"{path} cannot be written, perhaps the disk is full: make room"
        raise MachineError(f"{text}; saved files are kept") from None
    error.strerror = os.strerror(error.errno)
    error.filename = error.filename or str(path)


def back_up(path, other):
    """Add the name `other` to a file by a hard link; rename it if links fail."""
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
        with folder_descriptor(folder) as handle:
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
def folder_descriptor(folder):
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
    """Raise a UserError if a folder, the value of `option`, exists or cannot be made."""
    if folder.exists():
        raise UserError(f"{option} {folder} already exists: choose a new folder")
    try:
        with new_folders(folder, keep=False):
            pass
    except OSError as error:
        reason = f"{error.strerror}; choose another folder"
        raise UserError(f"{option} {folder} cannot be created: {reason}") from None


def new_path(path):
    """Return a path, or the first of `name_2`, `name_3`, ... that does not exist."""
    others = (path.with_stem(f"{path.stem}_{number}") for number in count(2))
    return next(other for other in chain([path], others) if not other.exists())
