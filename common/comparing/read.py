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
from common.scores.table import name_scores

PROTOCOL = ("n", "n_real", "split", "features", "features_hash", "resize")


class ScoreLine(NamedTuple):
    """A line of `metrics.jsonl`: the scores of one saved generator."""

    epoch: int
    scores: dict  # name -> (mean, std or None); None for a score that was not computed
    protocol: dict  # settings that must be equal for a comparison

    @property
    def protocol_key(self):
        """Return the protocol as a hashable tuple of str."""
        return tuple(map(str, self.protocol.values()))


class Run(NamedTuple):
    """The contents of a run folder."""

    name: str
    path: Path
    record: dict  # see record.describe_run
    history: dict  # column -> float64 (rows,); always with d_loss
    seconds: np.ndarray  # float (epochs,), duration of each finished epoch
    score_lines: list  # of ScoreLine, in the order of the file


def read_runs(folders):
    """Read run folders, and name each by the shortest end of its path that is unique.

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
            f"expected at least 2 run folders, got {len(folders)}: name more, such as "
            "runs/mnist_gan/0001 runs/mnist_gan/0002"
        )
    paths = [Path(os.path.realpath(Path(folder).expanduser())) for folder in folders]
    for i, path in enumerate(paths):
        if path in paths[:i]:
            raise UserError(f"{folders[i]} was given twice: name different runs")
    return list(map(read_run, shortest_names(paths), folders))


def shortest_names(paths):
    """Return the shortest ends of paths that are all different: list of str."""
    n = 1
    while len({path.parts[-n:] for path in paths}) < len(paths):
        n += 1
    return ["/".join(path.parts[-n:]) for path in paths]


def read_run(name, folder):
    """Read a run folder.

    Args:
        name: name of the run in tables and plots.
        folder: path of the run folder.

    Raises:
        UserError: it is not a run folder, has no history, or a file in it is damaged.
    """
    path = Path(folder).expanduser()
    record = read_options(path)
    history = read_columns(path / HISTORY)
    if len(history.get("epoch", ())) == 0:
        raise UserError(
            f"{path} has no history, history.csv is missing or empty: resume training "
            f"with --resume {path}, or leave the run out"
        )
    # Separate batches have two losses of D.
    d_losses = ["d1", "d2"] if "d1" in history else ["d_loss"]
    for column in ("step", "g_loss", *d_losses):
        if column not in history:
            raise UserError(
                f"{path / HISTORY} has no column {column}: restore its first line, or "
                "leave the run out"
            )
    if "d1" in history:
        history["d_loss"] = (history["d1"] + history["d2"]) / 2
    seconds = read_columns(path / TIMES).get("seconds", [])
    lines = read_score_lines(path / METRICS, record["data"]["fingerprint"])
    return Run(name, path, record, history, np.array(seconds), lines)


def read_score_lines(path, fingerprint):
    """Return the lines of a `metrics.jsonl`: list of ScoreLine, empty without a file.

    Scores of earlier versions get the keys of today, see `table.name_scores`.

    Args:
        path: Path of the file.
        fingerprint: fingerprint of the run's data, for lines that record none.

    Raises:
        UserError: a line is damaged.
    """
    lines = []
    for number, line in enumerate(whole_lines(path), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            protocol = {name: entry["protocol"].get(name) for name in PROTOCOL}
            scores = name_scores(entry["scores"], protocol["features"])
            scores = {name: mean_and_std(x) for name, x in scores.items()}
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
        lines.append(ScoreLine(epoch, scores, protocol))
    return lines


def mean_and_std(value):
    """Return a score of a JSON object as (mean, std or None); None if not computed."""
    if not isinstance(value, dict):
        value = {"mean": value}
    mean, std = value["mean"], value.get("std")
    if mean is None or not math.isfinite(mean):
        return None
    return float(mean), None if std is None else float(std)


def lines_to_compare(runs):
    """Return the last ScoreLine of the highest epoch of each run, or None if it has none.

    If all runs with scores have a protocol in common, only its lines are used.

    Args:
        runs: list of Run.

    Returns:
        list of ScoreLine or None, one per run.
    """
    keys = [[x.protocol_key for x in run.score_lines] for run in runs if run.score_lines]
    keys = keys or [[]]
    shared = set.intersection(*map(set, keys))
    latest = next((key for key in reversed(keys[0]) if key in shared), None)
    chosen = []
    for run in runs:
        lines = [x for x in run.score_lines if latest in (None, x.protocol_key)]
        chosen.append(max(reversed(lines), key=lambda line: line.epoch, default=None))
    return chosen
