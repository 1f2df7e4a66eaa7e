"""Files that are written as a whole or not at all, and folders made for a result."""

import fcntl
import os
from contextlib import contextmanager, suppress

from common.basics.errors import MachineError, UserError


@contextmanager
def whole(path, before=None):
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
    with opened(path.parent) as folder:  # the new name is on the disk when its folder is
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
def alone_in(folder):
    """Inside, no other process is inside with this folder: whoever is second waits."""
    with opened(folder) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process that works in {folder} ...", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def opened(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def make_folders(folder):
    """Make a folder, and those above it that are missing.

    Returns:
        list of those that are new, the innermost first.

    Raises:
        OSError: it cannot be made; then none is left.
    """
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        remove_empty(new)
        raise
    return new


def check_new(option, folder):
    """Raise a UserError if this option of a command line cannot make this folder."""
    if folder.exists():
        raise UserError(f"{option} {folder} exists already: name a new folder")
    try:
        remove_empty(make_folders(folder))
    except OSError as error:
        raise UserError(f"{option} {folder}: {error.strerror}; name another") from None


def remove_empty(folders):
    """Remove those of these folders that are empty, the innermost first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def gone_if_in_vain(new):
    """Inside, remove these new folders if an error comes and they are empty."""
    try:
        yield
    except BaseException:
        remove_empty(new)
        raise
