"""Validate the files of a run folder before it is resumed: they may be damaged."""

from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.runs.layout import COLUMNS, COMET, HEADS, HISTORY, LOSSES, TENSORBOARD
from common.runs.tables import read_columns, whole_lines


def check_files(run):
    """Raise a UserError if a run folder holds links, pipes, or folders in place of files.

    Through a link a run would write to another place. The others would raise an error at
    the end of an epoch only.
    """
    for path in Path(run).iterdir():
        if path.is_symlink():
            raise UserError(f"{path} is a link: replace it by a copy of its target")
        if path.suffix and path.is_dir():
            raise UserError(f"{path} is a folder, not a file: move it elsewhere")
        if path.name in (TENSORBOARD, COMET) and not path.is_dir():
            raise UserError(f"{path} is a file, not a folder: move it elsewhere")
        if not path.is_dir() and not path.is_file():
            raise UserError(f"{path} is a pipe or a device: move it elsewhere")


def check_tables(run):
    """Raise a UserError if a row of a run's tables is damaged, or a column unknown."""
    for name in (HISTORY, *HEADS):
        path = Path(run) / name
        lines = whole_lines(path)
        if not lines:
            continue
        names = lines[0].split(",")
        if '"' in "".join(lines) or not is_head(name, names):
            heads = ",".join(HEADS.get(name, ("epoch", "step", "...")))
            raise UserError(
                f"{path}: first line is {lines[0][:60]!r}; expected {heads!r}, without "
                "quotes; restore it from a copy"
            )
        epochs = read_columns(path)["epoch"]
        if not (np.isfinite(epochs) & (epochs == np.round(epochs))).all():
            raise UserError(f"{path} has epochs that are not whole numbers: fix them")


def is_head(name, names):
    """Return whether these are the names of the columns of a run's table."""
    if name in HEADS:
        return names == HEADS[name]
    means = set(names[2:])
    is_known = means <= set(COLUMNS) and len(means) == len(names) - 2
    return names[:2] == ["epoch", "step"] and is_known and not means.isdisjoint(LOSSES)
