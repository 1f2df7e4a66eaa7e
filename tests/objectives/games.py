"""GANs of a few numbers, whose losses can be worked out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import slow
from keras import layers, ops
from small_gans import weights

from common.fitting.build import make_gan
from common.objectives.heads import head_for
from common.objectives.table import OBJECTIVES
from toy_gan import train_points

POINTS = (
    train_points.define_generator,
    train_points.define_discriminator,
    train_points.define_gan,
)
OF_LABELS = [name for name in OBJECTIVES if OBJECTIVES[name].of_labels]
GAMES = [
    *(("wgan", "mixed"), ("bce", "separate")),
    *(slow(name, "mixed") for name in OBJECTIVES if name != "wgan"),
]
REAL = np.array([(0.2, -0.3), (0.5, 0.1), (-0.4, 0.6), (1.0, -0.8)], "float32")
D_POINTS = np.array([(-0.8, 0.1), (0.1, -0.6), (0.3, 0.3), (-0.2, 0.1)], "float32")
G_POINTS = np.concatenate([D_POINTS[::-1] / 2, D_POINTS + 0.25])
W, B = np.array([3.0, 4.0]), 0.5  # |W| = 5


def game(objective, functions, latent_dim=8, d_batches="mixed", critic_steps=1, **own):
    """The GAN of an objective, made as `training.run_training` makes it."""
    define_g, define_d, define_gan = functions
    g_model = define_g(latent_dim)
    d_model = head_for(objective, define_d(), define_g)
    return make_gan(
        g_model, d_model, define_gan(g_model, d_model), d_batches, critic_steps,
        objective=objective, **own,
    )  # fmt: skip


def model_of(size, *parts):
    shape = size if isinstance(size, tuple) else (size,)
    return keras.Sequential([layers.Input(shape), *parts])


def compiled(model, optimizer):
    model.compile(loss="binary_crossentropy", optimizer=optimizer)
    return model


def sgd(rate=0.0):
    return keras.optimizers.SGD(rate)


def composite(g_model, d_model, optimizer=sgd):
    d_model.trainable = False
    return compiled(keras.Sequential([g_model, d_model]), optimizer())


def linear_game(objective, rate=0.0, w=W, b=B, **own):
    """Before any sigmoid D(x) = w . x + b, and G(z) = z; no momentum, D's rate `rate`."""
    functions = (
        lambda latent_dim: model_of(latent_dim, layers.Dense(2)),
        lambda: compiled(model_of(2, layers.Dense(1, activation="sigmoid")), sgd(rate)),
        composite,
    )
    gan = game(objective, functions, 2, **own)
    gan.d_model.layers[-1].set_weights([np.reshape(w, (2, 1)), np.array([b])])
    gan.g_model.layers[-1].set_weights([np.eye(2), np.zeros(2)])
    return gan


def game_with(objective, d_model, **own):
    """A game of this D, as it is, and G(z) = z."""
    g_model = model_of(2, layers.Dense(2))
    g_model.layers[-1].set_weights([np.eye(2), np.zeros(2)])
    return make_gan(
        g_model, d_model, composite(g_model, d_model), objective=objective, **own
    )


def energy_game(objective, **own):
    """D(x) = |x|^2 / 8, by a code of x / 2 that is its own copy; G(z) = z."""
    x = keras.Input((2,))
    code = layers.Dense(2, use_bias=False, name="code")
    energy = ops.mean(ops.square(x - code(x)), axis=1, keepdims=True)
    code.set_weights([np.eye(2) / 2])
    return game_with(objective, compiled(keras.Model(x, energy), sgd()), **own)


def energy(x):
    return np.sum(x**2, axis=1) / 8


def score(x):
    return x @ W + B


def probability(x):
    return 1 / (1 + np.exp(-score(x)))


def softplus(x):
    return np.logaddexp(0, x)


def relu(x):
    return np.maximum(x, 0)


def one_step(gan, real=REAL, d_points=D_POINTS, g_points=G_POINTS):
    """What one step logs in which D's and then G's latent points are these."""
    fed = iter((d_points, g_points))
    gan.latent_vectors = lambda n: tf.constant(next(fed))
    gan.reset_metrics()
    return {name: float(value) for name, value in gan.train_step((real,)).items()}


def assert_logged(logs, **expected):
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-5), name


def descent(gan, real, fake):
    """The gradient that D's step goes down, where D's rate is 1: one flat array."""
    before = weights(gan.d_model)
    one_step(gan, real, fake)
    return before - weights(gan.d_model)
