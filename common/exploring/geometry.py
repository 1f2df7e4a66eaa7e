"""The mathematics of `explore.py`: paths, directions, IoU, distances."""

import numpy as np


def lerp(a, b, shares):
    """Return vectors on the straight line from a to b: linear interpolation.

    Args:
        a, b: float (d,).
        shares: float (n,), positions on the line, 0 at a and 1 at b.

    Returns:
        float (n, d).
    """
    shares = np.asarray(shares)[:, np.newaxis]
    return (1 - shares) * a + shares * b


def slerp(a, b, shares):
    """Return vectors on the arc from a to b: spherical linear interpolation.

    Shoemake (1985), "Animating Rotation with Quaternion Curves", at equal angles. White
    (2016), "Sampling Generative Networks", section 2.1: normal vectors of many dimensions
    all have a norm near sqrt(d), and the straight line between two of them has smaller
    norms, which are rare in training. Here the norm changes linearly from |a| to |b|.

    Args:
        a, b: float (d,), neither zero nor opposite to each other.
        shares: float (n,), positions on the arc, 0 at a and 1 at b.

    Returns:
        float (n, d).

    Raises:
        ValueError: a or b is zero, or they are opposite, so that the arc is not unique.
    """
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if min(norms) == 0:
        raise ValueError("no arc starts or ends at the zero vector")
    start, end = a / norms[0], b / norms[1]
    # Kahan's formula is exact near 0 and near pi, where arccos is not.
    angle = 2 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))
    if np.pi - angle < 1e-6:
        raise ValueError("the latent vectors are opposite: the arc is not unique")
    if angle < 1e-6:
        return lerp(a, b, shares)
    shares = np.asarray(shares)[:, np.newaxis]
    arc = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
    return arc / np.sin(angle) * ((1 - shares) * norms[0] + shares * norms[1])


def loop(stops, n, walk=slerp):
    """Return a closed path through vectors, from the last back to the first.

    Args:
        stops: float (p, d), p >= 2.
        n: number of steps from one stop to the next.
        walk: `slerp` or `lerp`.

    Returns:
        float (p n, d); the first vector is not repeated at the end.
    """
    ends = np.roll(stops, -1, axis=0)
    shares = np.arange(n) / n
    return np.concatenate([walk(a, b, shares) for a, b in zip(stops, ends, strict=True)])


def step_lengths(path):
    """Return Euclidean distances from each row to the next: float (n, d) -> (n - 1,)."""
    return np.linalg.norm(np.diff(path, axis=0), axis=1)


def directions_of_weights(weights):
    """Return the directions along which a linear layer's output changes most: SeFa.

    Shen & Zhou (2021), "Closed-Form Factorization of Latent Semantics in GANs", eq. 4 and
    5: the eigenvectors of A^T A, where A maps z to the output.

    Args:
        weights: float (latent_dim, units); the output is z @ weights.

    Returns:
        directions float (k, latent_dim), orthonormal, strongest first; and their shares
        float (k,) in [0, 1] of the sum of squared singular values. k = min(latent_dim,
        units).
    """
    directions, strengths, _ = np.linalg.svd(weights, full_matrices=False)
    return signed(directions.T), strengths**2 / max(np.sum(strengths**2), 1e-12)


def directions_of_activations(vectors, activations):
    """Return latent directions of the principal components of activations: GANSpace.

    Härkönen et al. (2020), "GANSpace", section 2.2 and eq. 3: principal components of the
    activations, then the latent directions that predict z from the coordinates in these
    components, by least squares. The directions need not be orthogonal.

    Args:
        vectors: float (n, latent_dim), standard normal latent vectors, n > latent_dim.
        activations: float (n, units), of the layer for these latent vectors.

    Returns:
        directions float (k, latent_dim) of norm 1, strongest first, k = min(latent_dim,
        units, n - 1); and their shares float (k,) in [0, 1] of the variance.
    """
    centred = activations - activations.mean(axis=0)
    # The n x n matrix is smaller than the one of all units. Its eigenvectors are the
    # coordinates of unit length, so least squares is one product.
    variances, coordinates = np.linalg.eigh(centred @ centred.T)
    variances = np.maximum(variances[::-1], 0)
    k = min(vectors.shape[1], activations.shape[1], len(vectors) - 1)
    directions = coordinates[:, ::-1][:, :k].T @ vectors
    lengths = np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    return signed(directions / lengths), variances[:k] / max(variances.sum(), 1e-12)


def signed(directions):
    """Return directions (k, d) with signs that make the largest component positive."""
    rows = np.arange(len(directions))
    largest = directions[rows, np.abs(directions).argmax(axis=1)]
    return directions * np.where(largest < 0, -1, 1)[:, np.newaxis]


def overlaps(units, concepts):
    """Count the common pixels of two kinds of masks, for `intersection_over_union`.

    Counts of several parts may be added.

    Args:
        units: bool (pixels, u).
        concepts: bool (pixels, c).

    Returns:
        float64 (3, u, c): pixels in both masks, in the unit's, and in the concept's.
    """
    units, concepts = units.astype("float32"), concepts.astype("float32")
    sums = units.sum(axis=0)[:, np.newaxis], concepts.sum(axis=0)
    counts = np.broadcast_arrays(units.T @ concepts, *sums)
    return np.stack(counts).astype("float64")


def intersection_over_union(counts):
    """Return the IoU of counts of `overlaps`: float (3, u, c) -> (u, c) in [0, 1].

    Bau et al. (2019), "GAN Dissection": the counts are summed over all images before the
    division. The IoU of two empty masks is 0.
    """
    both, of_units, of_concepts = counts
    union = of_units + of_concepts - both
    return both / np.maximum(union, 1)


def pair_distances(rows):
    """Return root mean square differences of rows: (n, d) -> (n (n - 1) / 2,)."""
    from sklearn.metrics import euclidean_distances

    square = euclidean_distances(rows) / np.sqrt(rows.shape[1])
    return square[np.triu_indices(len(rows), k=1)]


def closest_pairs(distances, n_rows, n):
    """Return the n closest pairs of rows; each row is in at most one pair.

    Args:
        distances: see `pair_distances`.
        n_rows: number of rows.
        n: maximum number of pairs.

    Returns:
        list of at most n (row, row), the closest first.
    """
    first, second = np.triu_indices(n_rows, k=1)
    found, taken = [], set()
    for pair in np.argsort(distances, kind="stable"):
        rows = int(first[pair]), int(second[pair])
        if taken.isdisjoint(rows):
            taken.update(rows)
            found.append(rows)
        if len(found) == n:
            break
    return found


def nearest_others(distances):
    """Return the nearest neighbour distance of each row: `pair_distances` -> (n,)."""
    from scipy.spatial.distance import squareform

    square = squareform(distances)
    np.fill_diagonal(square, np.inf)
    return square.min(axis=1)
