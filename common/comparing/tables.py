"""Tabulate a comparison of runs: the settings that differ, and the results."""

import math
from itertools import chain
from shlex import quote

import numpy as np

from common.comparing.read import PROTOCOL, lines_to_compare
from common.runs.tables import markdown_table
from common.scores.table import heading, scores_of

IGNORED = {"run_dir", "resume", "data"}  # data is compared by its fingerprint
MAX_LENGTH = 60  # characters of a line of the legend


def run_settings(record):
    """Return the settings of a run: dict, name -> value as str, without unset ones.

    Args:
        record: dict, see `record.describe_run`.
    """
    options = {n: x for n, x in record["options"].items() if n not in IGNORED}
    settings = {
        "script": record["script"],
        **{f"--{name.replace('_', '-')}": value for name, value in options.items()},
        "data": record["data"].get("name"),
        "data's fingerprint": record["data"]["fingerprint"],
        "device": str(record.get("device")).removeprefix("device: "),
        **record.get("versions", {}),
        "commit": record.get("commit"),
    }
    return {name: as_text(x) for name, x in settings.items() if x is not None}


def as_text(value):
    """Return a value of `options.json` as a short text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def different_settings(runs):
    """Return the settings that differ: dict, name -> list of str or None per run.

    Args:
        runs: list of read.Run.
    """
    settings = [run_settings(run.record) for run in runs]
    names = dict.fromkeys(chain(*settings))
    rows = {name: [x.get(name) for x in settings] for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def score_text(score):
    """Return a score as a str, rounded to two digits of its standard deviation.

    Args:
        score: (mean, std or None), or None if it was not computed.

    Returns:
        text such as "7.31 ± 0.12" or "not computed".
    """
    if score is None:
        return "not computed"
    mean, std = score
    if std is None:
        return f"{mean:.4g}"
    if not 0 < std < math.inf:
        return f"{mean:.4g} ± {std:g}"
    digits = max(0, 1 - math.floor(math.log10(std)))
    return f"{mean:.{digits}f} ± {std:.{digits}f}"


def results(runs):
    """Return epochs, minutes and losses: name -> list of str or None per run.

    Args:
        runs: list of read.Run.
    """
    return {
        "epochs done": [finished_epochs(run) for run in runs],
        "minutes of training": [f"{run.seconds.sum() / 60:.1f}" for run in runs],
        "D's loss, mean of the last epoch": [last_mean(run, "d_loss") for run in runs],
        "G's loss, mean of the last epoch": [last_mean(run, "g_loss") for run in runs],
    }


def score_tables(runs):
    """Return a Markdown table of scores for each protocol: list of texts.

    Its head has n, the network, and what the deviations are.

    Args:
        runs: list of read.Run.
    """
    tables, lines = [], lines_to_compare(runs)
    for protocol in {x.protocol_key: x.protocol for x in lines if x}.values():
        chosen = [x if x and x.protocol == protocol else None for x in lines]
        head = f"{heading(protocol)}; ±: samplings of the same generator"
        rows = score_rows(chosen, scores_of(protocol["features"]))
        tables.append(table([run.name for run in runs], rows, head))
    return tables


def score_rows(lines, titles):
    """Return the scores of one protocol: name -> list of a text or None per run.

    Args:
        lines: list of a read.ScoreLine or None per run.
        titles: dict, key -> Score, see `table.scores_of`.
    """
    rows = {"epoch scored": [line and str(line.epoch) for line in lines]}
    computed = dict.fromkeys(name for line in lines if line for name in line.scores)
    ranking = [n for n, score in titles.items() if score.better and n in computed]
    for name in dict.fromkeys([*ranking, *computed]):
        title = name.replace("_", " ")
        if name in titles:
            title = titles[name].title
        if name in ranking:
            title += f" ({titles[name].better})"
        rows[title] = [
            score_text(line.scores[name]) if line and name in line.scores else None
            for line in lines
        ]
    return rows


def finished_epochs(run):
    """Return the number of finished epochs: "3", or "2 of 3" if the run is incomplete."""
    done, total = len(run.seconds), run.record["options"]["epochs"]
    return str(done) if done == total else f"{done} of {total}"


def last_mean(run, column):
    """Return the mean of a column of history.csv over the last epoch, as a str."""
    is_last = run.history["epoch"] == run.history["epoch"].max()
    return f"{np.mean(run.history[column][is_last]):.3g}"


def comparability_notes(runs, rows):
    """Return notes on which results are comparable: list of str.

    Args:
        runs: list of read.Run.
        rows: see `different_settings`.
    """
    notes = []
    if "--objective" in rows:
        notes.append("The losses cannot be compared: the objectives are different.")
    lines = lines_to_compare(runs)
    scored = {r.name: x.protocol for r, x in zip(runs, lines, strict=True) if x}
    different, equal = [], []
    for key in (*PROTOCOL, "data"):
        names_of = {}  # value as str -> names of the runs with it
        for name, protocol in scored.items():
            names_of.setdefault(as_text(protocol[key]), []).append(name)
        if len(names_of) > 1:
            groups = [f"{value} ({', '.join(x)})" for value, x in names_of.items()]
            different.append(f"{key} is {' and '.join(groups)}")
        else:
            equal += [f"{key} {value}" for value in names_of if value != "None"]
    if different:
        notes.append(f"**The scores cannot be compared**: {'; '.join(different)}.")
    elif equal:
        notes.append(f"The scores have the same protocol: {', '.join(equal)}.")
    return notes + [
        f"{r.name} has no scores: run `python common/evaluate.py {quote(str(r.path))}`."
        for r in runs
        if r.name not in scored
    ]


def table(names, rows, head=""):
    """Return rows, name -> list of str or None per run, as a Markdown table."""
    return markdown_table([[name, *row] for name, row in rows.items()], [head, *names])


def report(runs, rows):
    """Return both tables and the notes as Markdown.

    Args:
        runs: list of read.Run.
        rows: see `different_settings`.
    """
    names = [run.name for run in runs]
    options = table(names, rows) if rows else "No differences."
    parts = ["## Differences", options, "## Results"]
    parts += [table(names, results(runs)), *score_tables(runs)]
    parts += comparability_notes(runs, rows)
    return "\n\n".join(parts)


def legend(runs, rows, ignored):
    """Return a line for each run: its name, and its different options if they are short.

    Args:
        runs: list of read.Run.
        rows: see `different_settings`.
        ignored: names of options that do not change the weights.
    """
    lines = []
    for i, run in enumerate(runs):
        parts = []
        for name, values in rows.items():
            if values[i] in (None, "no") or name in ignored:
                continue
            if name.startswith("--"):
                option = name.strip("-").replace("-", " ")
                parts.append(option if values[i] == "yes" else f"{option} {values[i]}")
            elif name == "data":
                parts.append(values[i])
        lines.append(f"{run.name}: {', '.join(parts)}" if parts else run.name)
    return lines if max(map(len, lines)) <= MAX_LENGTH else [run.name for run in runs]
