"""Summarize measurements: medians, quartiles, ratios, targets, Markdown tables."""

import json
import operator
import os
import platform
import statistics
import subprocess
from datetime import datetime
from pathlib import Path

from common.runs.record import commit
from common.runs.tables import markdown_table

SIGNS = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}
QUICK = "**A quick run: few repetitions. Its numbers only test the scripts.**"


def spread(values):
    """Return median, quartiles and number of the values, a dict."""
    values = [float(value) for value in values]
    low, middle, high = (
        statistics.quantiles(values, n=4, method="inclusive")
        if len(values) > 1
        else values * 3
    )
    return {"median": middle, "quartiles": [low, high], "n": len(values)}


def ratios(ours, theirs):
    """Return the `spread` of ours / theirs, taken within rounds of the same load."""
    return spread(a / b for a, b in zip(ours, theirs, strict=True))


def met_or_missed(value, target):
    """Return "met" or "missed".

    Args:
        value: measured number.
        target: a text that begins with "<=", "<" or ">=" and a number: "<= 0.65".
    """
    sign, bound = target.split()[:2]
    return "met" if SIGNS[sign](value, float(bound)) else "missed"


def row(what, unit, values, target=None):
    """Return a row of the results, a dict.

    Args:
        what: what was measured, and what it is compared with.
        unit: of the numbers.
        values: list of numbers, or a result of `spread`.
        target: see `met_or_missed`; None for a row without a target.
    """
    result = {"what": what, "unit": unit}
    result |= values if isinstance(values, dict) else spread(values)
    if target is not None:
        result |= {"target": target, "verdict": met_or_missed(result["median"], target)}
    return result


def machine():
    """Return CPU, cores, memory, GPU and load of this machine, a dict."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        gpu = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        gpu = ""
    n_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(n_bytes / 2**30),
        "gpu": gpu or None,
        "load_before": round(os.getloadavg()[0], 2),
    }


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if "model name" in line)
    return next(names, platform.processor())


def header(versions, quick):
    """Return date, commit, machine and versions for the results, a dict."""
    return {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "commit": commit(),
        "quick": quick,
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions},
    }


def write(folder, name, command, head, rows, **more):
    """Write `name.json` and `name.md` of a command into a folder; return the text."""
    content = {**head, "rows": rows, **more}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    text = markdown(f"# {name.capitalize()}: `{command}`\n", head, rows)
    (folder / f"{name}.md").write_text(text)
    return text


def markdown(title, head, rows):
    """Return the results as Markdown, rows with a target first."""
    rated = [r for r in rows if "target" in r]
    parts = [
        title,
        *([QUICK + "\n"] if head["quick"] else []),
        described(head),
        "Ratios are times, ours / theirs, round by round.\n",
        *(["## Targets\n", table(rated, True)] if rated else []),
        "## Other rows\n",
        table([r for r in rows if "target" not in r], False),
    ]
    return "\n".join(parts)


def described(head):
    """Return a line of text about a result of `header`."""
    m, versions = head["machine"], head["versions"].items()
    return (
        f"{head['date']}, commit {head['commit']}; {m['cpu']}, {m['cores']} cores, "
        f"{m['memory_gib']} GiB{', ' + m['gpu'] if m['gpu'] else ''}, load before "
        f"{m['load_before']}; {', '.join(f'{k} {v}' for k, v in versions)}\n"
    )


def table(rows, has_target):
    """Return a Markdown table of the results of `row`."""
    heads = ["what", "median", "quartiles", "n", *["target", "result"] * has_target]
    return markdown_table([cells(r, has_target) for r in rows], heads) + "\n"


def cells(r, has_target):
    low, high = r["quartiles"]
    shown = [r["what"], f"{digits(r['median'])} {r['unit']}"]
    shown += [f"{digits(low)} to {digits(high)}", str(r["n"])]
    return shown + ([r["target"], r["verdict"]] if has_target else [])


def digits(value):
    """Format with three significant digits and no exponent: 0.0123, 1.23, 12345."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
