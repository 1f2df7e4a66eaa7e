"""Scores are named after the network whose features they are computed from."""

import numpy as np
import pytest

from common.data.datasets import Images
from common.scores.features import Features
from common.scores.scorer import Scorer
from common.scores.table import distances_of, heading, name_scores, scores_of


@pytest.mark.parametrize(
    ("features", "titles"),
    [
        ("inception-2015", ["FID", "KID", "Inception Score"]),
        (
            "keras-inception",
            [f"{name} (Keras Inception)" for name in ("FID", "KID", "Inception Score")],
        ),
        (
            "mnist-classifier",
            ["FD (digit classifier)", "KD (digit classifier)", "classifier score"],
        ),
        (
            "cifar-10-classifier",
            ["FD (CIFAR-10 classifier)", "KD (CIFAR-10 classifier)", "classifier score"],
        ),
        (
            "img_align_celeba-rotations",
            [f"{name} (CelebA rotation classifier)" for name in ("FD", "KD")]
            + ["classifier score"],
        ),
        (None, ["FD (unknown network)", "KD (unknown network)", "classifier score"]),
    ],
)
def test_titles_name_the_network(features, titles):
    rows = scores_of(features)
    score = "inception_score" if "inception" in str(features) else "classifier_score"
    assert [rows[key].title for key in (*distances_of(features), score)] == titles


def test_the_head_of_a_table_has_n_and_the_network():
    protocol = {"n": 10_000, "features": "inception-2015"}
    assert heading(protocol) == "n = 10,000 per set, Inception"
    assert heading({"n": 50, "features": "mnist-classifier"}) == (
        "n = 50 per set, digit classifier"
    )


def test_keys_follow_the_features_in_both_directions():
    before, today = {"fid": 1, "kid_error": 2, "recall": 3}, ["fd", "kd_error", "recall"]
    assert list(name_scores(before, "mnist-classifier")) == today
    assert name_scores(before, "keras-inception") == before
    named = name_scores(before, "mnist-classifier")
    assert name_scores(named, "mnist-classifier") == named


@pytest.mark.parametrize(
    ("features", "keys"),
    [
        ("mnist-classifier", {"fd", "kd", "kd_error", "classifier_score"}),
        ("inception-2015", {"fid", "kid", "kid_error", "inception_score"}),
    ],
)
def test_a_scorer_gives_every_score_of_the_table(features, keys):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (200, 2, 2, 1), np.uint8)
    images = Images(pixels, np.zeros(200, int), "mnist", "here")

    def extract(batch):
        rows = batch.reshape(len(batch), -1) / np.float32(255)
        return rows, rows / rows.sum(1, keepdims=True)

    scorer = Scorer(images, None, Features(features, extract, "ab12", "none"))
    assert scorer.n == 100  # as many again are left for the real images
    scores = scorer.score(pixels[100:])
    assert keys < set(scores)
    assert set(scores) == set(scores_of(features)) - {"copies", "agreement"}
