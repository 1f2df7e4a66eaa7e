"""Define the table of scores: name, format, and whether less or more is better.

Scores are named after the network whose features they are computed from. FID, KID and
Inception Score are those of Inception; the same formulas on the features of a classifier
give a Frechet distance (FD), a kernel distance (KD) and a classifier score.
"""

from typing import NamedTuple

LESS, MORE = "less is better", "more is better"


class Score(NamedTuple):
    """How a score is displayed.

    Attributes:
        title: heading in tables; {} is the name of the network.
        pattern: format of the value.
        better: LESS, MORE, or "" if generators are not ranked by it.
        in_row: whether the row printed for each generator includes it.
        inception: key and title if the features are Inception's, where others are used.
    """

    title: str
    pattern: str
    better: str = ""
    in_row: bool = False
    inception: tuple = ()


SCORES = {  # key in metrics.jsonl with the features of a classifier, in the tables' order
    "fd": Score("FD ({})", "{:.2f}", LESS, True, ("fid", "FID{}")),
    "kd": Score("KD ({})", "{:.4f}", LESS, True, ("kid", "KID{}")),
    "kd_error": Score(
        "standard error of KD", "{:.4f}",
        inception=("kid_error", "standard error of KID{}"),
    ),
    "precision": Score("precision", "{:.3f}", MORE, True),
    "recall": Score("recall", "{:.3f}", MORE, True),
    "density": Score("density", "{:.3f}", MORE, True),
    "coverage": Score("coverage", "{:.3f}", MORE, True),
    "copies": Score("share of copies", "{:.3f}"),
    "classifier_score": Score(
        "classifier score", "{:.2f}", MORE,
        inception=("inception_score", "Inception Score{}"),
    ),
    "classifier_score_split": Score(
        "classifier score, mean of 10 splits", "{:.2f}",
        inception=("inception_score_split", "Inception Score{}, mean of 10 splits"),
    ),
    "classifier_score_split_std": Score(
        "classifier score, std of 10 splits", "{:.2f}",
        inception=("inception_score_split_std", "Inception Score{}, std of 10 splits"),
    ),
    "confident": Score("confident (p > 0.9)", "{:.3f}"),
    "classes_seen": Score("classes seen", "{:.0f}"),
    "rarest": Score("rarest class", "{:.3f}"),
    "commonest": Score("commonest class", "{:.3f}"),
    "entropy": Score("entropy of classes", "{:.3f}"),
    "kl_to_uniform": Score("KL to uniform", "{:.4f}"),
    "agreement": Score("class accuracy", "{:.3f}"),
}  # fmt: skip
INCEPTIONS = {"inception-2015": "", "keras-inception": " (Keras Inception)"}
DATA = {  # name of a data set -> name in titles, if it is another
    "mnist": "digit",
    "digits": "scikit-learn digit",
    "cifar-10": "CIFAR-10",
    "img_align_celeba": "CelebA",
}
INCEPTION_KEYS = {key: row.inception[0] for key, row in SCORES.items() if row.inception}
CLASSIFIER_KEYS = {inception: key for key, inception in INCEPTION_KEYS.items()}
SHARES = [name for name, score in SCORES.items() if score.better == MORE and score.in_row]


def network_name(features):
    """Return the name of a network: "digit classifier", "Keras Inception", "Inception".

    Args:
        features: `Features.name`, such as "mnist-classifier" or "cats-rotations".
    """
    if features in INCEPTIONS:
        return INCEPTIONS[features].strip(" ()") or "Inception"
    data, _, kind = str(features or "unknown network").rpartition("-")
    kind = kind.replace("rotations", "rotation classifier")
    return f"{DATA.get(data, data)} {kind}".strip()


def heading(protocol):
    """Return the head of a table of scores: "n = 10,000 per set, digit classifier".

    Args:
        protocol: dict with `n`, images per set, and `features`; see `Scorer.protocol`.
    """
    return f"{n_of(protocol)} per set, {network_name(protocol['features'])}"


def n_of(protocol):
    """Return "n = 10,000" of a protocol, whose `n` may be damaged."""
    n = protocol["n"]
    return f"n = {n:,}" if isinstance(n, int) else f"n = {n}"


def scores_of(features):
    """Return the scores of features: dict, key in metrics.jsonl -> Score.

    Args:
        features: `Features.name`.
    """
    rows = {}
    for key, row in SCORES.items():
        title, network = row.title, network_name(features)
        if row.inception and features in INCEPTIONS:
            (key, title), network = row.inception, INCEPTIONS[features]
        rows[key] = row._replace(title=title.format(network))
    return rows


def distances_of(features):
    """Return the keys of the Frechet and of the kernel distance: ["fd", "kd"]."""
    return [key for key, row in scores_of(features).items() if row.better == LESS]


def name_scores(scores, features):
    """Return scores with the keys of their features.

    Before, `metrics.jsonl` had the keys of Inception's scores for all features.

    Args:
        scores: dict, key -> score, with the keys of Inception's features or of others.
        features: `Features.name`.
    """
    keys = INCEPTION_KEYS if features in INCEPTIONS else CLASSIFIER_KEYS
    return {keys.get(key, key): score for key, score in scores.items()}
