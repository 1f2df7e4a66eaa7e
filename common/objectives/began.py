"""BEGAN, D and G in equilibrium: Berthelot, Schumm, Metz 2017, section 3.4.

D is an auto-encoder; the energy of an image is its reconstruction error.
"""

from keras import ops

RATE = 0.05  # lambda_k, the gain of k; in the paper 0.001, for far longer runs


def d_loss(gan, x_real, x_fake):
    """Return L_D = E D(x) - k E D(y), and update k.

    `gan.gamma` is the diversity ratio, the target of E D(y) / E D(x); low values give
    sharp images of low diversity.
    """
    real, fake = (ops.mean(gan.d_outputs(x)) for x in (x_real, x_fake))
    loss = real - ops.copy(gan.k) * fake
    gap = gan.gamma * real - fake  # 0 in equilibrium; the paper uses fakes of G's update
    gan.k.assign(ops.clip(gan.k + RATE * gap, 0, 1))  # k_t+1
    measure = real + ops.abs(gap)  # M_global, section 3.4.1
    gan.log(energy_real=real, energy_fake=fake, k=gan.k, convergence=measure)
    return loss


def g_loss(gan, x_real, z):
    """Return L_G = E D(G(z))."""
    return ops.mean(gan.gan_outputs(z))
