"""Compute the losses of BEGAN: Berthelot, Schumm, Metz 2017, section 3.4.

D is an auto-encoder; the energy of an image is its reconstruction error.
"""

from keras import ops

LAMBDA_K = 0.05  # learning rate of k; 0.001 in the paper, for many more steps


def d_loss(gan, x_real, x_fake):
    """Return L_D = E D(x) - k E D(y), float32 (), and update k.

    `gan.gamma` is the diversity ratio, the target of E D(y) / E D(x). Low values give
    sharp images of low diversity.
    """
    real, fake = (ops.mean(gan.d_outputs(x)) for x in (x_real, x_fake))
    loss = real - ops.copy(gan.k) * fake
    balance = gan.gamma * real - fake  # 0 at equilibrium; in the paper G's update's fakes
    gan.k.assign(ops.clip(gan.k + LAMBDA_K * balance, 0, 1))  # k_t+1
    convergence = real + ops.abs(balance)  # M_global, section 3.4.1
    gan.log(energy_real=real, energy_fake=fake, k=gan.k, convergence=convergence)
    return loss


def g_loss(gan, x_real, z):
    """Return L_G = E D(G(z)), float32 ()."""
    return ops.mean(gan.gan_outputs(z))
