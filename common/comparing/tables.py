"""The tables of a comparison: different options, and results."""

import math
from shlex import quote

import numpy as np

from common.comparing.read import PROTOCOL, lines_to_compare
from common.runs.tables import markdown_table
from common.scores.table import SCORES

LEFT_OUT = {"run_dir", "resume", "data"}  # data is compared by its fingerprint
LONG = 60  # most characters of a line of the legend


def facts(record):
    """Return the settings of a run as texts: dict, name -> value, without unset ones.

    Args:
        record: see `record.describe_run`.
    """
    found = {"script": record["script"]}
    for name, value in record["options"].items():
        if name not in LEFT_OUT:
            found[f"--{name.replace('_', '-')}"] = value
    found |= {
        "data": record["data"].get("name"),
        "data's fingerprint": record["data"]["fingerprint"],
        "device": str(record.get("device")).removeprefix("device: "),
        **record.get("versions", {}),
        "commit": record.get("commit"),
    }
    return {name: shown(value) for name, value in found.items() if value is not None}


def shown(value):
    """Return a value of `options.json` as a short text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def differing(compared):
    """Return the settings that differ: dict, name -> list of a text or None per run.

    Args:
        compared: list of read.Run.
    """
    found = [facts(run.record) for run in compared]
    names = dict.fromkeys(name for each in found for name in each)
    rows = {name: [each.get(name) for each in found] for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def score_text(score):
    """Return (mean, std or None) as "7.31 ± 0.12", rounded to two digits of the std.

    None, a score that was not computed, becomes "not computed".
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


def outcomes(compared):
    """Return epochs, minutes, losses and scores: name -> list of a text or None per run.

    Args:
        compared: list of read.Run.
    """
    rows = {
        "epochs done": [epochs_done(run) for run in compared],
        "minutes of training": [f"{run.seconds.sum() / 60:.1f}" for run in compared],
        "D's loss, mean of the last epoch": [last(run, "d_loss") for run in compared],
        "G's loss, mean of the last epoch": [last(run, "g_loss") for run in compared],
    }
    lines = lines_to_compare(compared)
    if any(lines):
        rows["epoch scored"] = [line and str(line.epoch) for line in lines]
    found = dict.fromkeys(name for line in lines if line for name in line.scores)
    known = [name for name, score in SCORES.items() if score.better and name in found]
    for name in dict.fromkeys([*known, *found]):
        rows[title(name)] = [
            score_text(line.scores[name]) if line and name in line.scores else None
            for line in lines
        ]
    return rows


def title(name):
    """Return the title of a score in the table."""
    if name in SCORES and SCORES[name].better:
        return f"{SCORES[name].title} ({SCORES[name].better})"
    return name.replace("_", " ")


def epochs_done(run):
    """Return the number of finished epochs, and of how many if some are missing."""
    done, wanted = len(run.seconds), run.record["options"]["epochs"]
    return str(done) if done == wanted else f"{done} of {wanted}"


def last(run, column):
    """Return the mean of a column of history.csv over the last epoch, as a text."""
    of_last_epoch = run.history["epoch"] == run.history["epoch"].max()
    return f"{np.mean(run.history[column][of_last_epoch]):.3g}"


def remarks(compared, rows):
    """Return notes on which results are comparable: list of texts.

    Args:
        compared: list of read.Run.
        rows: see `differing`.
    """
    notes = []
    if "--objective" in rows:
        notes.append("The losses cannot be compared: the objectives are different.")
    names = [run.name for run in compared]
    lines = dict(zip(names, lines_to_compare(compared), strict=True))
    protocols = {name: line.protocol for name, line in lines.items() if line}
    differ, alike = [], []
    for key in (*PROTOCOL, "data"):
        values = {name: shown(each[key]) for name, each in protocols.items()}
        if len(set(values.values())) > 1:
            differ.append(f"{key} is {grouped(values)}")
        elif values and any(each[key] is not None for each in protocols.values()):
            alike.append(f"{key} {next(iter(values.values()))}")
    if differ:
        notes.append(f"**The scores cannot be compared**: {'; '.join(differ)}.")
    elif alike:
        notes.append(f"The scores have the same protocol: {', '.join(alike)}.")
    notes += [
        f"{run.name} has no scores: run "
        f"`python common/evaluate.py {quote(str(run.path))}`."
        for run in compared
        if lines[run.name] is None
    ]
    return notes


def grouped(values):
    """Return {"a": "1", "b": "1", "c": "2"} as "1 (a, b) and 2 (c)"."""
    groups = {}
    for name, value in values.items():
        groups.setdefault(value, []).append(name)
    return " and ".join(f"{value} ({', '.join(x)})" for value, x in groups.items())


def table(names, rows):
    """Return rows, name -> list of a text or None per run, as a Markdown table."""
    return markdown_table([[name, *row] for name, row in rows.items()], ["", *names])


def report(compared, rows):
    """Return both tables and the notes as Markdown.

    Args:
        compared: list of read.Run.
        rows: see `differing`.
    """
    names = [run.name for run in compared]
    options = table(names, rows) if rows else "No differences."
    parts = ["## Differences", options, "## Results"]
    parts += [table(names, outcomes(compared)), *remarks(compared, rows)]
    return "\n\n".join(parts)


def legend(compared, rows, left_out):
    """Return a line for each run: its name, and its different options if they are short.

    Args:
        compared: list of read.Run.
        rows: see `differing`.
        left_out: names of options that do not change the weights.
    """
    lines = []
    for i, run in enumerate(compared):
        words = []
        for name, values in rows.items():
            if values[i] in (None, "no") or name in left_out:
                continue
            if name.startswith("--"):
                word = name.strip("-").replace("-", " ")
                words.append(word if values[i] == "yes" else f"{word} {values[i]}")
            elif name == "data":
                words.append(values[i])
        lines.append(f"{run.name}: {', '.join(words)}" if words else run.name)
    return lines if max(map(len, lines)) <= LONG else [run.name for run in compared]
