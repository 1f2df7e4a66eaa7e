"""Files of arrays: they are read only if they are as large as they declare."""

import math
from pathlib import Path

import numpy as np

from common.basics.errors import UserError

MOST_BYTES = 2**30  # of a set of images in memory: 1.3 million of 28x28, as bytes


def check_file(path, most=MOST_BYTES):
    """Raise a UserError unless this is a plain file, of at most so many bytes.

    A pipe or a device would be waited for, and a file without end read without end.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: there is no such file; name another")
    if not path.is_file():
        raise UserError(f"{path} cannot be read: it is no plain file; put one there")
    if path.stat().st_size > most:
        raise UserError(
            f"{path} has {path.stat().st_size} bytes, and at most {most} are read: put a "
            "smaller one in its place"
        )


def member(archive, name):
    """An array of an open .npz, if the file is as large as its first line declares."""
    info = archive.zip.getinfo(f"{name}.npy")
    with archive.zip.open(info) as file:
        check_declared(file, info.file_size)
    return archive[info.filename]


def read_array(path):
    """The array in a .npy file, which is read as `member` reads one."""
    with Path(path).open("rb") as file:
        check_declared(file, Path(path).stat().st_size)
        file.seek(0)
        return np.load(file, allow_pickle=False)


def check_declared(file, n_bytes):
    """Raise a ValueError if an open .npy file declares more than it can hold.

    NumPy makes room for what is declared before it reads.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it is of version {version} of the format, not 1 or 2")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    try:
        shape, _, dtype = read(file)
    except Exception:  # of ast, of tokenize, of NumPy
        raise ValueError("its first line describes no array") from None
    if dtype.hasobject:
        raise ValueError("it holds Python objects, not numbers")
    if math.prod(shape) * dtype.itemsize > n_bytes:
        raise ValueError(f"it declares an array of {shape} and has {n_bytes} bytes")
