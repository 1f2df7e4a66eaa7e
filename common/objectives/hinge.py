"""Hinge loss: Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, eq. 16 and 17."""

import keras
from keras import ops


def d_loss(labels, scores):
    """Return max(0, 1 - D(x)) for real, max(0, 1 + D(y)) for fake images: (n,)."""
    return keras.losses.hinge(labels, scores)


def g_loss(labels, scores):
    """Return -D(y), float32 (n,)."""
    return -ops.mean(scores, axis=-1)
