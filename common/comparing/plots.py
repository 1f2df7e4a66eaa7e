"""Pictures of several runs: curves in one figure, the last images side by side."""

import math
from collections import defaultdict

import numpy as np
from PIL import Image

from common.comparing.read import key
from common.plotting import epochs, new_figure, save_titled
from common.runs.layout import PLOT, epoch_of, files_of_epochs
from common.scores.table import DISTANCES, SCORES

OUTPUTS = {  # start of a column's name -> what a panel of D's outputs shows
    "acc": "share of images\nthat D tells right",
    "score": "D's score",
    "energy": "energy",
}
STYLES = {"real": "solid", "fake": "dashed"}
SPAN = 40  # curves are smoothed over this part of a run
FAR = 20  # times the usual size of a run's curve: then the axis becomes logarithmic
SHORT = 25  # characters of a label, of which four stand in a line of the legend
COLUMNS = 4  # grids in a row


def save_curves(compared, labels, path):
    """Draw losses, D's outputs and, if there are, distances of runs over the epochs.

    Args:
        compared: list of read.Run.
        labels: a line of the legend for each.
        path: PNG to write.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    panels = [("D's loss", {"d_loss": "solid"}), ("G's loss", {"g_loss": "solid"})]
    for kind, ylabel in OUTPUTS.items():
        columns = {f"{kind}_{side}": style for side, style in STYLES.items()}
        if any(set(columns) & set(run.history) for run in compared):
            panels.append((ylabel, columns))
    distance, points = comparable_distances(compared)
    rows = len(panels) + bool(points)
    with new_figure(path, (10, 2.6 * rows), rows, sharex=True) as (figure, axes):
        for axis, (ylabel, columns) in zip(axes, panels, strict=False):
            draw_panel(axis, compared, columns)
            axis.set_ylabel(ylabel)
        if points:
            draw_distances(axes[-1], points, SCORES[distance].title)
        steps = sorted({int(run.history["step"].max()) for run in compared})
        which = f" (of {steps[0]} to {steps[-1]} steps)" if len(steps) > 1 else ""
        axes[-1].set_xlabel(f"epoch{which}; faint: as recorded, strong: smoothed")
        axes[-1].set_xlim(left=0)
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        lines = [Line2D([], [], color=colour(i), lw=2) for i in range(len(compared))]
        ncols = 1 if max(map(len, labels)) > SHORT else 4
        figure.legend(lines, labels, loc="outside upper left", ncols=ncols, frameon=False)


def colour(i):
    """The colour of the run of this number: ten strong ones, then ten pale ones."""
    from matplotlib import colormaps

    return colormaps["tab20"]((2 * i + i // 10) % 20)


def draw_panel(axis, compared, columns):
    """Draw these columns of all runs: each value faint, smoothed strong."""
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
    """The running mean of running medians, over a 40th of all, at least 3: (n,) -> (n,).

    The medians keep single values far off from making a plateau of the mean.
    """
    from scipy.ndimage import median_filter, uniform_filter1d

    width = max(3, len(y) // SPAN)
    return uniform_filter1d(median_filter(y, width), width)


def set_scale(axis, curves, values):
    """Choose an axis on which every curve can be read.

    Linear, and cut where single values leave the curves; logarithmic beyond the
    usual size of the smallest curve, where one runs far off or is of another size.

    Args:
        axis: of Matplotlib.
        curves: list of float64 (n,), the smoothed curves.
        values: list of float64 (n,), what was smoothed.
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
    """The distance, FID or else KID, that two runs or more have of several epochs.

    Returns:
        name of the score, and dict: number of the run -> dict: epoch -> (mean, std),
        of the first protocol under which there are such; None and {} if there are none.
    """
    for name in DISTANCES:
        protocols = defaultdict(lambda: defaultdict(dict))
        for i, run in enumerate(compared):
            for line in run.scored:
                if line.scores.get(name):
                    protocols[key(line)][i][line.epoch] = line.scores[name]
        for found in protocols.values():
            several = {i: points for i, points in found.items() if len(points) > 1}
            if len(several) > 1:
                return name, several
    return None, {}


def draw_distances(axis, points, ylabel):
    """Draw distances with their standard deviations; arguments as returned above."""
    for i, of_run in points.items():
        x = sorted(of_run)
        mean, std = np.array([(of_run[e][0], of_run[e][1] or 0) for e in x]).T
        axis.errorbar(x, mean, std, color=colour(i), marker="o", ms=4, capsize=3)
    means = [mean for of_run in points.values() for mean, _ in of_run.values()]
    if min(means) > 0 and max(means) > FAR * min(means):
        axis.set_yscale("log")
    else:
        axis.set_ylim(bottom=min(0, *means))
    axis.set_ylabel(ylabel)


def save_grids(compared, path):
    """Show the last picture of every run side by side."""
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
