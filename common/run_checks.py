"""Is what a run folder holds fit to go on with? Anyone may have edited or damaged it."""

import argparse
from pathlib import Path

import numpy as np

from common.compared import read_columns
from common.errors import UserError


def check_options(parser, options, known):
    """Refuse recorded options that could not have been typed.

    Args:
        parser: the Parser of the script.
        options: dict of the options of an `options.json`.
        known: list of dicts of options that need not be typed, of defaults and presets.

    Raises:
        UserError: a value has another type, or is out of range.
    """
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


def check_tables(run):
    """Refuse the tables of a run folder that could not be drawn at the end.

    Raises:
        UserError: a row is damaged.
    """
    for name, texts in (("history.csv", []), ("times.csv", ["ended"])):
        path = Path(run) / name
        columns = read_columns(path, texts)
        epochs = columns.get("epoch", np.ones(1))
        if not (np.isfinite(epochs) & (epochs == np.round(epochs))).all():
            raise UserError(f"{path} has epochs that are no whole numbers: mend them")
        if columns and "epoch" not in columns:
            raise UserError(f"{path} has no column epoch: mend its first line")
