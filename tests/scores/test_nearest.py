"""Nearest neighbours in a set that is loaded part by part, and copies."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.scores import memorization as module
from common.scores.memorization import estimate_copies, nearest, warnings

N_TRAINING, D = 900, 8


def normal(n, d=D, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype("float32")


@pytest.mark.parametrize("n_rows", [20, 21, 39])
@pytest.mark.parametrize("k", [1, 3, 15])
def test_nearest_are_those_of_all_distances_across_parts(monkeypatch, n_rows, k):
    monkeypatch.setattr(module, "SEARCH_BATCH", 10)
    rows, queries, slices = normal(n_rows), normal(30, seed=1), []
    distances, found = nearest(queries, n_rows, lambda s: slices.append(s) or rows[s], k)
    everything = cdist(queries, rows)
    order = np.argsort(everything, axis=1)[:, :k]
    np.testing.assert_array_equal(found, order)
    np.testing.assert_allclose(
        distances, np.take_along_axis(everything, order, axis=1), rtol=1e-4
    )
    assert max(s.stop - s.start for s in slices) <= 10 and slices[-1].stop == n_rows


def copies_in(samples, seed=0, n_training=N_TRAINING):
    sets = normal(n_training, seed=seed), normal(n_training // 3, seed=seed + 1)
    near = (nearest(samples, len(x), lambda rows, x=x: x[rows]) for x in sets)
    first = [(distances[:, 0], rows[:, 0]) for distances, rows in near]
    return estimate_copies(*first, *map(len, sets))


def test_fresh_samples_are_no_copies_and_the_error_is_that_of_chance():
    found = [copies_in(normal(600, seed=s + 2), seed=s) for s in range(0, 1000, 25)]
    assert not any(f["flagged"] for f in found)
    errors = np.array([f["copies"] / f["error"] for f in found])
    assert abs(errors.mean()) < 4 / np.sqrt(len(errors))
    assert errors.std() < 1.2
    assert found[0]["by_chance"] == 0.75
    assert not warnings({"pixels": found[0]})


@pytest.mark.parametrize("share", [0.5, 1])
def test_the_share_of_copies_is_found(share):
    """With many training images, so that few are copied twice."""
    n, n_training, n_copies = 1000, 15_000, round(1000 * share)
    training = normal(n_training)
    copies = training[:n_copies] + 0.01 * normal(n_copies, seed=4)
    samples = np.concatenate([copies, normal(n - n_copies, seed=5)])
    found = copies_in(samples, n_training=n_training)
    assert found["copies"] == pytest.approx(share, abs=3 * found["error"])
    assert found["error"] < 0.08 and found["flagged"]
    (warning,) = warnings({"pixels": found})
    assert "TRAINING IMAGES" in warning and "by chance 75.0%" in warning


def test_mode_collapse_is_not_flagged_as_copies():
    """All are near one image, which is a training image with probability 0.75."""
    for seed in range(0, 200, 10):
        samples = normal(1, seed=seed + 2) + 0.001 * normal(600, seed=seed + 3)
        found = copies_in(samples, seed)
        assert found["share"] in (0, 1) and not found["flagged"]


def test_bad_images_are_no_copies():
    found = copies_in(3 + 2 * normal(1000, seed=2))
    assert not found["flagged"] and abs(found["copies"]) < 4 * found["error"]
