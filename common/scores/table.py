"""Define the table of scores: title, format, and whether less or more is better."""

from typing import NamedTuple

LESS, MORE = "less is better", "more is better"


class Score(NamedTuple):
    """How a score is displayed.

    Attributes:
        title: heading in tables.
        pattern: format of the value.
        better: LESS, MORE, or "" if generators are not ranked by it.
        in_row: whether the row printed for each generator includes it.
    """

    title: str
    pattern: str
    better: str = ""
    in_row: bool = False


SCORES = {  # key in metrics.jsonl, in the order of the tables
    "fid": Score("FID", "{:.2f}", LESS, True),
    "kid": Score("KID", "{:.4f}", LESS, True),
    "kid_error": Score("standard error of KID", "{:.4f}"),
    "precision": Score("precision", "{:.3f}", MORE, True),
    "recall": Score("recall", "{:.3f}", MORE, True),
    "density": Score("density", "{:.3f}", MORE, True),
    "coverage": Score("coverage", "{:.3f}", MORE, True),
    "copies": Score("share of copies", "{:.3f}"),
    "inception_score": Score("Inception Score", "{:.2f}", MORE),
    "inception_score_split": Score("IS of 10 splits", "{:.2f}"),
    "inception_score_split_std": Score("IS deviation of splits", "{:.2f}"),
    "confident": Score("confident (p > 0.9)", "{:.3f}"),
    "classes_seen": Score("classes seen", "{:.0f}"),
    "rarest": Score("rarest class", "{:.3f}"),
    "commonest": Score("commonest class", "{:.3f}"),
    "entropy": Score("entropy of classes", "{:.3f}"),
    "kl_to_uniform": Score("KL to uniform", "{:.4f}"),
    "agreement": Score("class accuracy", "{:.3f}"),
}
DISTANCES = [name for name, score in SCORES.items() if score.better == LESS]
SHARES = [name for name, score in SCORES.items() if score.better == MORE and score.in_row]
