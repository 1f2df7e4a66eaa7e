"""Compute the losses of EBGAN: Zhao et al. 2017, "Energy-based GAN".

D is an auto-encoder; the energy of an image is its reconstruction error, which is low for
real images.
"""

import keras
from keras import ops


def d_loss(gan, x_real, x_fake):
    """Return E D(x) + E max(0, margin - D(y)), float32 (): eq. 1."""
    real, fake = (gan.d_outputs(x) for x in (x_real, x_fake))
    gan.log(energy_real=ops.mean(real), energy_fake=ops.mean(fake))
    return ops.mean(real) + ops.mean(ops.relu(gan.margin - fake))


def g_loss(gan, x_real, z):
    """Return E D(G(z)) + pull_away * similarity of codes, float32 (): eq. 2, sec. 2.4."""
    if not gan.pull_away:
        return ops.mean(gan.gan_outputs(z))
    d_model = gan.d_model
    outputs = [*d_model.outputs, d_model.get_layer("code").output]
    energies, codes = keras.Model(d_model.inputs, outputs)(
        gan.g_model(z, training=True), training=True
    )
    return ops.mean(energies) + gan.pull_away * similarity(codes)


def similarity(codes):
    """Return the mean squared cosine similarity of the codes of a batch: section 2.4.

    Args:
        codes: float (n, size), n > 1.

    Returns:
        float32 (), the mean over all pairs of different codes.
    """
    codes = ops.normalize(ops.cast(codes, "float32"), axis=1)
    n = ops.cast(ops.shape(codes)[0], "float32")
    cosines = ops.matmul(codes, ops.transpose(codes))
    return (ops.sum(ops.square(cosines)) - n) / (n * (n - 1))  # without the diagonal
