"""Compute the losses of R3GAN: relativistic pairing (RpGAN), with gradient penalties.

Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern GAN Baseline", with the
penalties of Mescheder et al. 2018, "Which Training Methods for GANs do actually
Converge?".
"""

from keras import ops

from common.objectives.penalties import scores_and_squared_norms


def d_loss(gan, x_real, x_fake):
    """Return E ln(1 + exp(D(y) - D(x))) + R1 + R2, float32 (): eq. 2 of Huang et al.

    `gan.penalty` is gamma of Mescheder et al., for R1 and for R2.
    """
    real, squares_real = scores_and_squared_norms(gan.d_outputs, x_real)
    fake, squares_fake = scores_and_squared_norms(gan.d_outputs, x_fake)
    gan.log(score_real=ops.mean(real), score_fake=ops.mean(fake))
    r1 = gan.penalty / 2 * ops.mean(squares_real)  # Mescheder et al., eq. 9
    r2 = gan.penalty / 2 * ops.mean(squares_fake)  # Mescheder et al., eq. 10
    return ops.mean(ops.softplus(fake - real)) + r1 + r2


def g_loss(gan, x_real, z):
    """Return E ln(1 + exp(D(x) - D(G(z)))), float32 (): real and fake are exchanged."""
    real = gan.d_outputs(ops.concatenate([x_real] * gan.fakes_per_real))
    return ops.mean(ops.softplus(real - gan.gan_outputs(z)))
