"""Is what a run folder holds fit to go on with? Anyone may have edited or damaged it."""

import argparse
from pathlib import Path

import numpy as np

from common.basics.errors import UserError
from common.runs.layout import COLUMNS, LOSSES
from common.runs.tables import read_columns, whole_lines


def check_options(parser, options, known):
    """Refuse recorded options that could not have been typed.

    Args:
        parser: the Parser of the script.
        options: dict of the options of an `options.json`.
        known: list of dicts of options that need not be typed, of defaults and presets.

    Raises:
        UserError: a value has another type, or is out of range.
    """
    if type(options.get("seed")) is not int:  # None would be drawn anew
        raise UserError(
            "the run's options.json has no whole number as seed; mend it there"
        )
    for action in parser._actions:
        name = action.dest
        if name not in options or is_known(name, options[name], known):
            continue
        try:
            if not is_typed(parser, action, options[name]):
                raise UserError(f"{name} is {options[name]!r}, of another type")
        except UserError as error:
            raise UserError(f"the run's options.json: {error}; mend it there") from None


def is_known(name, value, known):
    """Whether one of these dicts has this value."""
    return any(
        name in each and each[name] == value and type(each[name]) is type(value)
        for each in known
    )


def is_typed(parser, action, value):
    """Whether a value is what its option makes of its text."""
    if isinstance(action, argparse._StoreTrueAction):
        return isinstance(value, bool)
    word = f"{action.option_strings[-1]}={value}"
    typed = getattr(parser.parse_args([word]), action.dest)
    is_float = isinstance(typed, float) and type(value) is int
    return typed == value and (is_float or type(value) is type(typed))


FOLDERS = ("tensorboard", "comet")  # in a run folder; all else there are files
HEADS = {
    "times.csv": ["epoch", "seconds", "ended"],
    "events.csv": ["epoch", "what", "value", "action"],
}


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
        if path.name in FOLDERS and not path.is_dir():
            raise UserError(f"{path} is no folder: move it away")
        if not path.is_dir() and not path.is_file():
            raise UserError(f"{path} is a pipe or a device: move it away")


def check_tables(run):
    """Refuse the tables of a run folder that could not be gone on with or drawn.

    Raises:
        UserError: a row is damaged, or the columns are not those that a run writes.
    """
    for name in ("history.csv", *HEADS):
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
        epochs = read_columns(path, ("what", "ended", "action"))["epoch"]
        if not (np.isfinite(epochs) & (epochs == np.round(epochs))).all():
            raise UserError(f"{path} has epochs that are no whole numbers: mend them")


def is_head(name, names):
    """Whether these are the names of the columns in a run's file."""
    if name in HEADS:
        return names == HEADS[name]
    means = set(names[2:])
    is_known = means <= set(COLUMNS) and len(means) == len(names) - 2
    return names[:2] == ["epoch", "step"] and is_known and not means.isdisjoint(LOSSES)
