"""The objectives in training: which weights change, in which direction and bounds."""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import slow
from keras import layers, ops
from small_gans import both_moved, fit_batches, moved, traced, updates_one_by_one, weights
from tiny_gans import (
    CASES,
    OF_LABELS,
    POINTS,
    compiled,
    composite,
    model_of,
    new_gan,
    sgd,
)

from common.fitting.build import make_gan
from common.objectives.pretraining import pretrain
from common.objectives.table import OBJECTIVES
from common.runs.state import state_variables
from toy_gan.points import ring


def small_d():
    return compiled(
        model_of(
            (4, 4, 1),
            layers.Conv2D(3, 3, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ),
        sgd(0.01),
    )


def small_g(latent_dim):
    return model_of(
        latent_dim,
        layers.Dense(8, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Dense(16, activation="tanh"),
        layers.Reshape((4, 4, 1)),
    )


def small_gan(g_model, d_model):
    return composite(g_model, d_model, partial(sgd, 0.01))


SMALL = (small_g, small_d, small_gan)


def small_images(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 4, 4, 1)).astype("float32")


def r3gan_with_batch_norm():
    g_model, d_model = small_g(8), small_d()
    return make_gan(g_model, d_model, small_gan(g_model, d_model), objective="r3gan")


QUICK = ("began", "wgan-gp")  # in the fast tests; test_gan has the default
MOVERS = [
    *(
        pytest.param(
            partial(new_gan, name, SMALL, d_batches=d_batches),
            id=f"{name}-{d_batches}",
            marks=[] if name in QUICK else pytest.mark.slow,
        )
        for name in OBJECTIVES
        for d_batches in ("mixed", "separate")[: 1 + (name in OF_LABELS)]
    ),
    pytest.param(r3gan_with_batch_norm, id="r3gan with BatchNormalization in D"),
]


@pytest.mark.parametrize("make", MOVERS)
def test_inside_compiled_steps_only_the_own_side_moves(make):
    """BatchNormalization's statistics included, of both sides."""
    gan = make()
    train_d, train_g = traced(gan.train_d), traced(gan.train_g)
    for half in (4, 2, 4):
        x_real = tf.constant(small_images(half))
        n_updates = int(gan.gan_model.optimizer.iterations)
        g, d = both_moved(gan, lambda x=x_real: train_d(x))
        assert g == 0 and d > 0
        assert int(gan.gan_model.optimizer.iterations) == n_updates
        n_updates = int(gan.d_model.optimizer.iterations)
        g, d = both_moved(gan, lambda x=x_real: train_g(x))
        assert g > 0 and d == 0
        assert int(gan.d_model.optimizer.iterations) == n_updates


@pytest.mark.parametrize("objective", ["bce", "wgan-gp", "r3gan", "ebgan"])
def test_the_generator_learns_as_in_training_and_keeps_its_statistics(objective):
    gan = new_gan(objective, SMALL)
    norm = gan.g_model.layers[1]
    gan.train_g(tf.constant(small_images(4)))
    assert np.abs(norm.moving_mean.numpy()).max() > 0


@pytest.mark.parametrize(
    "objective, critic_steps", [("wgan-gp", 5), slow("r3gan", 1), slow("began", 1)]
)
def test_updates_called_one_by_one_equal_fit_bit_for_bit(objective, critic_steps):
    """150 steps, and all that is saved; only the logs may be rounded otherwise."""
    points = ring(np.random.default_rng(0), 150 * critic_steps * 16).points
    states, logs = [], []
    for in_fit in (True, False):
        keras.utils.set_random_seed(3)
        gan = new_gan(objective, POINTS, critic_steps=critic_steps)
        if in_fit:
            fit_batches(gan, points.reshape(-1, 16, 2))
        else:
            updates_one_by_one(gan, points.reshape(-1, 16, 2), critic_steps)
        states.append([variable.numpy() for variable in state_variables(gan)])
        logs.append([float(mean.result()) for mean in gan.metrics])
    for one, other in zip(*states, strict=True):
        assert np.array_equal(one, other)
    np.testing.assert_allclose(*logs, rtol=1e-5)


def mean_loss(gan, side, step, words, n_steps):
    """The mean of a side's loss over some updates of that side."""
    gan.reset_metrics()
    for word in words[:n_steps]:
        step(word)
    names = ("d1", "d2") if gan.separate and side == "d" else (f"{side}_loss",)
    return sum(float(gan.means[name].result()) for name in names)


@pytest.mark.parametrize("objective, d_batches", CASES)
def test_each_side_lowers_its_loss_while_the_other_stands_still(objective, d_batches):
    own = {"wgan": {"clip": 0.1}, "r3gan": {"penalty": 0.05}}.get(objective, {})
    gan = new_gan(objective, POINTS, d_batches=d_batches, **own)
    for model in (gan.d_model, gan.gan_model):
        model.optimizer.learning_rate = 0.003
    points = ring(np.random.default_rng(0), 64 * 40).points.reshape(40, 64, 2)
    batches = [tf.constant(x) for x in points]
    for side, train in (("d", gan.train_d), ("g", gan.train_g)):
        step = traced(train)
        step(batches[0])  # with wgan, D's weights come into their bounds
        losses = [mean_loss(gan, side, step, batches, 3)]
        mean_loss(gan, side, step, batches, 40)
        losses.append(mean_loss(gan, side, step, batches, 3))
        assert losses[1] < losses[0] - 0.05 * abs(losses[0])


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_with_wgan_every_weight_of_the_critic_stays_within_the_bound(precision):
    keras.config.set_dtype_policy(precision)
    gan = new_gan("wgan", SMALL)
    train_d = traced(gan.train_d)
    assert len(gan.d_model.trainable_weights) == 6  # also biases, gamma and beta
    for seed, far in enumerate((1.0, -1.0, 1.0)):
        for weight in gan.d_model.trainable_weights:
            weight.assign(ops.full(weight.shape, far))
        train_d(tf.constant(small_images(4, seed)))
        for weight in gan.d_model.trainable_weights:
            np.testing.assert_allclose(weight.numpy(), far * 0.01, rtol=1e-6)
    gan.train_g(tf.constant(small_images(4)))
    kernels = [w.numpy() for w in gan.g_model.trainable_weights if w.name == "kernel"]
    assert min(np.abs(kernel).max() for kernel in kernels) > 0.1


@pytest.mark.parametrize(
    "objective",
    [
        x if x in ("bce", "wgan-gp", "began") else slow(x)
        for x in OBJECTIVES
        if x != "wgan"
    ],
)
def test_without_wgan_no_weight_is_clipped(objective):
    gan = new_gan(objective, SMALL)
    gan.train_d(tf.constant(small_images(4)))
    kernels = [w.numpy() for w in gan.d_model.trainable_weights if w.name == "kernel"]
    assert min(np.abs(kernel).max() for kernel in kernels) > 0.05


@pytest.mark.parametrize(
    "objective, d_batches",
    [("hinge", "mixed"), ("hinge", "separate"), ("r3gan", "mixed")],
)
def test_three_critic_steps_take_three_batches_of_real_images(objective, d_batches):
    gan = new_gan(objective, SMALL, d_batches=d_batches, critic_steps=3)
    gan.run_eagerly = True
    seen, train_d = [], gan.train_d

    def recorded(x_real):
        seen.append(x_real.numpy())
        return train_d(x_real)

    gan.train_d = recorded
    images = small_images(24)
    gan.fit(images, batch_size=12, shuffle=False, verbose=0)
    assert [len(x) for x in seen] == [4] * 6
    np.testing.assert_array_equal(np.concatenate(seen), images)
    n_batches = 2 if d_batches == "separate" else 1
    assert int(gan.gan_model.optimizer.iterations) == 2
    assert int(gan.d_model.optimizer.iterations) == 2 * 3 * n_batches


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(
    "objective", [x if x == "began" else slow(x) for x in OBJECTIVES]
)
def test_both_sides_move_in_mixed_precision(objective, precision):
    """With float16 some steps pass by until the loss scale suits the gradients."""
    keras.config.set_dtype_policy(precision)
    gan = new_gan(objective, SMALL)
    x_real = tf.constant(small_images(8))
    for model, step in (
        (gan.d_model, lambda: gan.train_d(x_real)),
        (gan.g_model, lambda: gan.train_g(x_real)),
    ):
        tries = 1 if precision == "mixed_bfloat16" else 12
        for _ in range(2):
            assert any(moved(model, step) > 0 for _ in range(tries))
        assert np.isfinite(weights(model)).all()
        assert {w.dtype for w in model.weights} == {"float32"}


def test_who_interrupts_pretraining_is_told_that_nothing_is_kept(capsys):
    class Interrupted:
        def __getitem__(self, i):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(new_gan("began", POINTS), Interrupted(), 60)
    assert "in the pretraining of D, which is not saved" in capsys.readouterr().out


@pytest.mark.parametrize("objective", [slow("ebgan"), "began"])
def test_pretraining_lowers_the_energy_of_real_images_alone(capsys, objective):
    gan = new_gan(objective, POINTS)
    points = ring(np.random.default_rng(0), 256).points
    before = gan.d_model.predict(points, verbose=0).mean()
    batches = [(points[i : i + 64],) for i in (0, 64, 128, 192)] * 15

    assert moved(gan.g_model, lambda: pretrain(gan, batches, 60)) == 0
    assert gan.d_model.predict(points, verbose=0).mean() < before / 2
    assert "pretraining, steps: 60; energy" in capsys.readouterr().out
    assert int(gan.d_model.optimizer.iterations) == 60
    assert int(gan.gan_model.optimizer.iterations) == 0
    if objective == "began":
        assert float(gan.k) == 0
    assert moved(gan.d_model, lambda: gan.train_d(points[:8])) > 0  # it can be trained
