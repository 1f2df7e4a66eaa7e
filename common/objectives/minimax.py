"""Compute the minimax losses: Goodfellow et al. 2014, eq. 1.

G minimizes the value that D maximizes.
"""

import keras


def d_loss(labels, probabilities):
    """Return -ln D(x) for real and -ln(1 - D(y)) for fake images, float32 (n,): eq. 1."""
    return keras.losses.binary_crossentropy(labels, probabilities)


def g_loss(labels, probabilities):
    """Return ln(1 - D(y)), float32 (n,): the negative cross-entropy of label 0; eq. 1.

    Its gradient vanishes if D classifies y as fake; section 3 proposes -ln D(y) instead.
    """
    return -keras.losses.binary_crossentropy(1 - labels, probabilities)
