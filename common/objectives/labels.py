"""Smoothed and flipped labels of D: `--label-smoothing`, `--label-noise`."""

import keras
from keras import ops


class SmoothedLabels:
    """D's loss on smoothed labels, some of them flipped.

    One-sided smoothing, real = 1 - smoothing and fake = 0: Salimans et al. 2016,
    "Improved Techniques for Training GANs", section 3.4. Noise is the probability that a
    label is flipped.

    Args:
        loss: name or function as of `compile`; a loss per image of labels in [0, 1].
        smoothing, noise: in [0, 1).
    """

    __name__ = "smoothed_labels"

    def __init__(self, loss, smoothing, noise):
        loss = keras.losses.get(loss)
        # A Loss object would return the mean over all images.
        self.loss = getattr(loss, "call", loss)
        self.smoothing, self.noise = smoothing, noise
        self.seed = keras.random.SeedGenerator()

    def __call__(self, labels, outputs):
        if self.noise:
            shares = keras.random.uniform(ops.shape(labels), seed=self.seed)
            labels = ops.where(shares < self.noise, 1 - labels, labels)
        return self.loss((1 - self.smoothing) * labels, outputs)
