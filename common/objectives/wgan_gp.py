"""Compute the losses of WGAN-GP: Gulrajani et al. 2017, Algorithm 1.

The gradient penalty replaces the weight clipping of WGAN.
"""

import keras
from keras import ops

from common.objectives.penalties import scores_and_squared_norms


def d_loss(gan, x_real, x_fake):
    """Return E D(y) - E D(x) + penalty E (|gradient| - 1)^2, float32 (): eq. 3.

    `gan.penalty` is lambda of the paper. D's gradient is computed at random
    interpolations of real and fake images.
    """
    shape = (ops.shape(x_real)[0], *[1] * (len(x_real.shape) - 1))  # a number per image
    epsilon = keras.random.uniform(shape, seed=gan.latent_seed)
    x_hat = epsilon * x_real + (1 - epsilon) * x_fake
    _, squares = scores_and_squared_norms(gan.d_outputs, x_hat)
    norms = ops.sqrt(squares + 1e-12)  # the gradient of sqrt is infinite at 0
    real, fake = (ops.mean(gan.d_outputs(x)) for x in (x_real, x_fake))
    gan.log(score_real=real, score_fake=fake)
    return fake - real + gan.penalty * ops.mean(ops.square(norms - 1))


def g_loss(gan, x_real, z):
    """Return -E D(G(z)), float32 (): Algorithm 1, line 12."""
    return -ops.mean(gan.gan_outputs(z))
