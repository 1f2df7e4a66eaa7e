"""Select the best snapshot of a run and plot its scores against the epochs."""

import numpy as np

from common.plotting import new_figure
from common.scores.table import SHARES, distances_of, heading, scores_of


def best_of(records):
    """Return the record with the lowest Frechet distance.

    If one was not computed, it is the record with the lowest kernel distance.

    Args:
        records: list of dicts of one protocol, see `Report.add_record`.

    Returns:
        key of the score; the best record; names of the other models whose score differs
        from the best by at most two standard deviations of the difference.
    """
    frechet, kernel = distances_of(records[0]["protocol"]["features"])
    name = kernel if any(r["scores"][frechet] is None for r in records) else frechet
    best = min(records, key=lambda r: r["scores"][name]["mean"])

    def is_equivalent(record):
        a, b = best["scores"][name], record["scores"][name]
        std = np.hypot(a["std"] or 0, b["std"] or 0)
        return record is not best and b["mean"] - a["mean"] <= 2 * std

    return name, best, [r["model"] for r in records if is_equivalent(r)]


def save_curves(records, real_scores, path):
    """Plot the scores of snapshots against the epochs, with standard deviations.

    Args:
        records: list of dicts of one protocol, see `Report.add_record`.
        real_scores: dict, scores of real images, see `Scorer.real_baseline`.
        path: PNG to write.
    """
    name, best, _ = best_of(records)
    protocol = records[0]["protocol"]
    titles = {key: x.title for key, x in scores_of(protocol["features"]).items()}
    with new_figure(path, (9, 7), rows=2, sharex=True) as (figure, (distances, shares)):
        figure.suptitle(heading(protocol))
        epochs = [record["epoch"] for record in records]
        for axis, keys in ((distances, [name]), (shares, SHARES)):
            for key in keys:
                scores = [record["scores"][key] for record in records]
                means = [score["mean"] for score in scores]
                errors = [score["std"] or 0 for score in scores]
                style = {"marker": "o", "capsize": 3, "label": titles[key]}
                axis.errorbar(epochs, means, errors, **style)
        real = real_scores.get(name)
        if real is not None:
            distances.axhline(real, color="grey", ls="--", label="real images")
        label = f"best: epoch {best['epoch']}"
        star = {"color": "tab:red", "markersize": 16, "label": label}
        distances.plot(best["epoch"], best["scores"][name]["mean"], "*", **star)
        distances.set_ylabel(f"{titles[name]}, lower is better")
        if min([real or 1, *(r["scores"][name]["mean"] for r in records)]) > 0:
            distances.set_yscale("log")
            distances.yaxis.set_major_formatter("{x:g}")
        shares.set(ylabel="higher is better", xlabel="epoch", ylim=(0, None))
        for axis in (distances, shares):
            axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
