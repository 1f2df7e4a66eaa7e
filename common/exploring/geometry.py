"""The mathematics of `explore.py`: paths, directions, overlaps, distances."""

import numpy as np


def lerp(a, b, shares):
    """Points on the straight line from a to b.

    Args:
        a, b: float (d,).
        shares: float (n,) of the way, 0 at a and 1 at b.

    Returns:
        float (n, d).
    """
    shares = np.asarray(shares)[:, np.newaxis]
    return (1 - shares) * a + shares * b


def slerp(a, b, shares):
    """Points on the arc from a to b, at even angles: Shoemake (1985).

    White (2016), "Sampling Generative Networks", section 2.1: normal points of many
    numbers all have a norm near sqrt(d), and the straight line between two of them leads
    through norms that G was never trained on. The arc keeps the norm of a, if b has it
    too; else it goes evenly from the one to the other.

    Args:
        a, b: float (d,), neither of them zero, nor opposite to one another.
        shares: float (n,) of the way, 0 at a and 1 at b.

    Returns:
        float (n, d).

    Raises:
        ValueError: the points are opposite, or zero: there is no one arc between them.
    """
    norms = np.linalg.norm(a), np.linalg.norm(b)
    if min(norms) == 0:
        raise ValueError("no arc leads to or from the point zero")
    start, end = a / norms[0], b / norms[1]
    # Kahan's angle, which is exact near 0 and near pi, where arccos is not.
    angle = 2 * np.arctan2(np.linalg.norm(start - end), np.linalg.norm(start + end))
    if np.pi - angle < 1e-6:
        raise ValueError("the points are opposite: all arcs between them are as long")
    if angle < 1e-6:
        return lerp(a, b, shares)
    shares = np.asarray(shares)[:, np.newaxis]
    arc = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
    return arc / np.sin(angle) * ((1 - shares) * norms[0] + shares * norms[1])


def loop(points, n, walk=slerp):
    """A closed path through points, back to the first.

    Args:
        points: float (p, d), p >= 2.
        n: number of steps from one point to the next.
        walk: `slerp` or `lerp`.

    Returns:
        float (p n, d); the next one would be the first again.
    """
    ends = np.roll(points, -1, axis=0)
    shares = np.arange(n) / n
    return np.concatenate([walk(a, b, shares) for a, b in zip(points, ends, strict=True)])


def step_lengths(path):
    """Euclidean distances from each row to the next: float (n, d) -> (n - 1,)."""
    return np.linalg.norm(np.diff(path, axis=0), axis=1)


def directions_of_weights(weights):
    """Directions along which a linear layer's output changes most: SeFa.

    Shen & Zhou (2021), "Closed-Form Factorization of Latent Semantics in GANs", eq. 4 and
    5: the eigenvectors of A^T A.

    Args:
        weights: float (latent_dim, units), a latent point times this is the output.

    Returns:
        directions float (k, latent_dim), orthonormal, strongest first, k = the smaller
        of both sizes; and their shares float (k,) of what all change, squared.
    """
    directions, strengths, _ = np.linalg.svd(weights, full_matrices=False)
    return signed(directions.T), strengths**2 / max(np.sum(strengths**2), 1e-12)


def directions_of_activations(points, activations):
    """Latent directions of the principal components of a layer's activations: GANSpace.

    Härkönen et al. (2020), "GANSpace", section 2.2 and eq. 3: the components of the
    activations, and the latent directions that their coordinates predict the points by,
    with the least squares of errors. They need not be orthogonal.

    Args:
        points: float (n, latent_dim), drawn from a normal distribution, n > latent_dim.
        activations: float (n, units) of the layer at these points.

    Returns:
        directions float (k, latent_dim) of length 1, strongest first, k = the smallest
        of latent_dim, units and n - 1; and their shares float (k,) of the variance.
    """
    centred = activations - activations.mean(axis=0)
    # Of n points, not of all units: these are more. The eigenvectors are the points'
    # coordinates in the components, each of length 1, so least squares is one product.
    variances, coordinates = np.linalg.eigh(centred @ centred.T)
    variances = np.maximum(variances[::-1], 0)
    k = min(points.shape[1], activations.shape[1], len(points) - 1)
    directions = coordinates[:, ::-1][:, :k].T @ points
    lengths = np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    return signed(directions / lengths), variances[:k] / max(variances.sum(), 1e-12)


def signed(directions):
    """The same directions (k, d), the largest number of each positive: one of the two."""
    rows = np.arange(len(directions))
    largest = directions[rows, np.abs(directions).argmax(axis=1)]
    return directions * np.where(largest < 0, -1, 1)[:, np.newaxis]


def overlaps(units, concepts):
    """How often two kinds of masks are set together: sums over pixels, to be added up.

    Args:
        units: bool (pixels, u).
        concepts: bool (pixels, c).

    Returns:
        float (3, u, c): pixels in both, in the unit's, and in the concept's mask.
    """
    units, concepts = units.astype("float32"), concepts.astype("float32")
    sums = units.sum(axis=0)[:, np.newaxis], concepts.sum(axis=0)
    counts = np.broadcast_arrays(units.T @ concepts, *sums)
    return np.stack(counts).astype("float64")


def intersection_over_union(counts):
    """IoU of `overlaps` added up over all images: (3, u, c) -> (u, c), 0 of nothing.

    Bau et al. (2019), "GAN Dissection": over all images together, not averaged.
    """
    both, of_units, of_concepts = counts
    union = of_units + of_concepts - both
    return both / np.maximum(union, 1)


def pair_distances(rows):
    """Root mean square differences of all pairs of rows: (n, d) -> (n (n - 1) / 2,)."""
    from sklearn.metrics import euclidean_distances

    square = euclidean_distances(rows) / np.sqrt(rows.shape[1])
    return square[np.triu_indices(len(rows), k=1)]


def closest_pairs(distances, n_rows, n):
    """The n closest of all pairs, no row in two of them.

    Args:
        distances: of `pair_distances`.
        n_rows: number of rows.
        n: most pairs that are wanted.

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
    """Distance of each row to the nearest other one: `pair_distances` -> (n,)."""
    from scipy.spatial.distance import squareform

    square = squareform(distances)
    np.fill_diagonal(square, np.inf)
    return square.min(axis=1)
