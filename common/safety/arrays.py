"""Untrusted files of arrays: validated to be as large as they declare before reading."""

import math
from pathlib import Path

import numpy as np

from common.basics.errors import UserError

MOST_BYTES = 2**30  # of a set of images in memory: 1.3 million of 28x28, as bytes


def check_file(path, most=MOST_BYTES):
    """Raise a UserError unless this is a regular file of at most `most` bytes.

    To read a pipe or a device would block, or never end.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: there is no such file; name another")
    if not path.is_file():
        raise UserError(f"{path} is not a regular file: replace it by one")
    if path.stat().st_size > most:
        raise UserError(
            f"{path} has {size_of(path.stat().st_size)}, more than the limit of "
            f"{size_of(most)}: restore it, or name another file"
        )


def size_of(n_bytes):
    """Return a number of bytes as a text, in MiB or GiB."""
    is_large = n_bytes >= 2**30
    return f"{n_bytes / 2**30:.1f} GiB" if is_large else f"{n_bytes / 2**20:.1f} MiB"


def member(archive, name):
    """Return an array of an open .npz, after `check_declared`.

    Args:
        archive: NpzFile.
        name: of the array, without .npy.

    Raises:
        ValueError: see `check_declared`.
    """
    info = archive.zip.getinfo(f"{name}.npy")
    with archive.zip.open(info) as file:
        check_declared(file, info.file_size)
    return archive[info.filename]


def read_array(path):
    """Return the array in a .npy file, after `check_declared`.

    Raises:
        ValueError: see `check_declared`.
    """
    with Path(path).open("rb") as file:
        check_declared(file, Path(path).stat().st_size)
        file.seek(0)
        return np.load(file, allow_pickle=False)


def check_declared(file, n_bytes):
    """Raise a ValueError if an open .npy file declares more than it can hold.

    NumPy allocates what is declared before it reads.

    Args:
        file: binary file, at its start.
        n_bytes: size of the file.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it has version {version} of the format, not 1 or 2")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    try:
        shape, _, dtype = read(file)
    except Exception:  # of ast, of tokenize, of NumPy
        raise ValueError("its header does not describe an array") from None
    if dtype.hasobject:
        raise ValueError("it holds Python objects, not numbers")
    if math.prod(shape) * dtype.itemsize > n_bytes:
        raise ValueError(f"it declares an array {shape} and has only {n_bytes} bytes")
