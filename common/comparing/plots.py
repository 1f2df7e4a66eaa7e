"""Plot several runs: curves in one figure, the last image grids side by side."""

import math
from collections import defaultdict

import numpy as np
from PIL import Image

from common.plotting import epochs, new_figure, save_titled
from common.runs.layout import PLOT, epoch_of, files_of_epochs
from common.scores.table import distances_of, n_of, scores_of

OUTPUTS = {  # prefix of a column -> y label of its panel
    "acc": "D's accuracy",
    "score": "D's score",
    "energy": "energy",
}
STYLES = {"real": "solid", "fake": "dashed"}
WINDOWS_PER_RUN = 40  # a smoothing window is a 40th of a run
LOG_RATIO = 20  # ratio of largest to typical value from which an axis is logarithmic
SHORT_LABEL = 25  # characters; longer labels are in one column of the legend
COLUMNS = 4  # image grids in a row, columns of short labels


def save_curves(runs, labels, path):
    """Plot losses, D's outputs and, if available, a distance of runs over the epochs.

    Args:
        runs: list of read.Run.
        labels: list of str, names of the runs in the legend.
        path: PNG to write.
    """
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    panels = [("D's loss", {"d_loss": "solid"}), ("G's loss", {"g_loss": "solid"})]
    for prefix, ylabel in OUTPUTS.items():
        columns = {f"{prefix}_{side}": style for side, style in STYLES.items()}
        if any(set(columns) & set(run.history) for run in runs):
            panels.append((ylabel, columns))
    title, distances = comparable_distances(runs)
    rows = len(panels) + bool(distances)
    with new_figure(path, (10, 2.6 * rows), rows, sharex=True) as (figure, axes):
        for axis, (ylabel, columns) in zip(axes, panels, strict=False):
            plot_panel(axis, runs, columns)
            axis.set_ylabel(ylabel)
        if distances:
            plot_distances(axes[-1], distances, title)
        steps = sorted({int(run.history["step"].max()) for run in runs})
        lengths = f" (of {steps[0]} to {steps[-1]} steps)" if len(steps) > 1 else ""
        axes[-1].set_xlabel(f"epoch{lengths}; faint: recorded, strong: smoothed")
        axes[-1].set_xlim(left=0)
        axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        lines = [Line2D([], [], color=colour(i), lw=2) for i in range(len(runs))]
        ncols = 1 if max(map(len, labels)) > SHORT_LABEL else COLUMNS
        figure.legend(lines, labels, loc="outside upper left", ncols=ncols, frameon=False)


def colour(i):
    """Return the colour of the run with index i, an RGBA tuple; 20 colours, repeated."""
    from matplotlib import colormaps

    return colormaps["tab20"]((2 * i + i // 10) % 20)


def plot_panel(axis, runs, columns):
    """Plot columns of all runs: recorded values faint, smoothed values strong.

    Args:
        axis: Matplotlib axis.
        runs: list of read.Run.
        columns: dict, column of history.csv -> line style.
    """
    curves, values = [], []
    for i, run in enumerate(runs):
        for column in [name for name in columns if name in run.history]:
            y = run.history[column]
            finite = np.isfinite(y)
            x, y = epochs(run.history)[finite], y[finite]
            if len(y) == 0:
                continue
            curve = smooth(y)
            axis.plot(x, y, color=colour(i), alpha=0.3, lw=0.8, zorder=1)
            style = {"ls": columns[column], "marker": "o" if len(y) == 1 else None}
            axis.plot(x, curve, color=colour(i), lw=1.8, zorder=2, **style)
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
    be plateaus of the average.
    """
    from scipy.ndimage import median_filter, uniform_filter1d

    window = max(3, len(y) // WINDOWS_PER_RUN)
    return uniform_filter1d(median_filter(y, window), window)


def set_scale(axis, curves, values):
    """Set the scale and the limits of an axis so that every curve is legible.

    The axis is linear, and outliers are cut off. If the largest value is more than
    LOG_RATIO times the median of the smallest curve, it is symmetric-logarithmic.

    Args:
        axis: Matplotlib axis.
        curves: list of float64 (n,), the smoothed curves.
        values: list of float64 (n,), the recorded values.
    """
    medians = [np.median(np.abs(curve)) for curve in curves]
    typical = min(filter(None, medians), default=0)
    low, high = np.min(np.concatenate(curves)), np.max(np.concatenate(curves))
    largest = max(high, -low)
    if largest > LOG_RATIO * typical:
        linear_limit = 10.0 ** math.ceil(math.log10(max(typical, 1e-4 * largest)))
        axis.set_yscale("symlog", linthresh=linear_limit)
    else:
        margin = max(high - low, typical)
        limits = np.concatenate([np.quantile(y, [0.005, 0.995]) for y in values])
        limits = np.clip(limits, low - margin, high + margin)
        low, high = min(low, limits.min()), max(high, limits.max())
    margin = 0.05 * ((high - low) or abs(high) or 1)
    axis.set_ylim(0 if low >= 0 else low - margin, high + margin)


def comparable_distances(runs):
    """Return the Frechet or else kernel distance that two runs have at several epochs.

    Args:
        runs: list of read.Run.

    Returns:
        title of the score with its network and n, and dict: index of the run -> dict:
        epoch -> (mean, std or None), for the first protocol with such scores; (None, {})
        if there is none.
    """
    for kind in range(2):  # see `distances_of`
        protocols, titles = defaultdict(lambda: defaultdict(dict)), {}
        for i, run in enumerate(runs):
            for line in run.score_lines:
                features = line.protocol["features"]
                name = distances_of(features)[kind]
                if line.scores.get(name):
                    protocols[line.protocol_key][i][line.epoch] = line.scores[name]
                    title = scores_of(features)[name].title
                    titles[line.protocol_key] = f"{title}\n{n_of(line.protocol)}"
        for key, curves in protocols.items():
            curves = {i: curve for i, curve in curves.items() if len(curve) > 1}
            if len(curves) > 1:
                return titles[key], curves
    return None, {}


def plot_distances(axis, distances, ylabel):
    """Plot distances with their standard deviations.

    Args:
        axis: Matplotlib axis.
        distances: dict, see `comparable_distances`.
        ylabel: see `comparable_distances`.
    """
    means = []
    for i, curve in distances.items():
        x = sorted(curve)
        mean, std = np.array([(curve[epoch][0], curve[epoch][1] or 0) for epoch in x]).T
        axis.errorbar(x, mean, std, color=colour(i), marker="o", ms=4, capsize=3)
        means.extend(mean)
    if min(means) > 0 and max(means) > LOG_RATIO * min(means):
        axis.set_yscale("log")
    else:
        axis.set_ylim(bottom=min(0, *means))
    axis.set_ylabel(ylabel)


def save_grids(runs, path):
    """Save the last image grids of all runs side by side.

    Args:
        runs: list of read.Run.
        path: PNG to write.
    """
    paths = [max(files_of_epochs(x.path, PLOT), key=epoch_of, default=None) for x in runs]
    pictures = [path and Image.open(path).convert("RGB") for path in paths]
    titles = [
        f"{run.name}, epoch {epoch_of(path)}" if path else f"{run.name}: no picture yet"
        for run, path in zip(runs, paths, strict=True)
    ]
    columns = min(COLUMNS, len(runs))
    save_titled(pictures, titles, path, columns, (4.4, 4.8), dpi=140)
