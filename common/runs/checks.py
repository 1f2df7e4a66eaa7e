"""Validate the files of a run folder, which may be damaged, before it is resumed."""

from pathlib import Path

from common.basics.errors import UserError
from common.runs.layout import COLUMNS, COMET, HEADS, HISTORY, LOSSES, TENSORBOARD
from common.runs.tables import read_columns, whole_lines


def check_files(run):
    """Raise a UserError if a run folder holds links, pipes, or folders in place of files.

    A run would write through a link to a place outside of the folder. The others would
    raise an error only when the first epoch ends.
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
        if '"' in "".join(lines) or not is_header(name, names):
            expected = ",".join(HEADS.get(name, ("epoch", "step", "...")))
            raise UserError(
                f"{path}: first line is {lines[0][:60]!r}; expected {expected!r}, "
                "without quotes; restore it from a copy"
            )
        if wrong := [x for x in read_columns(path)["epoch"] if not x.is_integer()]:
            raise UserError(
                f"{path}: its column epoch has {wrong[0]}, not a whole number: delete "
                "its line"
            )


def is_header(name, names):
    """Return whether these are valid column names of the table with this file name."""
    if name in HEADS:
        return names == HEADS[name]
    values = set(names[2:])
    is_known = values <= set(COLUMNS) and len(values) == len(names) - 2
    return names[:2] == ["epoch", "step"] and is_known and not values.isdisjoint(LOSSES)
