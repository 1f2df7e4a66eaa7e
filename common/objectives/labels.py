"""Smooth and flip the labels of D's loss: `--label-smoothing`, `--label-noise`."""

import keras
from keras import ops


class SmoothedLabels:
    """Loss of D on smoothed labels, of which some are flipped.

    One-sided smoothing, real = 1 - smoothing and fake = 0: Salimans et al. 2016,
    "Improved Techniques for Training GANs", section 3.4. Noise is the probability that a
    label is flipped.

    Args:
        loss: name or function, as `compile` takes it; one number per image.
        smoothing, noise: float in [0, 1).
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
            uniform = keras.random.uniform(ops.shape(labels), seed=self.seed)
            labels = ops.where(uniform < self.noise, 1 - labels, labels)
        return self.loss((1 - self.smoothing) * labels, outputs)
