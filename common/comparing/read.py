"""Read run folders for a comparison: options, history, times and scores."""

import json
import math
import operator
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.runs.layout import HISTORY, METRICS, TIMES
from common.runs.record import read_options
from common.runs.tables import read_columns, whole_lines

PROTOCOL = ("n", "n_real", "split", "features", "features_hash", "resize")


class Scored(NamedTuple):
    """A line of `metrics.jsonl`: the scores of one saved generator."""

    epoch: int
    scores: dict  # name -> (mean, std or None), or None: not computed
    protocol: dict  # settings that must be equal for a comparison


class Run(NamedTuple):
    """The contents of a run folder."""

    name: str
    path: Path
    record: dict  # see record.describe_run
    history: dict  # column -> float64 (rows,); always with d_loss
    seconds: np.ndarray  # float (epochs,), of finished epochs
    scored: list  # of Scored, in the order of the file


def read_runs(folders):
    """Read run folders, and name them by the shortest distinct parts of their paths.

    Args:
        folders: list of paths.

    Returns:
        list of Run.

    Raises:
        UserError: there are fewer than two folders, one is given twice, is not a run
            folder or has no history.
    """
    if len(folders) < 2:
        raise UserError(
            f"{len(folders)} run folders given: name two or more, such as "
            "runs/mnist_gan/0001 runs/mnist_gan/0002"
        )
    paths = [Path(os.path.realpath(Path(folder).expanduser())) for folder in folders]
    for i, path in enumerate(paths):
        if path in paths[:i]:
            raise UserError(f"{folders[i]} was given twice: name different runs")
    named = zip(shortest_names(paths), folders, strict=True)
    return [read_run(name, Path(folder).expanduser()) for name, folder in named]


def shortest_names(paths):
    """Return the last parts of different paths, as few as keep them distinct."""
    n = 1
    while len({path.parts[-n:] for path in paths}) < len(paths):
        n += 1
    return ["/".join(path.parts[-n:]) for path in paths]


def read_run(name, path):
    """Read a run folder.

    Args:
        name: of the run in tables and plots.
        path: of the folder.

    Raises:
        UserError: it is not a run folder, has no history, or a file in it is damaged.
    """
    record = read_options(path)
    history = read_columns(path / HISTORY)
    if len(history.get("epoch", ())) == 0:
        raise UserError(
            f"{path} has no history, history.csv is missing or empty: resume training by "
            f"--resume {path}, or leave the run out"
        )
    of_d = ["d1", "d2"] if "d1" in history else ["d_loss"]  # separate or mixed batches
    wanted = ["step", "g_loss", *of_d]
    if missing := [name for name in wanted if name not in history]:
        raise UserError(
            f"{path / HISTORY} has no column {missing[0]}: restore "
            "its first line, or leave the run out"
        )
    if "d1" in history:
        history["d_loss"] = (history["d1"] + history["d2"]) / 2
    seconds = read_columns(path / TIMES).get("seconds", [])
    scored = read_scored(path / METRICS, record["data"]["fingerprint"])
    return Run(name, path, record, history, np.array(seconds), scored)


def read_scored(path, fingerprint):
    """Return the lines of a `metrics.jsonl`: list of Scored, empty if there is no file.

    Args:
        path: of the file.
        fingerprint: of the run's data, for lines that record none.

    Raises:
        UserError: a line is damaged.
    """
    found = []
    for number, line in enumerate(whole_lines(path), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            scores = {name: mean_and_std(x) for name, x in entry["scores"].items()}
            protocol = {key: entry["protocol"].get(key) for key in PROTOCOL}
            if entry["epoch"] is None:  # a model file without an epoch in its name
                continue
            epoch = operator.index(entry["epoch"])
            protocol["data"] = entry["protocol"].get("fingerprint", fingerprint)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError,
                RecursionError):  # fmt: skip
            raise UserError(
                f"{path}, line {number}: expected a JSON object with a whole number epoch"
                f", numeric scores and a protocol, found {line[:60]!r}; delete this line"
            ) from None
        found.append(Scored(epoch, scores, protocol))
    return found


def mean_and_std(value):
    """Return a score as (mean, std or None), or None if it was not computed."""
    if not isinstance(value, dict):
        value = {"mean": value}
    mean, std = value["mean"], value.get("std")
    if mean is None or not math.isfinite(mean):
        return None
    return float(mean), None if std is None else float(std)


def lines_to_compare(compared):
    """Return for each run the last line of its highest epoch, or None without lines.

    If all runs with scores share a protocol, only lines with this protocol are used.

    Args:
        compared: list of Run.

    Returns:
        list of Scored or None, one per run.
    """
    of_runs = [{key(line) for line in run.scored} for run in compared if run.scored]
    common = set.intersection(*of_runs) if of_runs else set()
    newest = next((run.scored for run in compared if run.scored), [])
    wanted = next((key(line) for line in reversed(newest) if key(line) in common), None)
    chosen = []
    for run in compared:
        lines = [line for line in run.scored if wanted in (None, key(line))]
        chosen.append(max(reversed(lines), key=lambda line: line.epoch, default=None))
    return chosen


def key(line):
    """Return the protocol of a line as a hashable tuple of texts."""
    return tuple(map(str, line.protocol.values()))
