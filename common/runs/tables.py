"""Read the CSV files of a run, and format Markdown tables."""

import numpy as np
from tabulate import tabulate

from common.basics.errors import UserError
from common.runs.layout import TEXTS
from common.safety.arrays import check_file

MAX_DIGITS = 100  # characters of a number
AS_IT_IS = {"encoding": "utf-8", "errors": "surrogateescape"}  # decodes any bytes
MAX_BYTES = 2**27  # of a file: about a million rows


def read_columns(path):
    """Read the columns of numbers of a CSV file.

    A last row without a line end is ignored: a training process is writing it.

    Args:
        path: Path of the file, which may be missing; its columns of TEXTS are ignored.

    Returns:
        dict, name -> float64 (rows,).

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
            if max(map(len, cells.values())) > MAX_DIGITS:
                raise ValueError
            numbers.append([float(cells[name]) for name in kept])
        except ValueError:
            raise UserError(
                f"{path}, line {line}: expected a row of {head[:60]!r} with numbers, "
                f"found {row[:60]!r}; delete this line"
            ) from None
    columns = np.array(numbers, dtype=float).reshape(len(numbers), len(kept)).T
    return dict(zip(kept, columns, strict=True))


def whole_lines(path):
    """Return the complete lines of a file: list of str, empty if there is no file.

    Raises:
        UserError: it is not a regular file, or larger than MAX_BYTES.
    """
    return lines_of(path)[0]


def lines_of(path):
    """Return the complete lines of a file, and the text after the last line end."""
    if not path.exists():
        return [], ""
    check_file(path, MAX_BYTES)
    *lines, incomplete = path.read_text(**AS_IT_IS).split("\n")
    return lines, incomplete


def markdown_table(rows, heads):
    """Return a Markdown table with aligned columns.

    Args:
        rows: list of lists of cells, converted by `str`; None becomes "-".
        heads: list of str.
    """
    cells = [
        ["-" if cell is None else str(cell).replace("|", "\\|") for cell in row]
        for row in [heads, *rows]
    ]
    return tabulate(cells, "firstrow", tablefmt="github", disable_numparse=True)
