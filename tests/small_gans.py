"""Small GANs for the tests, and measures of what an update changes in them."""

import keras
import numpy as np
import tensorflow as tf

from celeba_gan import dense
from celeba_gan.define_discriminator import define_discriminator as celeba_d
from celeba_gan.define_gan import define_gan as celeba_gan
from celeba_gan.define_generator import define_generator as celeba_g
from cifar10_gan.define_discriminator import define_discriminator as cifar10_d
from cifar10_gan.define_gan import define_gan as cifar10_gan
from cifar10_gan.define_generator import define_generator as cifar10_g
from common.layers.conditional import (
    conditional_discriminator,
    conditional_gan,
    conditional_generator,
)
from common.objectives.heads import head_for
from mnist_gan import conditional_dense, quick
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.define_gan import define_gan
from mnist_gan.define_generator import define_generator

SHAPE = (28, 28, 1)


def tutorial_models(latent_dim=10):
    g_model, d_model = define_generator(latent_dim), define_discriminator()
    return g_model, d_model, define_gan(g_model, d_model)


def quick_models(latent_dim=10):
    g_model, d_model = quick.define_generator(latent_dim), quick.define_discriminator()
    return g_model, d_model, quick.define_gan(g_model, d_model)


def batch_norm_models(latent_dim=10):
    """Return G and D, both with BatchNormalization, as in the DCGAN paper."""
    d_model = keras.Sequential(
        [
            keras.layers.Input((28, 28, 1)),
            keras.layers.Conv2D(4, 3, strides=4),
            keras.layers.BatchNormalization(),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    d_model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(2e-4))
    g_model = quick.define_generator(latent_dim)
    return g_model, d_model, define_gan(g_model, d_model)


def cifar10_models(latent_dim=10):
    g_model, d_model = cifar10_g(latent_dim), cifar10_d()
    return g_model, d_model, cifar10_gan(g_model, d_model)


def celeba_models(latent_dim=10, shape=(32, 32, 3)):
    """Return the DCGAN, with BatchNormalization in G and D."""
    g_model, d_model = celeba_g(latent_dim, shape), celeba_d(shape)
    return g_model, d_model, celeba_gan(g_model, d_model)


def dense_models(latent_dim=10, shape=(32, 32, 3)):
    g_model = dense.define_generator(latent_dim, shape)
    d_model = dense.define_discriminator(shape)
    return g_model, d_model, celeba_gan(g_model, d_model)


MODELS = [tutorial_models, quick_models, batch_norm_models, cifar10_models, celeba_models,
          dense_models]  # fmt: skip


def conditional_models(condition, objective="bce", n_classes=10):
    if condition == "dense":
        g_model = conditional_dense.define_generator(6, n_classes)
        d_model = conditional_dense.define_discriminator(SHAPE, n_classes)
        return g_model, d_model, conditional_dense.define_gan(g_model, d_model)
    kind = n_classes, condition
    g_model = conditional_generator(quick.define_generator, 6, *kind)
    d_model = conditional_discriminator(
        lambda shape: head_for(objective, quick.define_discriminator(shape)),
        SHAPE,
        *kind,
    )
    return g_model, d_model, conditional_gan(g_model, d_model, quick.define_gan)


def real_images(n, seed=0, shape=(28, 28, 1)):
    return np.random.default_rng(seed).random((n, *shape), "float32")


def traced(step):
    """Return a step as `fit` traces it."""
    return tf.function(step, autograph=False)


def weights(model):
    return np.concatenate([w.numpy().ravel() for w in model.weights])


def moved(model, update):
    """Return the largest change of a weight, BatchNormalization's statistics included."""
    before = weights(model)
    update()
    return np.abs(weights(model) - before).max()


def both_moved(gan, update):
    """Return the same of G and of D, in one update."""
    before = weights(gan.g_model), weights(gan.d_model)
    update()
    pairs = zip((gan.g_model, gan.d_model), before, strict=True)
    return [np.abs(weights(model) - then).max() for model, then in pairs]


def updates_one_by_one(gan, batches, critic_steps=1):
    """Do what `fit` does with these batches of real images, one update at a time.

    `fit` traces the updates once for all batch sizes, and rounding depends on that.
    """
    images = [tf.TensorSpec((None, *batches.shape[2:]))]
    train_d, train_g = (
        tf.function(update, input_signature=images, autograph=False)
        for update in (gan.train_d, gan.train_g)
    )
    for i, x_real in enumerate(batches, 1):
        train_d(tf.constant(x_real))
        if i % critic_steps == 0:
            train_g(tf.constant(x_real))


class InOrder(keras.utils.PyDataset):
    """Dataset of batches, as in `data/batches.py`."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, i):
        return (self.batches[i],)


def fit_batches(gan, batches):
    """Call `fit` with the batches of D's updates, in order."""
    steps = batches.reshape(-1, gan.critic_steps * batches.shape[1], *batches.shape[2:])
    gan.fit(InOrder(steps), shuffle=False, verbose=0)
