"""Divergences compared with closed forms; the printed text and the plot."""

from math import inf, log

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm, uniform

from common.basics.errors import UserError
from toy_gan import divergences
from toy_gan.divergences import (
    compare_shifted,
    fit_normal,
    js_densities,
    js_divergence,
    kl_densities,
    kl_divergence,
    mean_nll,
)

FAIR, BIASED = (0.5, 0.5), (0.9, 0.1)


def test_kl_by_hand_in_both_directions():
    assert kl_divergence(FAIR, BIASED) == pytest.approx(log(5 / 3))
    expected = 0.9 * log(0.9 / 0.5) + 0.1 * log(0.1 / 0.5)
    assert kl_divergence(BIASED, FAIR) == pytest.approx(expected)
    assert kl_divergence(BIASED, BIASED) == 0


def test_kl_where_a_probability_is_zero():
    assert kl_divergence(FAIR, (1, 0)) == inf
    assert kl_divergence((1, 0), FAIR) == pytest.approx(log(2))


def test_js_is_symmetric_and_at_most_ln_2():
    for p, q in np.random.default_rng(1).dirichlet([0.2] * 5, size=(20, 2)):
        js = js_divergence(p, q)
        assert js == pytest.approx(js_divergence(q, p))
        assert js == pytest.approx(jensenshannon(p, q) ** 2)
        assert 0 < js <= log(2)


def test_js_of_disjoint_supports_is_ln_2():
    assert js_divergence((0.3, 0.7, 0, 0), (0, 0, 0.6, 0.4)) == pytest.approx(log(2))
    far = js_densities(norm(-5, 0.3).pdf, norm(5, 0.3).pdf)
    assert far == pytest.approx(log(2), abs=1e-9)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (FAIR, (0.5, 0.4)),
        ((1.5, -0.5), FAIR),
        (FAIR, (0.2, 0.3, 0.5)),
        ((float("nan"), 1), FAIR),
        ([FAIR], [FAIR]),
        ([], []),
    ],
)
def test_what_is_no_distribution_is_rejected(p, q):
    for divergence in (kl_divergence, js_divergence):
        with pytest.raises(UserError):
            divergence(p, q)


def test_kl_and_js_of_normal_densities():
    p, q = norm(0.5, 1).pdf, norm(-0.5, 1.4).pdf
    expected = log(1.4) + (1 + 1) / (2 * 1.4**2) - 0.5
    assert kl_densities(p, q) == pytest.approx(expected, abs=1e-8)
    expected = log(1 / 1.4) + (1.4**2 + 1) / 2 - 0.5
    assert kl_densities(q, p) == pytest.approx(expected, abs=1e-8)
    assert js_densities(p, q) == pytest.approx(js_densities(q, p))
    assert 0 < js_densities(p, q) < log(2)


def test_kl_of_densities_is_infinite_where_q_is_zero():
    assert kl_densities(uniform(0, 2).pdf, uniform(0, 1).pdf) == inf


def test_what_is_no_density_is_rejected():
    standard = norm().pdf
    for q in (
        norm(10).pdf,
        lambda x: 2 * standard(x),
        lambda x: standard(x) * (2 - x**2),
    ):
        with pytest.raises(UserError, match="no density"):
            kl_densities(standard, q)


def test_wasserstein_of_a_shift_is_the_shift_and_js_stops():
    for shift in (0, 0.25, 0.5, 1, 2.5):
        js, wasserstein = compare_shifted(shift, width=1)
        assert wasserstein == pytest.approx(shift)
        assert js == pytest.approx(min(shift, 1) * log(2))
    for shift in (0.1, 3):
        assert compare_shifted(shift, width=0.05) == pytest.approx((log(2), shift))


def test_least_kl_of_a_normal_has_the_moments_of_p():
    left, right = norm(-1, 0.5).pdf, norm(1.5, 0.5).pdf

    def p(x):
        return 0.3 * left(x) + 0.7 * right(x)

    covering = fit_normal(lambda q: kl_densities(p, q))
    variance = 0.5**2 + 0.3 * 0.7 * 2.5**2
    assert covering == pytest.approx((0.75, variance**0.5), abs=1e-3)
    assert fit_normal(lambda q: kl_densities(q, p)) == pytest.approx((1.5, 0.5), abs=0.05)


def test_maximum_likelihood_is_minimal_kl():
    samples = np.random.default_rng(1).choice(2, size=40, p=(0.3, 0.7))
    seen = np.bincount(samples, minlength=2) / 40
    coins = [(1 - k / 40, k / 40) for k in range(1, 40)]
    nll = np.array([mean_nll(samples, q) for q in coins])
    kl = np.array([kl_divergence(seen, q) for q in coins])
    assert coins[nll.argmin()][1] == coins[kl.argmin()][1] == samples.mean()
    np.testing.assert_allclose(nll - kl, -(seen * np.log(seen)).sum())  # the entropy


def test_main_draws_one_picture(tmp_path, capsys):
    divergences.show_likelihood(Figure().subplots(), seed=2)
    seed_2 = capsys.readouterr().out
    run = tmp_path / "run"
    divergences.main(["--seed", "2", "--run-dir", str(run)])
    assert [path.name for path in run.iterdir()] == ["divergences.png"]
    with Image.open(run / "divergences.png") as picture:
        picture.load()
        assert picture.format == "PNG"
    output = capsys.readouterr().out
    assert output.count("Notice: ") == 4
    assert "q of least KL(p||q): mean 0.40, standard deviation 2.05" in output
    assert "q of least KL(q||p): mean 2.00, standard deviation 0.60" in output
    assert "shift 3.0  JS of width 1 0.693, of thin lines 0.693 nats" in output
    assert seed_2 in output
    divergences.show_likelihood(Figure().subplots(), seed=1)
    assert capsys.readouterr().out != seed_2
