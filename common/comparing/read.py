"""What a run folder tells when runs are compared: options, history, times and scores."""

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
    """A line of `metrics.jsonl`: what one saved generator scored."""

    epoch: int
    scores: dict  # name -> (mean, std or None), or None: refused
    protocol: dict  # what must be equal in scores that are compared


class Run(NamedTuple):
    """What is known of a run folder."""

    name: str
    path: Path
    record: dict  # see record.describe_run
    history: dict  # column -> float64 (rows,); d_loss also where halves were separate
    seconds: np.ndarray  # of each finished epoch
    scored: list  # of Scored, as they stand in the file


def read_runs(folders):
    """Read run folders, and give them the shortest names that tell them apart.

    Raises:
        UserError: fewer than two, one twice, or one that is no run or has no history.
    """
    if len(folders) < 2:
        raise UserError(
            f"{len(folders)} run folders were named: name two or more, such as "
            "runs/mnist_gan/0001 runs/mnist_gan/0002"
        )
    paths = [Path(os.path.realpath(Path(folder).expanduser())) for folder in folders]
    for i, path in enumerate(paths):
        if path in paths[:i]:
            raise UserError(f"{folders[i]} was named twice: name different runs")
    named = zip(shortest_names(paths), folders, strict=True)
    return [read_run(name, Path(folder).expanduser()) for name, folder in named]


def shortest_names(paths):
    """The last parts of these different paths, as few as tell them apart."""
    n = 1
    while len({path.parts[-n:] for path in paths}) < len(paths):
        n += 1
    return ["/".join(path.parts[-n:]) for path in paths]


def read_run(name, path):
    """Read a run folder.

    Raises:
        UserError: it is none, it has no history, or a file in it is damaged.
    """
    record = read_options(path)
    history = read_columns(path / HISTORY)
    if len(history.get("epoch", ())) == 0:
        raise UserError(
            f"{path} has no history, it stopped before the first row of history.csv: go "
            f"on with --resume {path}, or leave it out"
        )
    of_d = ["d1", "d2"] if "d1" in history else ["d_loss"]  # halves, or both at once
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
    """The lines of a `metrics.jsonl`, a list of Scored; empty if there is no file.

    Args:
        path: the file.
        fingerprint: of the run's data: scores against other images are other scores.

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
            if entry["epoch"] is None:  # of a file whose name tells none
                continue
            epoch = operator.index(entry["epoch"])
            protocol["data"] = entry["protocol"].get("fingerprint", fingerprint)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError,
                RecursionError):  # fmt: skip
            raise UserError(
                f"{path}, line {number} is damaged: {line[:60]!r} holds no epoch, scores "
                "and protocol; remove it"
            ) from None
        found.append(Scored(epoch, scores, protocol))
    return found


def mean_and_std(value):
    """A score of the file as (mean, std or None), or None where it was refused."""
    if not isinstance(value, dict):
        value = {"mean": value}
    mean, std = value["mean"], value.get("std")
    if mean is None or not math.isfinite(mean):
        return None
    return float(mean), None if std is None else float(std)


def lines_to_compare(compared):
    """The last line of the highest epoch of each run, or None where it has no line.

    Of the lines under one protocol, if there is one under which all scored runs were.
    """
    of_runs = [{key(line) for line in run.scored} for run in compared if run.scored]
    common = set.intersection(*of_runs) if of_runs else set()
    newest = next((run.scored for run in compared if run.scored), [])
    wanted = next((key(line) for line in reversed(newest) if key(line) in common), None)
    told = []
    for run in compared:
        lines = [line for line in run.scored if wanted in (None, key(line))]
        told.append(max(reversed(lines), key=lambda line: line.epoch, default=None))
    return told


def key(line):
    """A protocol as something that can be looked up."""
    return tuple(map(str, line.protocol.values()))
