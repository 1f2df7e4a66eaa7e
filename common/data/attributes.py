"""Read CelebA's attributes: binary labels of each picture, such as Smiling."""

from pathlib import Path, PurePosixPath

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.data.pictures import printable
from common.safety.arrays import check_file

MAX_LIST_BYTES = 2**25  # CelebA's list has 26 million


def read_attributes(path, names):
    """Read a file like list_attr_celeba.txt: a count, k names, then lines of -1 and 1.

    Args:
        path: path of the file.
        names: paths of the files that may be pictures.

    Returns:
        list of k attribute names; function, list of n file names -> int8 (n, k) of -1
        and 1.

    Raises:
        UserError: the format is wrong, or the list has no line for a picture.
    """
    from PIL import Image

    def values_of(names):
        for name in names:
            if PurePosixPath(name).name not in table:
                raise UserError(f"{path} has no line for {printable(name)}: add one")
        return np.stack([table[PurePosixPath(name).name] for name in names])

    check_file(path, MAX_LIST_BYTES)
    fix = (
        "expected a line with the number of pictures, a line with the attribute names, "
        "then per picture a line with its file name and a -1 or 1 per attribute"
    )
    with as_user_error(f"{path} is not in the format of list_attr_celeba.txt", fix):
        lines = Path(path).read_text("utf-8-sig").strip().splitlines()
        if len(lines) < 2:
            raise ValueError("it has fewer than two lines")
        count, header, *lines = lines
        attributes, lines = header.split(), [line.split() for line in lines]
        if not attributes or not all(lines):
            raise ValueError("its second line has no names, or a line is empty")
        values = np.array([line[1:] for line in lines], dtype=np.int8)
        if values.shape != (int(count), len(attributes)) or (np.abs(values) != 1).any():
            raise ValueError(
                f"its number of pictures, {len(lines)}, is not that of the first line, "
                f"{count[:20]!r}, or a value is neither -1 nor 1"
            )
    table = {line[0]: row for line, row in zip(lines, values, strict=True)}
    endings = tuple(Image.registered_extensions())
    if pictures := [name for name in names if name.lower().endswith(endings)]:
        values_of(pictures)  # raises before the pictures are packed, which is slow
    return attributes, values_of
