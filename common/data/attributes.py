"""CelebA's list of attributes: which picture shows a smile, a hat, a beard."""

from pathlib import Path, PurePosixPath

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.data.pictures import shown
from common.safety.arrays import check_file

MOST_ATTRIBUTES = 2**25  # bytes of a list; CelebA's has 26 million


def read_attributes(path, names):
    """Read a file like list_attr_celeba.txt: a count, k names, then lines of -1 and 1.

    Args:
        path: path of the file.
        names: paths of the files that may be pictures.

    Returns:
        list of k titles, function: list of names -> int8 (n, k).

    Raises:
        UserError: it has another format, or no line for one of the pictures.
    """
    from PIL import Image

    def rows_of(names):
        for name in names:
            if PurePosixPath(name).name not in table:
                raise UserError(f"{path} has no line for the picture {shown(name)}")
        return np.stack([table[PurePosixPath(name).name] for name in names])

    check_file(path, MOST_ATTRIBUTES)
    wanted = (
        "a line with the count, one with names, then lines with a file name and as many "
        "values of -1 or 1"
    )
    with as_user_error(f"{path} is not like list_attr_celeba.txt", f"wanted: {wanted}"):
        count, titles, *lines = Path(path).read_text("utf-8-sig").strip().splitlines()
        titles, lines = titles.split(), [line.split() for line in lines]
        if not titles or not all(lines):
            raise ValueError("the second line names nothing, or a line is empty")
        values = np.array([line[1:] for line in lines], dtype=np.int8)
        if values.shape != (int(count), len(titles)) or (np.abs(values) != 1).any():
            raise ValueError(
                f"the count is {count[:20]}, the lines {len(lines)}, or a value is "
                "another"
            )
    table = {line[0]: row for line, row in zip(lines, values, strict=True)}
    endings = tuple(Image.registered_extensions())
    if pictures := [name for name in names if name.lower().endswith(endings)]:
        rows_of(pictures)  # before the long work
    return titles, rows_of
