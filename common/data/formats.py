"""Read data sets of 28x28 grey images from .npz, IDX (MNIST's format) and CSV files.

Each reader returns (pixels, labels or None) as stored; `mnist` validates them.
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
from common.safety.arrays import MAX_BYTES, check_file, format_bytes, read_member

IDX_FILES = {
    "train": ("train-images", "train-labels"),
    "test": ("t10k-images", "t10k-labels"),
}
IDX_MAGIC = bytes((0, 0, 0x08))  # 0x08: unsigned bytes
READ_BYTES = 2**20  # at a time
MAX_LABEL = 2**24
TOO_LARGE = f"{{}} unpacks to more than {format_bytes(MAX_BYTES)}: use a smaller data set"
MAX_LINE_LENGTH = 2**16  # characters of a CSV file: 785 numbers take 20,000 at most


def read_images(path, split):
    """Read an `.npz`, a `.csv`, or a folder with an `.npz` or IDX files.

    Args:
        path: Path of the file or folder.
        split: "train" or "test".

    Returns:
        pixels, an array of any shape and type; labels, the same, or None.

    Raises:
        UserError: there is no file of these formats, or it is damaged.
    """
    if path.is_dir():
        archive = path / f"{path.name}.npz"
        return read_npz(archive, split) if archive.exists() else read_idx(path, split)
    if path.suffix == ".npz":
        return read_npz(path, split)
    if path.suffix == ".csv":
        return read_csv(path, split)
    raise UserError(
        f"--data {path} is neither an .npz nor a .csv file nor a folder of IDX files: "
        "use one of these formats"
    )


def read_npz(path, split):
    """Read arrays `x_train`, `y_train`, `x_test`, `y_test`; or a single array of images.

    Args, returns and raises: see `read_images`.
    """
    check_file(path)
    with as_user_error(f"{path} cannot be read"):
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a complete .npz file, a zip of arrays")
        with np.load(path, allow_pickle=False) as archive:
            names = archive.files
            if sum(info.file_size for info in archive.zip.infolist()) > MAX_BYTES:
                raise UserError(TOO_LARGE.format(path))
            if f"x_{split}" in names:
                has_labels = f"y_{split}" in names
                labels = read_member(archive, f"y_{split}") if has_labels else None
                return read_member(archive, f"x_{split}"), labels
            if len(names) == 1 and split == "train":
                return read_member(archive, names[0]), None
    raise UserError(f"{path} has the arrays {names[:10]}: name the images x_{split}")


def read_idx(folder, split):
    """Read the files of yann.lecun.com, `train-images-idx3-ubyte`, ..., plain or `.gz`.

    Args, returns and raises: see `read_images`.
    """
    images, labels = (
        sorted(folder.glob(f"{start}[-.]idx?-ubyte*")) for start in IDX_FILES[split]
    )
    if not images:
        raise UserError(
            f"{folder} is a folder without IDX or .npz files: copy "
            f"{IDX_FILES[split][0]}-idx3-ubyte or its .gz into it, or use another folder"
        )
    return read_idx_file(images[0]), read_idx_file(labels[0]) if labels else None


def read_idx_file(path):
    """Read an IDX file: 0, 0, type, rank, then rank big-endian sizes, then the bytes.

    Returns:
        uint8 array of the declared shape.

    Raises:
        UserError: it is damaged, or not an IDX file of bytes.
    """
    check_file(path)
    with as_user_error(f"{path} cannot be read"):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            parts = iter(partial(file.read, READ_BYTES), b"")  # allocates what is read
            content = b"".join(islice(parts, MAX_BYTES // READ_BYTES + 1))
        if len(content) > MAX_BYTES:
            raise UserError(TOO_LARGE.format(path))
        start = 4 + 4 * sum(content[3:4])  # of the pixels: the fourth byte is the rank
        if content[:3] != IDX_MAGIC or start not in (8, 16) or len(content) < start:
            raise ValueError("its header is not that of an IDX file of unsigned bytes")
        sizes = struct.unpack_from(f">{start // 4 - 1}I", content, 4)
        pixels = np.frombuffer(content, np.uint8, offset=start)
        if len(pixels) != math.prod(sizes):
            raise ValueError(f"it has {len(pixels)} pixels instead of {math.prod(sizes)}")
        return pixels.reshape(sizes)


def read_csv(path, split):
    """Read rows of a label and 784 grey values 0..255; a header line is skipped.

    Returns:
        pixels float32 (n, 28, 28); labels int (n,).

    Raises:
        UserError: it is damaged, has other columns, or `split` is "test".
    """
    if split == "test":
        raise UserError(f"{path}: a .csv file has no test split: use --split train")
    check_file(path, 2 * MAX_BYTES)  # a byte takes some three characters
    with (
        as_user_error(f"{path} cannot be read"),
        Path(path).open(encoding="utf-8-sig") as file,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # `mnist.validated_images` reports an empty file
        lines = limited_lines(file)
        first = next(lines, "")
        start = first.split(",")[0].strip('" \n').replace(".", "")
        lines = chain([first] * start.isdigit(), lines)
        table = np.loadtxt(lines, np.float32, delimiter=",", ndmin=2)
    if table.size and table.shape[1] != 785:
        found = f"{path} has {table.shape[1]} columns"
        raise UserError(f"{found}: save 785 in each row, a label and 784 pixels")
    labels = table[:, 0]
    is_label = (np.abs(labels) <= MAX_LABEL) & (labels == np.round(labels))
    if not is_label.all():
        raise UserError(
            f"{path}: column 1 has the label {labels[~is_label][0]:g}, not a whole "
            "number 0, 1, ...: correct it"
        )
    return table[:, 1:].reshape(-1, 28, 28), labels.astype(int)


def limited_lines(file):
    """Yield the lines of an open CSV file.

    Raises:
        ValueError: a line is longer than 785 numbers can be.
    """
    while line := file.readline(MAX_LINE_LENGTH + 1):
        if len(line) > MAX_LINE_LENGTH:
            raise ValueError(f"a line is longer than {MAX_LINE_LENGTH} characters")
        yield line
