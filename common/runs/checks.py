"""Is what a run folder holds fit to go on with? Anyone may have edited or damaged it."""

from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.runs.layout import COLUMNS, COMET, HEADS, HISTORY, LOSSES, TENSORBOARD
from common.runs.tables import read_columns, whole_lines


def check_files(run):
    """Refuse links in a run folder, through which a run would write elsewhere.

    And folders or pipes in place of files, which would be found when an epoch is done.

    Raises:
        UserError: there is one.
    """
    for path in Path(run).iterdir():
        if path.is_symlink():
            raise UserError(f"{path} is a link: put what it leads to in its place")
        if path.suffix and path.is_dir():
            raise UserError(f"{path} is a folder: move it away")
        if path.name in (TENSORBOARD, COMET) and not path.is_dir():
            raise UserError(f"{path} is no folder: move it away")
        if not path.is_dir() and not path.is_file():
            raise UserError(f"{path} is a pipe or a device: move it away")


def check_tables(run):
    """Refuse the tables of a run folder that could not be gone on with or drawn.

    Raises:
        UserError: a row is damaged, or the columns are not those that a run writes.
    """
    for name in (HISTORY, *HEADS):
        path = Path(run) / name
        lines = whole_lines(path)
        if not lines:
            continue
        names = lines[0].split(",")
        if '"' in "".join(lines) or not is_head(name, names):
            raise UserError(
                f"{path} has other columns than a run's, or quotes, in "
                f"{lines[0][:60]!r}: restore them"
            )
        epochs = read_columns(path)["epoch"]
        if not (np.isfinite(epochs) & (epochs == np.round(epochs))).all():
            raise UserError(f"{path} has epochs that are no whole numbers: mend them")


def is_head(name, names):
    """Whether these are the names of the columns in a run's file."""
    if name in HEADS:
        return names == HEADS[name]
    means = set(names[2:])
    is_known = means <= set(COLUMNS) and len(means) == len(names) - 2
    return names[:2] == ["epoch", "step"] and is_known and not means.isdisjoint(LOSSES)
