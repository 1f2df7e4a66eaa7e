"""File formats of 28x28 grey image sets -> arrays: npz, IDX (MNIST's own) and CSV.

Each reader returns (pixels, labels or None) as it finds them; what they must look like
is checked in one place, `mnist.checked`.
"""

import gzip
import math
import struct
import warnings
import zipfile
from functools import partial
from itertools import chain, islice
from pathlib import Path

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.safety.arrays import MOST_BYTES, check_file, member

IDX_FILES = {
    "train": ("train-images", "train-labels"),
    "test": ("t10k-images", "t10k-labels"),
}
UINT8 = 0x08  # the only IDX type that image sets use
PART = 2**20  # bytes that are read at a time
MOST_LABEL = 2**24
LONGEST_LINE = 2**16  # characters of a CSV file: 785 numbers take 20,000 at most


def read_images(path, split):
    """Read an `.npz`, a `.csv`, or a folder that holds an `.npz` or IDX files.

    Args:
        path: Path of the file or folder.
        split: "train" or "test".

    Raises:
        UserError: nothing there that can be read, or a file that is cut off.
    """
    if not path.exists():
        raise UserError(f"--data {path}: there is no such file or folder; name another")
    if path.is_dir():
        archive = path / f"{path.name}.npz"
        return read_npz(archive, split) if archive.exists() else read_idx(path, split)
    if path.suffix == ".npz":
        return read_npz(path, split)
    if path.suffix == ".csv":
        return read_csv(path, split)
    raise UserError(
        f"--data {path}: neither an .npz nor a .csv file nor a folder of IDX files; name "
        "one of these"
    )


def read_npz(path, split):
    """Arrays `x_train`, `y_train`, `x_test`, `y_test`; or one single array of images."""
    check_file(path)
    with as_user_error(f"{path} cannot be read"):
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a whole .npz, which is a zip of arrays")
        with np.load(path, allow_pickle=False) as archive:
            names = archive.files
            total = sum(info.file_size for info in archive.zip.infolist())
            if total > MOST_BYTES:
                raise ValueError(
                    f"it unpacks to {total} bytes: {MOST_BYTES} are the most"
                )
            if f"x_{split}" in names:
                labels = member(archive, f"y_{split}") if f"y_{split}" in names else None
                return member(archive, f"x_{split}"), labels
            if len(names) == 1 and split == "train":
                return member(archive, names[0]), None
    raise UserError(f"{path} holds {names[:10]}, not an array named x_{split}")


def read_idx(folder, split):
    """The files of yann.lecun.com: `train-images-idx3-ubyte`, ..., plain or `.gz`."""
    images, labels = (
        sorted(folder.glob(f"{start}[-.]idx?-ubyte*")) for start in IDX_FILES[split]
    )
    if not images:
        raise UserError(
            f"{folder} has no {folder.name}.npz and no "
            f"{IDX_FILES[split][0]}-idx3-ubyte, plain or .gz"
        )
    return read_idx_file(images[0]), read_idx_file(labels[0]) if labels else None


def read_idx_file(path):
    """One IDX file: 0, 0, type, rank, then rank big-endian sizes, then the bytes."""
    check_file(path)
    with as_user_error(f"{path} cannot be read"):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            parts = iter(partial(file.read, PART), b"")  # no room is made beforehand
            content = b"".join(islice(parts, MOST_BYTES // PART + 1))
        if len(content) > MOST_BYTES:
            raise ValueError(f"it unpacks to more than {MOST_BYTES} bytes")
        zeros, kind, rank = struct.unpack_from(">HBB", content)
        sizes = struct.unpack_from(f">{rank}I", content, 4)
        if zeros != 0 or kind != UINT8 or rank not in (1, 3):
            raise ValueError("it does not start as an IDX file of bytes does")
        pixels = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
        if len(pixels) != math.prod(sizes):
            raise ValueError(f"{len(pixels)} bytes instead of {math.prod(sizes)}")
        return pixels.reshape(sizes)


def read_csv(path, split):
    """Rows of a label and 784 grey values 0..255, with or without a line of names."""
    if split == "test":
        raise UserError(f"{path} is one set of images: it has no test part")
    check_file(path, 2 * MOST_BYTES)  # a byte takes some three characters
    with (
        as_user_error(f"{path} cannot be read"),
        Path(path).open(encoding="utf-8-sig") as file,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of an empty file: `mnist.checked` says it
        lines = short_lines(file)
        first = next(lines, "")
        start = first.split(",")[0].strip('" \n').replace(".", "")
        lines = chain([first] * start.isdigit(), lines)
        table = np.loadtxt(lines, np.float32, delimiter=",", ndmin=2)
    if table.size and table.shape[1] != 785:
        raise UserError(
            f"{path} has {table.shape[1]} columns: wanted are a label and 784 pixels"
        )
    labels = table[:, 0]
    if not ((np.abs(labels) <= MOST_LABEL) & (labels == np.round(labels))).all():
        raise UserError(
            f"{path}: labels that are not whole numbers up to {MOST_LABEL}, in the first "
            "column"
        )
    return table[:, 1:].reshape(-1, 28, 28), labels.astype(int)


def short_lines(file):
    """The lines of an open CSV file.

    Raises:
        ValueError: one does not end where 785 numbers do.
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE} characters")
        yield line
