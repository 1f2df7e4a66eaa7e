"""Sample points in the plane, the training data of `train_points.py`."""

from typing import NamedTuple

import numpy as np

N_POINTS = 10_000


class Points(NamedTuple):
    """Noisy points around a skeleton: centres of Gaussians, or points on a curve."""

    points: np.ndarray  # float32 (n, 2)
    skeleton: np.ndarray  # float32 (m, 2), the points without noise
    modes: np.ndarray  # int (m,), the mode that each point of the skeleton belongs to
    sigma: float  # standard deviation of the noise, in x and in y


def ring(rng, n=N_POINTS):
    """Sample n Points of 8 Gaussians on a circle of radius 1."""
    angles = np.arange(8) * np.pi / 4
    return gaussians(rng, n, np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.05)


def grid(rng, n=N_POINTS):
    """Sample n Points of 25 Gaussians, 5 x 5, in [-1, 1] x [-1, 1]."""
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
    return gaussians(rng, n, np.stack([x.ravel(), y.ravel()], axis=1), 0.025)


def gaussians(rng, n, centres, sigma):
    """Sample n Points around random centres, float (m, 2), with noise of std sigma."""
    picks = rng.integers(len(centres), size=n)
    return with_noise(rng, centres[picks], centres, np.arange(len(centres)), sigma)


def moons(rng, n=N_POINTS):
    """Sample n Points of two interleaving half circles."""
    from sklearn.datasets import make_moons

    curve, modes = make_moons(n, random_state=int(rng.integers(2**31)))
    curve = (curve - [0.5, 0.25]) / 1.5
    return with_noise(rng, curve, curve, modes, 0.05)


def roll(rng, n=N_POINTS):
    """Sample n Points of a spiral, the cross section of the Swiss roll."""
    from sklearn.datasets import make_swiss_roll

    points, _ = make_swiss_roll(n, random_state=int(rng.integers(2**31)))
    curve = points[:, [0, 2]] / 14
    return with_noise(rng, curve, curve, np.zeros(n, int), 0.025)


def with_noise(rng, clean, skeleton, modes, sigma):
    """Return Points: clean, float (n, 2), plus Gaussian noise of std sigma."""
    points = clean + sigma * rng.standard_normal(clean.shape)
    return Points(points.astype("float32"), skeleton.astype("float32"), modes, sigma)


SETS = {"ring": ring, "grid": grid, "moons": moons, "roll": roll}


def coverage(points, target):
    """Return how many modes generated points cover, and the fraction near the skeleton.

    Args:
        points: float32 (n, 2), generated points.
        target: Points, the real ones.

    Returns:
        number of covered modes: at least n / (4 * number of modes) points are within 3
        sigma of their skeleton.
        fraction of the n points within 3 sigma of the skeleton, in [0, 1].
    """
    from scipy.spatial import KDTree

    finite = points[np.isfinite(points).all(axis=1)]  # all points are NaN if G diverged
    distances, nearest = KDTree(target.skeleton).query(finite)
    is_near = distances <= 3 * target.sigma
    n_modes = target.modes.max() + 1
    counts = np.bincount(target.modes[nearest[is_near]], minlength=n_modes)
    n_covered = np.sum(counts >= len(points) / n_modes / 4)
    return int(n_covered), float(is_near.sum() / len(points))
