"""Tables: a run's columns of numbers, whose last row may be in writing, and Markdown."""

import numpy as np
from tabulate import tabulate

from common.basics.errors import UserError
from common.runs.layout import TEXTS
from common.safety.arrays import check_file

LONGEST = 100  # characters of a number
AS_IT_IS = {"encoding": "utf-8", "errors": "surrogateescape"}  # whatever bytes it has
MOST_TABLE = 2**27  # bytes of a history: of a million rows


def read_columns(path):
    """The columns of a CSV file of numbers: name -> float64 (rows,).

    A missing file has none. A last row without its end is left out: a training is
    writing it.

    Args:
        path: the file; its columns of TEXTS are left out.

    Raises:
        UserError: a row is damaged.
    """
    head, *rows = whole_lines(path) or [""]
    names = head.split(",") if head else []
    kept = [name for name in dict.fromkeys(names) if name not in TEXTS]
    numbers = []
    for line, row in enumerate(rows, 2):
        try:
            cells = dict(zip(names, row.split(","), strict=True))
            if max(map(len, cells.values())) > LONGEST:
                raise ValueError
            numbers.append([float(cells[name]) for name in kept])
        except ValueError:
            raise UserError(
                f"{path}, line {line} is damaged: {row[:60]!r} is not a row of "
                f"{len(names)} values; remove it"
            ) from None
    columns = np.array(numbers, dtype=float).reshape(len(numbers), len(kept)).T
    return dict(zip(kept, columns, strict=True))


def whole_lines(path):
    """The lines of a file, without a last one that is in writing; none without a file.

    Raises:
        UserError: it is no plain file, or too large to be of a training.
    """
    return lines_of(path)[0]


def lines_of(path):
    """The whole lines of a file, and what comes after the last one's end, mostly ""."""
    if not path.exists():
        return [], ""
    check_file(path, MOST_TABLE)
    *lines, rest = path.read_text(**AS_IT_IS).split("\n")
    return lines, rest


def markdown_table(rows, heads):
    """Return a Markdown table that can be read as it stands.

    Args:
        rows: list of lists of cells, shown by `str`; None is shown as "-".
        heads: list of texts.
    """
    cells = [
        ["-" if cell is None else str(cell).replace("|", "\\|") for cell in row]
        for row in [heads, *rows]
    ]
    return tabulate(cells, "firstrow", tablefmt="github", disable_numparse=True)
