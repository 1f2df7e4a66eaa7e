"""GANs with a few parameters, whose losses can be computed by hand."""

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
OF_LABELS = [name for name in OBJECTIVES if OBJECTIVES[name].uses_labels]
CASES = [
    *(("wgan", "mixed"), ("bce", "separate")),
    *(slow(name, "mixed") for name in OBJECTIVES if name != "wgan"),
]
REAL = np.array([(0.2, -0.3), (0.5, 0.1), (-0.4, 0.6), (1.0, -0.8)], "float32")
D_LATENT = np.array([(-0.8, 0.1), (0.1, -0.6), (0.3, 0.3), (-0.2, 0.1)], "float32")
G_LATENT = np.concatenate([D_LATENT[::-1] / 2, D_LATENT + 0.25])
W, B = np.array([3.0, 4.0]), 0.5  # |W| = 5


def new_gan(objective, functions, latent_dim=8, d_batches="mixed", critic_steps=1, **own):
    """Return the GAN of an objective, built as by `training.run_training`."""
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


def linear_gan(objective, rate=0.0, w=W, b=B, **own):
    """Return a GAN with logits D(x) = w . x + b, and G(z) = z; SGD, D's rate `rate`."""
    functions = (
        lambda latent_dim: model_of(latent_dim, layers.Dense(2)),
        lambda: compiled(model_of(2, layers.Dense(1, activation="sigmoid")), sgd(rate)),
        composite,
    )
    gan = new_gan(objective, functions, 2, **own)
    gan.d_model.layers[-1].set_weights([np.reshape(w, (2, 1)), np.array([b])])
    gan.g_model.layers[-1].set_weights([np.eye(2), np.zeros(2)])
    return gan


def gan_with(objective, d_model, **own):
    """Return a GAN of this D, unchanged, and G(z) = z."""
    g_model = model_of(2, layers.Dense(2))
    g_model.layers[-1].set_weights([np.eye(2), np.zeros(2)])
    return make_gan(
        g_model, d_model, composite(g_model, d_model), objective=objective, **own
    )


def energy_gan(objective, **own):
    """Return a GAN with D(x) = |x|^2 / 8, whose code and copy are x / 2; G(z) = z."""
    x = keras.Input((2,))
    code = layers.Dense(2, use_bias=False, name="code")
    energy = ops.mean(ops.square(x - code(x)), axis=1, keepdims=True)
    code.set_weights([np.eye(2) / 2])
    return gan_with(objective, compiled(keras.Model(x, energy), sgd()), **own)


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


def one_step(gan, real=REAL, z_d=D_LATENT, z_g=G_LATENT):
    """Return the logs of one step with these latent vectors of D's and G's update."""
    fed = iter((z_d, z_g))
    gan.latent_vectors = lambda n: tf.constant(next(fed))
    gan.reset_metrics()
    return {name: float(value) for name, value in gan.train_step((real,)).items()}


def assert_logged(logs, **expected):
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-5), name


def descent(gan, real, fake):
    """Return the gradient of D's update, if D's rate is 1: one flat array."""
    before = weights(gan.d_model)
    one_step(gan, real, fake)
    return before - weights(gan.d_model)
