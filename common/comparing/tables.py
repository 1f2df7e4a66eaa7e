"""The tables of a comparison: what differs between runs, and what came out of them."""

import math
from shlex import quote

import numpy as np

from common.comparing.read import PROTOCOL, lines_to_compare
from common.runs.tables import markdown_table
from common.scores.table import SCORES

LEFT_OUT = {"run_dir", "resume", "data"}  # they must differ; data is told by its content
LONG = 60  # characters of a legend's line


def facts(record):
    """What a run was made of, as texts: name -> value; what is not set is left out."""
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
    """A value of `options.json` as a short text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def differing(compared):
    """The facts that are not equal in all runs: name -> list of a text or None each."""
    found = [facts(run.record) for run in compared]
    names = dict.fromkeys(name for each in found for name in each)
    rows = {name: [each.get(name) for each in found] for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def score_text(score):
    """(mean, std or None) -> "7.31 ± 0.12", with two digits of the std."""
    if score is None:
        return "refused"
    mean, std = score
    if std is None:
        return f"{mean:.4g}"
    if not 0 < std < math.inf:
        return f"{mean:.4g} ± {std:g}"
    digits = max(0, 1 - math.floor(math.log10(std)))
    return f"{mean:.{digits}f} ± {std:.{digits}f}"


def outcomes(compared):
    """Epochs, minutes, losses and scores: name -> list of a text or None for each run."""
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
    """Return what a score is called in the table."""
    if name in SCORES and SCORES[name].better:
        return f"{SCORES[name].title} ({SCORES[name].better})"
    return name.replace("_", " ")


def epochs_done(run):
    done, asked = len(run.seconds), run.record["options"]["epochs"]
    return str(done) if done == asked else f"{done} of {asked}"


def last(run, column):
    """The mean of a column over the last epoch, as a text."""
    of_last_epoch = run.history["epoch"] == run.history["epoch"].max()
    return f"{np.mean(run.history[column][of_last_epoch]):.3g}"


def remarks(compared, rows):
    """What the reader of the outcomes must know: a list of sentences.

    Args:
        compared: list of read.Run.
        rows: see `differing`.
    """
    said = []
    if "--objective" in rows:
        said.append("The losses are of different objectives: they cannot be compared.")
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
        said.append(f"**The scores cannot be compared**: {'; '.join(differ)}.")
    elif alike:
        said.append(f"The scores are of one protocol: {', '.join(alike)}.")
    said += [
        f"{run.name} has no scores: `python common/evaluate.py {quote(str(run.path))}` "
        "makes them."
        for run in compared
        if lines[run.name] is None
    ]
    return said


def grouped(values):
    """{"a": "1", "b": "1", "c": "2"} -> "1 (a, b) and 2 (c)"."""
    groups = {}
    for name, value in values.items():
        groups.setdefault(value, []).append(name)
    return " and ".join(f"{value} ({', '.join(x)})" for value, x in groups.items())


def table(names, rows):
    """Return rows, name -> list of a text or None for each run, as Markdown."""
    return markdown_table([[name, *row] for name, row in rows.items()], ["", *names])


def report(compared, rows):
    """Both tables with what must be said of them, as Markdown."""
    names = [run.name for run in compared]
    options = table(names, rows) if rows else "Nothing differs."
    parts = ["## What differs", options, "## What came out"]
    parts += [table(names, outcomes(compared)), *remarks(compared, rows)]
    return "\n\n".join(parts)


def legend(compared, rows, left_out):
    """Return a line for each run: its name, and what differs if that is short.

    Args:
        compared: list of read.Run.
        rows: see `differing`.
        left_out: names of options that change nothing in what G learns.
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
