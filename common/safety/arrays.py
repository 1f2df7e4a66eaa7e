"""Read untrusted .npy and .npz files, after validating the sizes that they declare."""

import math
from pathlib import Path

import numpy as np

from common.basics.errors import UserError

MAX_BYTES = 2**30  # of a data set in memory: 1.3 million images of 28x28


def check_file(path, max_bytes=MAX_BYTES):
    """Raise a UserError unless this is a regular file of at most `max_bytes` bytes.

    Reading a pipe or a device could block or never end.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: there is no such file; check the path")
    if not path.is_file():
        raise UserError(f"{path} is not a regular file: replace it by one")
    if (size := path.stat().st_size) > max_bytes:
        raise UserError(
            f"{path} has {format_bytes(size)}, more than the limit of "
            f"{format_bytes(max_bytes)}: replace it by a smaller file"
        )


def format_bytes(n_bytes):
    """Return a number of bytes as a str, in MiB or GiB."""
    is_large = n_bytes >= 2**30
    return f"{n_bytes / 2**30:.1f} GiB" if is_large else f"{n_bytes / 2**20:.1f} MiB"


def read_member(archive, name):
    """Read an array of an open .npz, after `check_header`.

    Args:
        archive: NpzFile.
        name: name of the array, without .npy.

    Raises:
        ValueError: see `check_header`.
    """
    info = archive.zip.getinfo(f"{name}.npy")
    with archive.zip.open(info) as file:
        check_header(file, info.file_size)
    return archive[info.filename]


def read_array(path):
    """Read the array in a .npy file, after `check_header`.

    Raises:
        ValueError: see `check_header`.
    """
    with Path(path).open("rb") as file:
        check_header(file, Path(path).stat().st_size)
        file.seek(0)
        return np.load(file, allow_pickle=False)


def check_header(file, n_bytes):
    """Raise a ValueError if an open .npy file declares a larger array than it contains.

    NumPy allocates the declared size before it reads.

    Args:
        file: binary file, at its start.
        n_bytes: size of the file.
    """
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its format version is {version}, not 1 or 2")
    read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    try:
        shape, _, dtype = read(file)
    except Exception:  # of ast, of tokenize, of NumPy
        raise ValueError("its header does not describe an array") from None
    if dtype.hasobject:
        raise ValueError("it contains pickled Python objects, not numbers")
    if math.prod(shape) * dtype.itemsize > n_bytes:
        raise ValueError(f"it declares the shape {shape}, but has only {n_bytes} bytes")
