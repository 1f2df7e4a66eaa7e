"""Compute metrics of two sets of features, and of class probabilities.

Features are float64 (n, d), one row per image. Pairwise distances are computed in blocks,
because 50,000 x 50,000 of them do not fit in memory.
"""

import numpy as np

from common.basics.errors import UserError

K_PRECISION, K_DENSITY = 3, 5  # neighbours: Kynkaanniemi (2019), Naeem (2020)
BLOCK = 64  # MiB of distances at a time
SUBSET = 1000  # rows of a subset, for one estimate of the kernel distance
TOLERANCE = 1e-6  # relative rounding error of distances that should be equal


def frechet_distance(a, b):
    """Return the squared 2-Wasserstein distance of Gaussians fitted to two sets.

    Heusel et al. (2017), eq. 6: |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)). The trace of
    the root is the sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2). This
    matrix is symmetric, so they are real. The distance has a positive bias, which is
    larger for smaller n: only values of equal n are comparable. With the features of
    Inception it is the FID.

    Args:
        a, b: features float64 (n, d), (m, d).

    Returns:
        float, at least 0.

    Raises:
        UserError: n or m is below d, so that a covariance matrix is singular.
    """
    n, d = min(len(a), len(b)), a.shape[1]
    if n < d:
        raise UserError(
            f"a Frechet distance needs at least as many images as features ({d}), got {n}"
            ": else a covariance matrix is singular; use more images, or the kernel "
            "distance, which has no bias"
        )
    means = np.sum((a.mean(0) - b.mean(0)) ** 2)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ cov_b @ root)
    roots = np.sqrt(np.maximum(product, 0)).sum()
    return max(0.0, float(means + np.trace(cov_a) + np.trace(cov_b) - 2 * roots))


def kernel_distance(a, b, rng):
    """Return the squared MMD of the kernel (x.y / d + 1)^3, and its standard error.

    Binkowski et al. (2018), section 4 and eq. 4. The result is the mean of unbiased
    estimates on at least ten disjoint subsets of at most 1,000 rows of each set. Disjoint
    subsets are independent; overlapping subsets would underestimate the standard error.
    With the features of Inception it is the KID.

    Args:
        a, b: features float64 (n, d), (m, d); min(n, m) rows of each are used.
        rng: `numpy.random.Generator` that shuffles the rows.

    Returns:
        mean and standard error, floats; the mean may be below 0.

    Raises:
        UserError: fewer than 20 rows.
    """
    n = min(len(a), len(b))
    if n < 20:
        raise UserError(f"a kernel distance needs at least 20 images, got {n}: use more")
    n_subsets = max(10, -(-n // SUBSET))
    shape = n // n_subsets, n_subsets  # a column holds the rows of a subset
    picks = [rng.permutation(len(x))[: np.prod(shape)].reshape(shape).T for x in (a, b)]
    values = np.array([squared_mmd(a[i], b[j]) for i, j in zip(*picks, strict=True)])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(n_subsets))


def squared_mmd(x, y):
    """Return the unbiased estimate, eq. 4, of the squared MMD of two sets (m, d)."""
    m, d = x.shape
    xx, yy, xy = ((p @ q.T / d + 1) ** 3 for p, q in ((x, x), (y, y), (x, y)))
    within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return within / (m * (m - 1)) - 2 * xy.mean()


def classifier_score(probabilities):
    """Return exp of the mean KL divergence of p(class | image) from p(class).

    Salimans et al. (2016), section 4. It is 1 if all images have the same probabilities,
    and the number of classes if all probabilities are 0 or 1 and all classes equally
    frequent. With Inception as classifier it is the Inception Score.

    Args:
        probabilities: (n, classes), rows sum to 1.

    Returns:
        float in [1, classes].
    """
    p = np.asarray(probabilities, "float64")
    logs = np.log(np.maximum(p, 1e-300)) - np.log(np.maximum(p.mean(0), 1e-300))
    return float(np.exp((p * logs).sum(1).mean()))


def split_classifier_score(probabilities, n_splits=10):
    """Return mean and standard deviation of the classifier score of splits, as in papers.

    A smaller split has a lower score, so the mean differs from the score of all images.
    """
    parts = np.array_split(probabilities, n_splits)
    values = [classifier_score(part) for part in parts]
    return float(np.mean(values)), float(np.std(values))


def precision_and_coverage(real, fake, real_radii=None, block=BLOCK):
    """Return precision, recall, density and coverage of two feature sets.

    The ball of an image reaches to its k-th nearest neighbour in its own set.

    - precision: share of fakes in the ball of a real image; recall: share of real images
      in the ball of a fake (Kynkaanniemi et al. 2019, eq. 1 and 2, k = 3);
    - density: number of real balls that contain a fake, divided by k, mean; coverage:
      share of real images whose ball contains a fake (Naeem et al. 2020, eq. 3 and 4, k =
      5). Both are near 1 for two samples of one distribution.

    Args:
        real, fake: features float64 (n, d), (m, d), with n and m above 5.
        real_radii: `radii(real)`; if None, it is computed.
        block: MiB of distances at a time; the result does not depend on it.

    Returns:
        dict of the four floats: precision, recall and coverage in [0, 1], density >= 0.
    """
    from sklearn.metrics import pairwise_distances_chunked

    precision_radii, density_radii = real_radii or radii(real)
    recall_radii, _ = radii(fake)
    recalled, covered = np.zeros(len(real), bool), np.zeros(len(real), bool)

    def reduce(distances, start):  # rows: fakes from `start` on; columns: real images
        nonlocal recalled, covered
        fake_radii = recall_radii[start : start + len(distances), np.newaxis]
        recalled |= (distances <= fake_radii * (1 + TOLERANCE)).any(0)
        inside = distances < density_radii * (1 - TOLERANCE)
        covered |= inside.any(0)
        precise = (distances <= precision_radii * (1 + TOLERANCE)).any(1)
        return np.stack([precise, inside.sum(1)], axis=1)

    blocks = pairwise_distances_chunked(
        fake, real, reduce_func=reduce, working_memory=block
    )
    precise, balls = np.concatenate(list(blocks)).T
    return {
        "precision": float(precise.mean()),
        "recall": float(recalled.mean()),
        "density": float(balls.mean() / K_DENSITY),
        "coverage": float(covered.mean()),
    }


def radii(x):
    """Return the distances of each row to its 3rd and 5th neighbour: two float64 (n,)."""
    from sklearn.neighbors import NearestNeighbors

    # + 1: the nearest neighbour is the row itself
    search = NearestNeighbors(n_neighbors=K_DENSITY + 1, algorithm="brute").fit(x)
    distances, _ = search.kneighbors(x)
    return distances[:, K_PRECISION], distances[:, K_DENSITY]


def class_histogram(probabilities, confident=0.9):
    """Return statistics of the predicted classes of images.

    Args:
        probabilities: (n, classes), rows sum to 1.
        confident: probability threshold in [0, 1].

    Returns:
        dict: `confident`, share of images with a maximum probability above it;
        `classes_seen`, number of classes with at least a tenth of an equal share;
        `rarest` and `commonest`, the smallest and the largest share of a class;
        `entropy` of the shares and `kl_to_uniform`, their KL divergence from equal shares
        (nats; the two add up to the logarithm of the number of classes).
    """
    n_classes = probabilities.shape[1]
    counts = np.bincount(probabilities.argmax(1), minlength=n_classes)
    shares = counts / counts.sum()
    entropy = float(-np.sum(shares * np.log(np.maximum(shares, 1e-300))))
    return {
        "confident": float(np.mean(probabilities.max(1) > confident)),
        "classes_seen": int(np.sum(shares >= 0.1 / n_classes)),
        "rarest": float(shares.min()),
        "commonest": float(shares.max()),
        "entropy": entropy,
        "kl_to_uniform": float(np.log(n_classes)) - entropy,
    }
