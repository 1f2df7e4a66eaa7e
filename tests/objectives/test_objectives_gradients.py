"""The gradients of the objectives against numbers by hand, and finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from scipy.stats import kstest
from tiny_gans import (
    D_LATENT,
    REAL,
    assert_logged,
    compiled,
    composite,
    descent,
    gan_with,
    linear_gan,
    model_of,
    new_gan,
    one_step,
    sgd,
    softplus,
)

from common.objectives.penalties import scores_and_squared_norms
from common.objectives.table import OBJECTIVES


@pytest.mark.parametrize("w", [(3.0, 4.0), (0.3, -0.1)])
def test_the_penalty_pulls_the_slope_of_a_linear_critic_to_1(w):
    """Where fakes equal the real images, the penalty alone is left."""
    gan = linear_gan("wgan-gp", rate=1.0, w=w, penalty=0.05)
    norm = np.linalg.norm(w)
    expected = 2 * 0.05 * (norm - 1) * np.array(w) / norm
    np.testing.assert_allclose(descent(gan, REAL, REAL), [*expected, 0], atol=1e-5)


def test_the_penalty_has_a_gradient_where_the_critic_has_no_slope():
    gan = linear_gan("wgan-gp", rate=1.0, w=(0.0, 0.0))
    found = descent(gan, REAL, D_LATENT)
    np.testing.assert_allclose(found, [*(D_LATENT - REAL).mean(axis=0), 0], atol=1e-5)
    assert_logged(one_step(linear_gan("wgan-gp", w=(0.0, 0.0))), d_loss=10)


def test_the_slope_at_an_image_is_taken_over_all_its_pixels():
    d_model = model_of((2, 1, 3), layers.Flatten(), layers.Dense(1))
    images = np.random.default_rng(1).normal(size=(5, 2, 1, 3)).astype("float32")
    scores, squared_norms = scores_and_squared_norms(d_model, tf.constant(images))
    np.testing.assert_allclose(scores, d_model(images))
    assert np.array_equal(scores_and_squared_norms(d_model, images)[0], scores)
    squares = np.full(5, np.sum(d_model.layers[-1].kernel.numpy() ** 2))
    np.testing.assert_allclose(squared_norms, squares, rtol=1e-5)


class Recorder(layers.Layer):
    """Passes on what it is given, and remembers it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def call(self, x):
        if tf.executing_eagerly():
            self.seen.append(x.numpy())
        return x


def test_the_penalty_is_taken_at_uniform_points_of_lines_from_fake_to_real():
    recorder = Recorder()
    d_model = compiled(model_of((2, 1, 3), recorder, layers.Flatten(), layers.Dense(1)),
                       sgd())  # fmt: skip
    gan = gan_with("wgan-gp", d_model)
    rng = np.random.default_rng(1)
    real, fake = rng.normal(size=(2, 3000, 2, 1, 3)).astype("float32")
    fake += 3 * np.sign(fake - real)  # far enough apart to divide by the distance
    gan.d_loss(tf.constant(real), tf.constant(fake))
    (between,) = (
        x for x in recorder.seen if not any(np.array_equal(x, y) for y in (real, fake))
    )
    shares = ((between - fake) / (real - fake)).reshape(3000, 6)
    np.testing.assert_allclose(shares, shares[:, :1].repeat(6, axis=1), atol=1e-4)
    assert kstest(shares[:, 0], "uniform").pvalue > 0.01
    first = between
    recorder.seen.clear()
    gan.d_loss(tf.constant(real), tf.constant(fake))
    assert not any(np.array_equal(x, first) for x in recorder.seen)


class Quadratic(layers.Layer):
    """a |x|^2 / 2, whose gradient by x is a x."""

    def build(self, shape):
        self.a = self.add_weight(shape=(), initializer="ones")

    def call(self, x):
        return self.a / 2 * ops.sum(ops.square(x), axis=1, keepdims=True)


@pytest.mark.parametrize("share_real, share_fake", [(1, 0), (0, 1), (1, 1)])
def test_r1_and_r2_are_half_the_mean_squared_slopes(share_real, share_fake):
    """Here gamma / 2 a^2 mean |x|^2, with a = 1; the gradient by a is the double."""
    d_model = compiled(model_of(2, Quadratic()), sgd(1.0))
    gan = gan_with("r3gan", d_model, penalty=0.3)
    real, fake = share_real * REAL, share_fake * REAL
    squares = np.sum(real**2, axis=1), np.sum(fake**2, axis=1)
    scores = softplus((squares[1] - squares[0]) / 2).mean()
    r1, r2 = (0.3 / 2 * square.mean() for square in squares)
    found = descent(gan, real, fake)
    assert float(gan.means["d_loss"].result()) == pytest.approx(scores + r1 + r2, 1e-5)
    gaps = (squares[1] - squares[0]) / 2
    by_scores = (gaps / (1 + np.exp(-gaps))).mean()
    assert found == pytest.approx([by_scores + 2 * r1 + 2 * r2], rel=1e-4)


SMOOTH = (
    lambda n: model_of(n, layers.Dense(3, activation="tanh"), layers.Dense(2)),
    lambda: compiled(
        model_of(
            2,
            layers.Dense(4, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ),
        sgd(),
    ),
    composite,
)
SMOOTH_OWN = {
    "wgan": {"clip": None},
    "ebgan": {"margin": 5.0, "pull_away": 0.5},
    "began": {"gamma": 0.7},
}


@pytest.mark.parametrize("side", ["d", "g"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_each_side_goes_down_the_slope_of_its_own_loss(objective, side):
    """Gradients against differences of the logged loss, in random directions."""
    gan = new_gan(objective, SMOOTH, 2, **SMOOTH_OWN.get(objective, {}))
    model, optimizer = {
        "d": (gan.d_model, gan.d_model.optimizer),
        "g": (gan.g_model, gan.gan_model.optimizer),
    }[side]
    optimizer.learning_rate = 1.0
    start, seed = model.get_weights(), gan.latent_seed.state.numpy()

    def loss_at(values):
        model.set_weights(values)
        gan.latent_seed.state.assign(seed)
        if objective == "began":
            gan.k.assign(0.4)
        return one_step(gan)[f"{side}_loss"]

    loss_at(start)
    gradient = [w - v for w, v in zip(start, model.get_weights(), strict=True)]
    rng = np.random.default_rng(4)
    for _ in range(3):
        way = [rng.normal(size=w.shape) for w in start]
        length = np.sqrt(sum(np.sum(v**2) for v in way))
        way = [0.003 / length * v for v in way]
        ahead = loss_at([w + v for w, v in zip(start, way, strict=True)])
        behind = loss_at([w - v for w, v in zip(start, way, strict=True)])
        derivative = sum(np.sum(g * v) for g, v in zip(gradient, way, strict=True))
        rounding = 2e-7 * max(1, abs(ahead))
        assert (ahead - behind) / 2 == pytest.approx(derivative, rel=0.01, abs=rounding)
