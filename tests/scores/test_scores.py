"""The metrics against closed forms and against reference implementations."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from common.basics.errors import UserError
from common.scores import metrics


def rng(seed=0):
    return np.random.default_rng(seed)


def normal(n, d, seed=0):
    return rng(seed).standard_normal((n, d))


def whitened(n, d, seed=0):
    """Return a sample with mean exactly 0 and covariance exactly the identity."""
    x = normal(n, d, seed)
    x -= x.mean(0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(x, rowvar=False)))
    return x @ vectors / np.sqrt(values)


def mixed(n, d, seed=0):
    """Return correlated features, as after a ReLU."""
    return np.maximum(normal(n, d, seed) @ normal(d, d, 99) * np.arange(1, d + 1), 0)


def frechet_distance_of(a, b):
    """Compute the distance with SciPy's root of a non-symmetric matrix."""
    product = np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(product).real  # some versions give zero imaginary parts
    total = np.cov(a, rowvar=False) + np.cov(b, rowvar=False) - 2 * root
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(total)


# Frechet distance


def test_frechet_distance_of_a_set_and_itself_is_0():
    x = mixed(200, 12)
    assert abs(metrics.frechet_distance(x, x)) < 1e-6 * np.cov(x, rowvar=False).trace()
    assert abs(metrics.frechet_distance(x, rng().permutation(x))) < 1e-6


def test_frechet_distance_of_shifted_and_stretched_gaussians_is_the_closed_form():
    a, b = whitened(300, 8), whitened(400, 8, 1)
    shift, scales = np.arange(8) / 4, np.linspace(0.2, 3, 8)
    moved = np.sum(shift**2)
    assert metrics.frechet_distance(a, b) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(a, b + shift) == pytest.approx(moved)
    # commuting covariances: Tr(C1 + C2 - 2 (C1 C2)^(1/2)) = sum (s1 - s2)^2
    stretched = np.sum((scales - 1) ** 2)
    assert metrics.frechet_distance(a, b * scales + shift) == pytest.approx(
        moved + stretched
    )
    turn, _ = np.linalg.qr(normal(8, 8, 2))  # distances do not depend on the axes
    assert metrics.frechet_distance(a @ turn, (b * scales + shift) @ turn) == (
        pytest.approx(moved + stretched)
    )


def test_frechet_distance_of_a_single_feature():
    a, b = whitened(50, 1), 3 * whitened(60, 1) + 2
    assert metrics.frechet_distance(a, b) == pytest.approx(2**2 + (3 - 1) ** 2)


def test_frechet_distance_of_gaussian_samples_nears_the_closed_form():
    scales = np.array([0.5, 1, 2])
    found = metrics.frechet_distance(normal(20_000, 3), normal(20_000, 3, 1) * scales + 1)
    assert found == pytest.approx(3 + np.sum((scales - 1) ** 2), rel=0.05)


@pytest.mark.parametrize("n, d", [(400, 5), (400, 64), (64, 64)])
def test_frechet_distance_agrees_with_a_root_by_scipy(n, d):
    a, b = mixed(n, d), mixed(n, d, 1) * 1.1 + 0.3
    assert metrics.frechet_distance(a, b) == pytest.approx(
        frechet_distance_of(a, b), rel=1e-3
    )


def test_frechet_distance_of_fewer_images_than_features_is_an_error():
    with pytest.raises(
        UserError, match=r"images as features \(31\), got 30.*kernel distance"
    ):
        metrics.frechet_distance(normal(500, 31), normal(30, 31))


# kernel distance


def mmd_of(x, y):
    """Compute Binkowski's eq. 4 with scikit-learn's kernel and loops over all pairs."""
    d, m = x.shape[1], len(x)
    xx, yy, xy = (
        polynomial_kernel(p, q, degree=3, gamma=1 / d, coef0=1)
        for p, q in ((x, x), (y, y), (x, y))
    )
    pairs = [(i, j) for i in range(m) for j in range(m)]
    within = sum(xx[i, j] + yy[i, j] for i, j in pairs if i != j) / (m * (m - 1))
    return within - 2 * sum(xy[i, j] for i, j in pairs) / m**2


def test_squared_mmd_agrees_with_loops():
    x, y = mixed(30, 4), mixed(30, 4, 1) + 0.2
    assert metrics.squared_mmd(x, y) == pytest.approx(mmd_of(x, y))


def test_kernel_distance_is_the_mean_over_disjoint_subsets_of_at_most_1000(monkeypatch):
    seen = []
    plain = metrics.squared_mmd
    monkeypatch.setattr(
        metrics, "squared_mmd", lambda x, y: seen.append((x, y)) or plain(x, y)
    )
    for n, n_subsets, size in ((207, 10, 20), (10_500, 11, 954)):
        seen.clear()
        a, b = (np.arange(m)[:, np.newaxis] / n for m in (n + 5, n))
        mean, error = metrics.kernel_distance(a, b, rng())
        assert {x.shape for pair in seen for x in pair} == {(size, 1)}
        assert len(seen) == n_subsets
        for side in zip(*seen, strict=True):
            rows = np.concatenate(side).ravel()
            assert len(np.unique(rows)) == len(rows)
        values = [plain(x, y) for x, y in seen]
        assert mean == pytest.approx(np.mean(values))
        assert error == pytest.approx(scipy.stats.sem(values))


def test_kernel_distance_of_one_distribution_is_0_and_its_error_is_honest():
    sets = [(normal(300, 4, 2 * i), normal(300, 4, 2 * i + 1)) for i in range(200)]
    found = np.array([metrics.kernel_distance(a, b, rng()) for a, b in sets])
    means, errors = found.T
    spread = means.std(ddof=1)
    assert abs(means.mean()) < 3 * spread / np.sqrt(len(means))
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(spread, rel=0.25)
    mean, error = metrics.kernel_distance(normal(300, 4), normal(300, 4, 1) + 0.7, rng())
    assert mean > 5 * error > 0


def test_kernel_distance_of_too_few_is_an_error():
    with pytest.raises(UserError, match="at least 20 images, got 19"):
        metrics.kernel_distance(normal(19, 3), normal(50, 3), rng())
    assert np.isfinite(metrics.kernel_distance(normal(20, 3), normal(50, 3), rng())).all()


def test_kernel_distance_samples_all_rows_of_the_longer_set_in_its_own_order(monkeypatch):
    seen = []
    monkeypatch.setattr(metrics, "squared_mmd", lambda x, y: seen.append((x, y)) or 0.0)
    a, b = (np.arange(n)[:, np.newaxis] for n in (1000, 100))
    metrics.kernel_distance(a, b, rng())
    sampled, all_of_b = (np.concatenate(side).ravel() for side in zip(*seen, strict=True))
    assert sampled.max() > 500 and not np.array_equal(sampled, all_of_b)


# classifier score, and the histogram of classes


def test_classifier_score_reaches_both_ends():
    sure = np.eye(10)[np.arange(1000) % 10]
    assert metrics.classifier_score(sure) == pytest.approx(10, abs=1e-6)
    assert metrics.classifier_score(np.full((1000, 10), 0.1)) == pytest.approx(
        1, abs=1e-6
    )
    assert metrics.classifier_score(sure[::10]) == pytest.approx(1, abs=1e-6)
    assert metrics.classifier_score(sure.astype("float32")) == pytest.approx(10, abs=1e-5)
    between = metrics.classifier_score(rng().dirichlet(np.full(10, 0.3), 500))
    assert 1 < between < 10


def test_split_score_of_equal_shares_is_no_greater():
    sure = np.eye(10)[np.arange(1000) % 10]
    assert metrics.split_classifier_score(sure) == pytest.approx((10, 0), abs=1e-6)
    vague = rng().dirichlet(np.full(10, 0.3), 1000)
    mean, deviation = metrics.split_classifier_score(vague)
    assert mean <= metrics.classifier_score(vague) + 1e-9
    parts = [metrics.classifier_score(vague[i : i + 100]) for i in range(0, 1000, 100)]
    assert (mean, deviation) == pytest.approx((np.mean(parts), np.std(parts)))


def test_histogram_of_classes_has_closed_forms():
    def of(shares, sure=1.0):
        rows = np.repeat(np.arange(len(shares)), shares)
        p = np.full((len(rows), len(shares)), (1 - sure) / (len(shares) - 1))
        p[np.arange(len(rows)), rows] = sure
        return metrics.class_histogram(p)

    equal, two = of([50] * 4), of([100, 100, 0, 0], sure=0.8)
    assert equal["entropy"] == pytest.approx(np.log(4))
    assert equal["kl_to_uniform"] == pytest.approx(0)
    assert (equal["confident"], equal["classes_seen"]) == (1, 4)
    assert two["entropy"] == pytest.approx(np.log(2))
    assert two["kl_to_uniform"] == pytest.approx(np.log(4) - np.log(2))
    assert (two["confident"], two["classes_seen"]) == (0, 2)
    one = of([200, 0, 0, 0])
    assert (one["entropy"], one["classes_seen"]) == (0, 1)
    assert (one["rarest"], one["commonest"]) == (0, 1)
    assert (two["rarest"], two["commonest"]) == (0, 0.5)
    uneven = of([10, 20, 30, 40])
    assert (uneven["rarest"], uneven["commonest"]) == (0.1, 0.4)
    # a class counts from a tenth of an equal share on: here 2.5 %
    assert of([388, 4, 4, 4])["classes_seen"] == 1
    assert of([364, 12, 12, 12])["classes_seen"] == 4


def test_confident_is_the_share_of_images_with_p_above_the_threshold():
    sure, unsure = [0.95, 0.05], [0.6, 0.4]
    found = metrics.class_histogram(np.array([sure, sure, sure, unsure]))
    assert found["confident"] == 0.75
    assert metrics.class_histogram(np.array([sure]), confident=0.95)["confident"] == 0
    at_a_tenth = np.repeat([[1.0, 0.0], [0.0, 1.0]], [19, 1], axis=0)
    assert metrics.class_histogram(at_a_tenth)["classes_seen"] == 2  # just enough


# precision, recall, density, coverage


def neighbours_of(real, fake):
    """Compute the metrics with trees and the full matrix of distances."""

    def radius(x, k):
        tree = NearestNeighbors(n_neighbors=k + 1, algorithm="kd_tree").fit(x)
        return tree.kneighbors(x)[0][:, -1]

    distances = cdist(fake, real)
    inside = distances < radius(real, 5)
    return {
        "precision": (distances <= radius(real, 3)).any(1).mean(),
        "recall": (distances <= radius(fake, 3)[:, np.newaxis]).any(0).mean(),
        "density": inside.sum() / 5 / len(fake),
        "coverage": inside.any(0).mean(),
    }


@pytest.mark.parametrize("n, m, d", [(200, 200, 2), (150, 331, 10), (331, 150, 64)])
def test_neighbours_agree_with_trees_and_whole_matrices(n, m, d):
    real, fake = mixed(n, d), mixed(m, d, 1) * 1.2
    found = metrics.precision_and_coverage(real, fake)
    assert found == pytest.approx(neighbours_of(real, fake))
    assert metrics.precision_and_coverage(real, fake, metrics.radii(real)) == found


def test_the_block_size_changes_nothing():
    real, fake = normal(2003, 8), normal(1999, 8, 1) * 0.9
    known = metrics.radii(real)
    full = metrics.precision_and_coverage(real, fake, known, block=1000)
    for block in (0.1, 1, 3):  # MiB: 6, 65 and 196 fakes at a time
        assert metrics.precision_and_coverage(real, fake, known, block=block) == full


def test_the_same_set_twice_is_perfect():
    for x in (normal(300, 3), normal(300, 64) + 10, mixed(300, 16)):
        assert metrics.precision_and_coverage(x, x.copy()) == {
            "precision": 1, "recall": 1, "density": pytest.approx(1), "coverage": 1
        }  # fmt: skip


def test_sets_far_apart_have_nothing_in_common():
    found = metrics.precision_and_coverage(normal(100, 3), normal(100, 3, 1) + 1000)
    assert set(found.values()) == {0}


def test_two_samples_of_one_distribution_have_density_and_coverage_near_1():
    found = metrics.precision_and_coverage(normal(1500, 5), normal(1500, 5, 1))
    assert found["density"] == pytest.approx(1, abs=0.05)
    assert found["coverage"] == pytest.approx(1 - 0.5**5, abs=0.02)  # Naeem's eq. 9


def test_fakes_that_are_all_one_real_image_are_precise_and_cover_nothing():
    real = normal(400, 4)
    found = metrics.precision_and_coverage(real, np.repeat(real[:1], 400, axis=0))
    holding = (cdist(real, real[:1]).ravel() < metrics.radii(real)[1]).sum()
    assert found["precision"] == 1
    assert found["recall"] <= 1 / 400
    assert found["coverage"] == holding / 400
    assert found["density"] == pytest.approx(holding / 5)


def test_fakes_of_half_the_modes_are_precise_and_recall_half():
    modes = 100 * normal(4, 3, 7)
    real = np.concatenate([mode + normal(200, 3, i) for i, mode in enumerate(modes)])
    fake = np.concatenate([modes[0] + normal(400, 3, 8), modes[1] + normal(400, 3, 9)])
    found = metrics.precision_and_coverage(real, fake)
    assert found["precision"] > 0.9
    assert found["recall"] == pytest.approx(0.5, abs=0.05)
    assert found["coverage"] == pytest.approx(0.5, abs=0.02)
    assert found["density"] == pytest.approx(1, abs=0.1)


def test_an_outlier_fools_precision_and_not_density():
    """Naeem et al. (2020), figure 2: its ball is large enough to hold the fakes."""
    real = np.concatenate([normal(500, 4), np.full((1, 4), 50)])
    fake = 25 + normal(500, 4, 1)
    found = metrics.precision_and_coverage(real, fake)
    assert found["precision"] == 1
    assert found["density"] <= 1 / 5 + 1e-9
    assert found["coverage"] == pytest.approx(1 / 501)


def test_a_ball_holds_its_edge_for_precision_and_not_for_density():
    """Kynkaanniemi's eq. 1 has <=, Naeem's eq. 3 has <."""
    real = np.arange(10.0)[
        :, np.newaxis
    ]  # the first one's precision_and_coverage: 3 and 5 away
    for where, precision, inside in ((-3, 1, 1), (-3.01, 0, 1), (-5, 0, 0)):
        found = metrics.precision_and_coverage(real, np.full((6, 1), where))
        assert found["precision"] == precision
        assert (found["density"] > 0, found["coverage"] > 0) == (inside, inside)
    recalled = metrics.precision_and_coverage(np.full((6, 1), -3.0), real)
    assert recalled["recall"] == 1
