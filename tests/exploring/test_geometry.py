"""`common/exploring/geometry.py` against closed-form results."""

import numpy as np
import pytest

from common.exploring import geometry
from common.exploring.geometry import closed_path, lerp, slerp, step_lengths

SHARES = np.linspace(0, 1, 9)


def latent_vectors(n, d=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def test_the_straight_way_is_even_and_shortest():
    a, b = latent_vectors(2)
    way = lerp(a, b, SHARES)
    np.testing.assert_allclose(way[[0, 4, 8]], [a, (a + b) / 2, b])
    np.testing.assert_allclose(step_lengths(way), np.linalg.norm(b - a) / 8)


def test_the_arc_keeps_the_norm_and_turns_evenly():
    a, b = (3 * x / np.linalg.norm(x) for x in latent_vectors(2))
    way = slerp(a, b, SHARES)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 3)
    np.testing.assert_allclose(way[[0, 8]], [a, b])
    angle = np.arccos(a @ b / 9)
    turned = np.arccos(np.sum(way[1:] * way[:-1], axis=1) / 9)
    np.testing.assert_allclose(turned, angle / 8)


def test_a_quarter_of_a_circle():
    half = slerp(np.array([1.0, 0]), np.array([0, 1.0]), [0.5])
    np.testing.assert_allclose(half, [[0.5**0.5, 0.5**0.5]])


def test_the_arc_between_unequal_norms_goes_evenly_from_the_one_to_the_other():
    way = slerp(np.array([2.0, 0]), np.array([0, 6.0]), SHARES)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 2 + 4 * SHARES)


def test_the_arc_between_neighbours_is_the_straight_way():
    a = latent_vectors(1)[0]
    np.testing.assert_allclose(slerp(a, a, SHARES), np.tile(a, (9, 1)))
    near = slerp(a, a + 1e-9, SHARES)
    np.testing.assert_allclose(near, lerp(a, a + 1e-9, SHARES), atol=1e-15)


@pytest.mark.parametrize(("a", "b"), [([1, 2], [-2, -4]), ([0, 0], [1, 1])])
def test_the_arc_to_the_opposite_vector_or_from_zero_is_not_unique(a, b):
    with pytest.raises(ValueError, match="arc"):
        slerp(np.array(a, float), np.array(b, float), SHARES)


@pytest.mark.parametrize("walk", [lerp, slerp])
def test_a_loop_comes_back(walk):
    corners = np.eye(3)  # at equal distances, all ways are alike
    way = closed_path(corners, 5, walk)
    assert way.shape == (15, 3)
    np.testing.assert_allclose(way[[0, 5, 10]], corners)
    around = step_lengths(np.concatenate([way, way[:1]]))
    np.testing.assert_allclose(around, np.full(15, around[0]))


def test_sefa_directions_are_those_that_the_weights_stretch_most():
    turn, _ = np.linalg.qr(latent_vectors(4, 4))
    weights = turn @ np.diag([1.0, 4, 2, 0]) @ np.eye(4, 7)
    directions, ratios = geometry.sefa_directions(weights)
    np.testing.assert_allclose(np.abs(directions[:3] @ turn[:, [1, 2, 0]]), np.eye(3),
                               atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(ratios, [16 / 21, 4 / 21, 1 / 21, 0], atol=1e-12)
    largest = directions[np.arange(4), np.abs(directions).argmax(axis=1)]
    assert (largest > 0).all()


def test_a_linear_layer_has_the_same_directions_by_activations_and_by_weights():
    turn, _ = np.linalg.qr(latent_vectors(4, 4))
    weights = turn @ np.diag([8.0, 4, 2, 1]) @ np.eye(4, 9)
    seen = latent_vectors(400, 4, seed=1)
    by_weights, expected = geometry.sefa_directions(weights)
    directions, ratios = geometry.ganspace_directions(seen, seen @ weights + 3)
    assert directions.shape == (4, 4)
    np.testing.assert_allclose(directions, by_weights, atol=0.15)
    np.testing.assert_allclose(ratios, expected, atol=0.03)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)


def test_overlap_of_masks_by_hand():
    units = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool).T
    concepts = np.array([[0, 1, 1, 0, 0], [1, 1, 0, 0, 0]], bool).T
    counts = geometry.count_overlaps(units, concepts)
    expected = [[1 / 3, 1], [2 / 5, 2 / 5], [0, 0]]
    np.testing.assert_allclose(geometry.intersection_over_union(counts), expected)
    parts = geometry.count_overlaps(units[:2], concepts[:2])
    parts = parts + geometry.count_overlaps(units[2:], concepts[2:])
    np.testing.assert_array_equal(parts, counts)


def test_distances_of_pairs():
    rows = np.array([[0.0, 0], [3, 4], [3, 4.5], [0, 0.1]])
    distances = geometry.pairwise_distances(rows)
    assert distances.shape == (6,)
    np.testing.assert_allclose(distances[0], 5 / 2**0.5)
    pairs = geometry.closest_pairs(distances, 4, 5)
    assert pairs == [(0, 3), (1, 2)]  # each row once
    nearest = geometry.nearest_distances(distances)
    np.testing.assert_allclose(nearest * 2**0.5, [0.1, 0.5, 0.5, 0.1])
