"""Compute hinge losses.

Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, eq. 16 and 17.
"""

from keras import ops


def d_loss(labels, scores):
    """Return max(0, 1 - D(x)) for real, max(0, 1 + D(y)) for fake images: (n,)."""
    return ops.mean(ops.relu(1 - (2 * labels - 1) * scores), axis=-1)


def g_loss(labels, scores):
    """Return -D(y), float32 (n,)."""
    return -ops.mean(scores, axis=-1)
