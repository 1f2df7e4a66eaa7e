"""Compute least squares losses.

Mao et al. 2017, "Least Squares Generative Adversarial Networks".
"""

import keras


def d_loss(labels, scores):
    """Return (D(x) - 1)^2 for real and D(y)^2 for fake images, float32 (n,).

    It is eq. 9 with a = 0 and b = 1. The mean over a mixed batch has its factor 1/2;
    separate batches and G's loss do not.
    """
    return keras.losses.mean_squared_error(labels, scores)


g_loss = d_loss  # (D(y) - 1)^2: eq. 9 with c = 1, with label 1 for G's images
