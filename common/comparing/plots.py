"""Plots of several runs: curves in one figure, the last image grids side by side."""

import math
from collections import defaultdict

import numpy as np
from PIL import Image

from common.comparing.read import key
from common.plotting import epochs, new_figure, save_titled
from common.runs.layout import PLOT, epoch_of, files_of_epochs
from common.scores.table import DISTANCES, SCORES

OUTPUTS = {  # prefix of a column -> y label of its panel
    "acc": "D's accuracy",
    "score": "D's score",
    "energy": "energy",
}
STYLES = {"real": "solid", "fake": "dashed"}
SPAN = 40  # curves are smoothed over 1 / SPAN of a run
FAR = 20  # ratio of the largest to the typical value that needs a logarithmic axis
SHORT = 25  # characters of a label, for four columns in the legend
COLUMNS = 4  # image grids in a row


def save_curves(compared, labels, path):
    """Plot losses, D's outputs and, if available, FID or KID of runs over the epochs.

    Args:
        compared: list of read.Run.
        labels: list of texts, one line of the legend per run.
        path: PNG to write.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    panels = [("D's loss", {"d_loss": "solid"}), ("G's loss", {"g_loss": "solid"})]
    for kind, ylabel in OUTPUTS.items():
        columns = {f"{kind}_{side}": style for side, style in STYLES.items()}
        if any(set(columns) & set(run.history) for run in compared):
            panels.append((ylabel, columns))
    name, distances = comparable_distances(compared)
    rows = len(panels) + bool(distances)
    with new_figure(path, (10, 2.6 * rows), rows, sharex=True) as (figure, axes):
        for axis, (ylabel, columns) in zip(axes, panels, strict=False):
            plot_panel(axis, compared, columns)
            axis.set_ylabel(ylabel)
        if distances:
            plot_distances(axes[-1], distances, SCORES[name].title)
        steps = sorted({int(run.history["step"].max()) for run in compared})
        which = f" (of {steps[0]} to {steps[-1]} steps)" if len(steps) > 1 else ""
        axes[-1].set_xlabel(f"epoch{which}; faint: recorded, strong: smoothed")
        axes[-1].set_xlim(left=0)
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        lines = [Line2D([], [], color=colour(i), lw=2) for i in range(len(compared))]
        ncols = 1 if max(map(len, labels)) > SHORT else 4
        figure.legend(lines, labels, loc="outside upper left", ncols=ncols, frameon=False)


def colour(i):
    """Return the colour of run number i: ten strong colours, then ten pale ones."""
    from matplotlib import colormaps

    return colormaps["tab20"]((2 * i + i // 10) % 20)


def plot_panel(axis, compared, columns):
    """Plot columns of all runs: recorded values faint, smoothed values strong.

    Args:
        axis: of Matplotlib.
        compared: list of read.Run.
        columns: dict, column of history.csv -> line style.
    """
    curves, values = [], []
    for i, run in enumerate(compared):
        for column, style in columns.items():
            if column not in run.history:
                continue
            y = run.history[column]
            finite = np.isfinite(y)
            x, y = epochs(run.history)[finite], y[finite]
            if len(y) == 0:
                continue
            curve = smooth(y)
            axis.plot(x, y, color=colour(i), alpha=0.3, lw=0.8, zorder=1)
            dot = "o" if len(y) == 1 else None
            axis.plot(x, curve, color=colour(i), ls=style, lw=1.8, marker=dot, zorder=2)
            curves.append(curve)
            values.append(y)
    if any(column.startswith("acc") for column in columns):
        axis.set_ylim(-0.02, 1.02)
    elif curves:
        set_scale(axis, curves, values)
    if len(columns) > 1:
        lines = [axis.plot([], [], color="black", ls=ls)[0] for ls in STYLES.values()]
        titles = [f"{side} images" for side in STYLES]
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0}
        axis.legend(lines, titles, ncols=2, frameon=False, **place)


def smooth(y):
    """Return the moving average of a moving median: float (n,) -> (n,).

    The window is 1/40 of the values, at least 3. The median removes outliers, which would
    be plateaus in the average.
    """
    from scipy.ndimage import median_filter, uniform_filter1d

    width = max(3, len(y) // SPAN)
    return uniform_filter1d(median_filter(y, width), width)


def set_scale(axis, curves, values):
    """Set the scale and the limits of an axis so that every curve is legible.

    The axis is linear, and outliers are cut off. If the largest value is more than FAR
    times the typical value of the smallest curve, the axis is symmetric-logarithmic.

    Args:
        axis: of Matplotlib.
        curves: list of float64 (n,), the smoothed curves.
        values: list of float64 (n,), the recorded values.
    """
    sizes = [np.median(np.abs(curve)) for curve in curves]
    usual = min([size for size in sizes if size > 0], default=0)
    low, high = np.min(np.concatenate(curves)), np.max(np.concatenate(curves))
    most = max(high, -low)
    if most > FAR * usual:
        decade = 10.0 ** math.ceil(math.log10(max(usual, 1e-4 * most)))
        axis.set_yscale("symlog", linthresh=decade)
    else:
        room = max(high - low, usual)
        ends = np.concatenate([np.quantile(y, [0.005, 0.995]) for y in values])
        ends = np.clip(ends, low - room, high + room)
        low, high = min(low, ends.min()), max(high, ends.max())
    margin = 0.05 * ((high - low) or abs(high) or 1)
    axis.set_ylim(0 if low >= 0 else low - margin, high + margin)


def comparable_distances(compared):
    """Return the FID, or else KID, that at least two runs have at several epochs.

    Args:
        compared: list of read.Run.

    Returns:
        name of the score, and dict: index of the run -> dict: epoch -> (mean, std or
        None), for the first protocol with such scores; (None, {}) if there is none.
    """
    for name in DISTANCES:
        protocols = defaultdict(lambda: defaultdict(dict))
        for i, run in enumerate(compared):
            for line in run.scored:
                if line.scores.get(name):
                    protocols[key(line)][i][line.epoch] = line.scores[name]
        for found in protocols.values():
            several = {i: of_run for i, of_run in found.items() if len(of_run) > 1}
            if len(several) > 1:
                return name, several
    return None, {}


def plot_distances(axis, distances, ylabel):
    """Plot distances with their standard deviations.

    Args:
        axis: of Matplotlib.
        distances: dict of `comparable_distances`.
        ylabel: title of the score.
    """
    for i, of_run in distances.items():
        x = sorted(of_run)
        mean, std = np.array([(of_run[e][0], of_run[e][1] or 0) for e in x]).T
        axis.errorbar(x, mean, std, color=colour(i), marker="o", ms=4, capsize=3)
    means = [mean for of_run in distances.values() for mean, _ in of_run.values()]
    if min(means) > 0 and max(means) > FAR * min(means):
        axis.set_yscale("log")
    else:
        axis.set_ylim(bottom=min(0, *means))
    axis.set_ylabel(ylabel)


def save_grids(compared, path):
    """Save the last image grids of all runs side by side.

    Args:
        compared: list of read.Run.
        path: PNG to write.
    """
    pictures, titles = [], []
    for run in compared:
        paths = files_of_epochs(run.path, PLOT)
        if not paths:
            pictures.append(None)
            titles.append(f"{run.name}: no picture yet")
            continue
        with Image.open(paths[-1]) as picture:
            pictures.append(picture.convert("RGB"))
        titles.append(f"{run.name}, epoch {epoch_of(paths[-1])}")
    columns = min(COLUMNS, len(compared))
    save_titled(pictures, titles, path, columns, (4.4, 4.8), dpi=140)
