"""File formats of 28x28 grey image sets -> arrays: npz, IDX (MNIST's own) and CSV.

Each reader returns (pixels, labels or None) as it finds them; what they must look like
is checked in one place, `datasets.checked`.
"""

import gzip
import math
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np

from common.errors import UserError

IDX_FILES = {
    "train": ("train-images", "train-labels"),
    "test": ("t10k-images", "t10k-labels"),
}
UINT8 = 0x08  # the only IDX type that image sets use


def read_images(path, split):
    """Read an `.npz`, a `.csv`, or a folder that holds an `.npz` or IDX files.

    Args:
        path: Path of the file or folder.
        split: "train" or "test".

    Raises:
        UserError: nothing there that can be read, or a file that is cut off.
    """
    if not path.exists():
        raise UserError(f"--data {path}: there is no such file or folder")
    if path.is_dir():
        archive = path / f"{path.name}.npz"
        return read_npz(archive, split) if archive.exists() else read_idx(path, split)
    if path.suffix == ".npz":
        return read_npz(path, split)
    if path.suffix == ".csv":
        return read_csv(path, split)
    raise UserError(
        f"--data {path}: neither an .npz nor a .csv file nor a folder of IDX files"
    )


def read_npz(path, split):
    """Arrays `x_train`, `y_train`, `x_test`, `y_test`; or one single array of images."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            names = archive.files
            if f"x_{split}" in names:
                labels = archive[f"y_{split}"] if f"y_{split}" in names else None
                return archive[f"x_{split}"], labels
            if len(names) == 1 and split == "train":
                return archive[names[0]], None
    except Exception as error:  # NumPy and zipfile raise a dozen kinds
        raise damaged(path, error) from None
    raise UserError(f"{path} holds {names}, not an array named x_{split}")


def read_idx(folder, split):
    """The files of yann.lecun.com: `train-images-idx3-ubyte`, ..., plain or `.gz`."""
    images, labels = (find_idx(folder, start) for start in IDX_FILES[split])
    if images is None:
        raise UserError(
            f"{folder} has no {folder.name}.npz and no "
            f"{IDX_FILES[split][0]}-idx3-ubyte, plain or .gz"
        )
    return read_idx_file(images), None if labels is None else read_idx_file(labels)


def find_idx(folder, start):
    found = sorted(folder.glob(f"{start}[-.]idx?-ubyte*"))
    return found[0] if found else None


def read_idx_file(path):
    """One IDX file: 0, 0, type, rank, then rank big-endian sizes, then the bytes."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        zeros, kind, rank = struct.unpack(">HBB", content[:4])
        sizes = struct.unpack(f">{rank}I", content[4 : 4 + 4 * rank])
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise damaged(path, error) from None
    pixels = content[4 + 4 * rank :]
    if zeros != 0 or kind != UINT8 or rank not in (1, 3):
        raise damaged(path, "it does not start as an IDX file of bytes does")
    if len(pixels) != math.prod(sizes):
        raise damaged(path, f"{len(pixels)} bytes instead of {math.prod(sizes)}")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def read_csv(path, split):
    """Rows of a label and 784 grey values 0..255, with or without a line of names."""
    if split == "test":
        raise UserError(f"{path} is one set of images: it has no test part")
    try:
        with Path(path).open(encoding="utf-8-sig") as lines:
            first = lines.readline().split(",")[0]
        has_names = not first.strip('" \n').replace(".", "").isdigit()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an empty file: said below
            table = np.loadtxt(
                path,
                np.float32,
                delimiter=",",
                skiprows=int(has_names),
                ndmin=2,
                encoding="utf-8-sig",
            )
    except (OSError, ValueError) as error:
        raise damaged(path, error) from None
    if table.size == 0:
        raise UserError(f"{path}: there are no images in it")
    if table.shape[1] != 785:
        raise UserError(
            f"{path} has {table.shape[1]} columns: wanted are a label and 784 pixels"
        )
    return table[:, 1:].reshape(-1, 28, 28), table[:, 0].astype(int)


def damaged(path, why):
    """The UserError for a file that cannot be read to its end."""
    return UserError(f"{path} cannot be read: {why}; download or copy it again")
