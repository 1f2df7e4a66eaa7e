"""Compute the losses of WGAN, and clip D's weights: Arjovsky et al. 2017, Algorithm 1."""

import keras
from keras import ops


def d_loss(labels, scores):
    """Return -D(x) for real and D(y) for fake images, float32 (n,): line 5."""
    return ops.mean((1 - 2 * labels) * scores, axis=-1)


g_loss = d_loss  # -D(y): line 10, with label 1 for G's images


class Clip(keras.constraints.Constraint):
    """Clip weights to [-bound, bound], also of normalization layers: line 7."""

    def __init__(self, bound):
        self.bound = bound

    def __call__(self, w):
        return ops.clip(w, -self.bound, self.bound)
