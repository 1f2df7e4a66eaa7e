"""All scores in one table: their names, their formats, and which value is better."""

from typing import NamedTuple

LESS, MORE = "less is better", "more is better"


class Score(NamedTuple):
    """How a score is shown.

    Attributes:
        title: its name in a table.
        pattern: format of its value.
        better: LESS, MORE, or "": it ranks no generators.
        in_row: whether it stands in the row that is printed of each generator.
    """

    title: str
    pattern: str
    better: str = ""
    in_row: bool = False


SCORES = {  # name in metrics.jsonl, in the order of the tables
    "fid": Score("FID", "{:.2f}", LESS, True),
    "kid": Score("KID", "{:.4f}", LESS, True),
    "kid_error": Score("its standard error", "{:.4f}"),
    "precision": Score("precision", "{:.3f}", MORE, True),
    "recall": Score("recall", "{:.3f}", MORE, True),
    "density": Score("density", "{:.3f}", MORE, True),
    "coverage": Score("coverage", "{:.3f}", MORE, True),
    "copies": Score("share of copies", "{:.3f}"),
    "inception_score": Score("Inception Score", "{:.2f}", MORE),
    "inception_score_split": Score("of ten parts", "{:.2f}"),
    "inception_score_split_std": Score("between the parts", "{:.2f}"),
    "confident": Score("surely of a class", "{:.3f}"),
    "classes_seen": Score("classes seen", "{:.0f}"),
    "rarest": Score("rarest class", "{:.3f}"),
    "commonest": Score("commonest class", "{:.3f}"),
    "entropy": Score("entropy of classes", "{:.3f}"),
    "kl_to_uniform": Score("KL to equal shares", "{:.4f}"),
    "agreement": Score("read as asked", "{:.3f}"),
}
DISTANCES = [name for name, score in SCORES.items() if score.better == LESS]
SHARES = [name for name, score in SCORES.items() if score.better == MORE and score.in_row]
