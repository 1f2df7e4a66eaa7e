"""Compute paths and directions in the latent space, IoUs of masks, and distances."""

import numpy as np


def lerp(a, b, t):
    """Return vectors on the straight line from a to b: linear interpolation.

    Args:
        a, b: float (d,).
        t: float (n,), positions on the line, 0 at a and 1 at b.

    Returns:
        float (n, d).
    """
    t = np.asarray(t)[:, np.newaxis]
    return (1 - t) * a + t * b


def slerp(a, b, t):
    """Return vectors on the arc from a to b: spherical linear interpolation.

    Shoemake (1985), "Animating Rotation with Quaternion Curves": equal steps of t are
    equal angles. White (2016), "Sampling Generative Networks", section 2.1: standard
    normal vectors of a high dimension d have norms near sqrt(d). The vectors on the line
    between two of them have smaller norms, which are rare in training. Here the norm
    changes linearly from |a| to |b|.

    Args:
        a, b: float (d,), neither zero nor opposite to each other.
        t: float (n,), positions on the arc, 0 at a and 1 at b.

    Returns:
        float (n, d).

    Raises:
        ValueError: a or b is zero, or they are opposite, so that the arc is not unique.
    """
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if min(norms) == 0:
        raise ValueError("a latent vector is zero: an arc to it is not defined")
    start, end = a / norms[0], b / norms[1]
    # Kahan's formula is accurate for angles near 0 and near pi, where arccos is not.
    angle = 2 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))
    if np.pi - angle < 1e-6:
        raise ValueError("the latent vectors are opposite: the arc is not unique")
    if angle < 1e-6:
        return lerp(a, b, t)
    t = np.asarray(t)[:, np.newaxis]
    arc = np.sin((1 - t) * angle) * start + np.sin(t * angle) * end
    return arc / np.sin(angle) * ((1 - t) * norms[0] + t * norms[1])


def closed_path(waypoints, n, interpolation=slerp):
    """Return a closed path through vectors, from the last back to the first.

    Args:
        waypoints: float (p, d), p >= 2.
        n: number of steps from each waypoint to the next.
        interpolation: `slerp` or `lerp`.

    Returns:
        float (p * n, d); the first vector is not repeated at the end.
    """
    ends, t = np.roll(waypoints, -1, axis=0), np.arange(n) / n
    arcs = [interpolation(a, b, t) for a, b in zip(waypoints, ends, strict=True)]
    return np.concatenate(arcs)


def step_lengths(path):
    """Return Euclidean distances from each row to the next: float (n, d) -> (n - 1,)."""
    return np.linalg.norm(np.diff(path, axis=0), axis=1)


def sefa_directions(weights):
    """Return the latent directions that change a linear layer's output most: SeFa.

    Shen & Zhou (2021), "Closed-Form Factorization of Latent Semantics in GANs", eq. 4 and
    5: the eigenvectors of A^T A, where A maps z to the output.

    Args:
        weights: float (latent_dim, units); the output is z @ weights.

    Returns:
        directions float (k, latent_dim), orthonormal, by decreasing singular value; and
        the ratio float (k,) in [0, 1] of each squared singular value to the sum of all.
        k = min(latent_dim, units).
    """
    directions, singular_values, _ = np.linalg.svd(weights, full_matrices=False)
    variances = singular_values**2
    return fix_signs(directions.T), variances / max(variances.sum(), 1e-12)


def ganspace_directions(vectors, activations):
    """Return the latent directions of the activations' principal components: GANSpace.

    Härkönen et al. (2020), "GANSpace", section 2.2 and eq. 3: principal components of the
    activations, then the latent directions that predict z from the coordinates in these
    components, by least squares. The directions need not be orthogonal.

    Args:
        vectors: float (n, latent_dim), standard normal latent vectors, n > latent_dim.
        activations: float (n, units), of the layer for these latent vectors.

    Returns:
        directions float (k, latent_dim) of norm 1, by decreasing variance, k =
        min(latent_dim, units, n - 1); and the explained variance ratio of each component,
        float (k,) in [0, 1].
    """
    centred = activations - activations.mean(axis=0)
    # The n x n Gram matrix is smaller than the covariance matrix of the units. Its
    # eigenvectors are orthonormal coordinates, so least squares is one product.
    variances, coordinates = np.linalg.eigh(centred @ centred.T)
    variances = np.maximum(variances[::-1], 0)
    k = min(vectors.shape[1], activations.shape[1], len(vectors) - 1)
    directions = coordinates[:, ::-1][:, :k].T @ vectors
    norms = np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    return fix_signs(directions / norms), variances[:k] / max(variances.sum(), 1e-12)


def fix_signs(directions):
    """Return directions (k, d) with signs that make the largest component positive."""
    rows = np.arange(len(directions))
    largest = directions[rows, np.abs(directions).argmax(axis=1)]
    return directions * np.where(largest < 0, -1, 1)[:, np.newaxis]


def count_overlaps(units, concepts):
    """Count the common pixels of masks of units and of concepts.

    Counts of several batches may be added, see `intersection_over_union`.

    Args:
        units: bool (pixels, u).
        concepts: bool (pixels, c).

    Returns:
        float64 (3, u, c): pixels in both masks, in the unit's, and in the concept's.
    """
    units, concepts = units.astype("float32"), concepts.astype("float32")
    sums = units.sum(axis=0)[:, np.newaxis], concepts.sum(axis=0)
    return np.float64(np.broadcast_arrays(units.T @ concepts, *sums))


def intersection_over_union(counts):
    """Return the IoU of counts of `count_overlaps`: float (3, u, c) -> (u, c) in [0, 1].

    Bau et al. (2019), "GAN Dissection": the counts are summed over all images before the
    division. The IoU of two empty masks is 0.
    """
    intersection, of_units, of_concepts = counts
    return intersection / np.maximum(of_units + of_concepts - intersection, 1)


def pairwise_distances(rows):
    """Return root mean square differences of rows: (n, d) -> (n (n - 1) / 2,)."""
    from sklearn.metrics import euclidean_distances

    matrix = euclidean_distances(rows) / np.sqrt(rows.shape[1])
    return matrix[np.triu_indices(len(rows), k=1)]


def closest_pairs(distances, n_rows, n):
    """Return the n closest pairs of rows; each row is in at most one pair.

    Args:
        distances: see `pairwise_distances`.
        n_rows: number of rows.
        n: maximum number of pairs.

    Returns:
        list of at most n (row, row), the closest first.
    """
    first, second = np.triu_indices(n_rows, k=1)
    closest, used = [], set()
    for i in np.argsort(distances, kind="stable"):
        pair = int(first[i]), int(second[i])
        if used.isdisjoint(pair):
            used.update(pair)
            closest.append(pair)
        if len(closest) == n:
            break
    return closest


def nearest_distances(distances):
    """Return each row's distance to its nearest neighbour: float (n,).

    Args:
        distances: see `pairwise_distances`.
    """
    from scipy.spatial.distance import squareform

    matrix = squareform(distances)
    np.fill_diagonal(matrix, np.inf)
    return matrix.min(axis=1)
