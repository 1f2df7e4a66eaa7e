"""Labels that are less certain than 1 and 0, for `--label-smoothing`, `--label-noise`."""

import keras
from keras import ops


class SmoothedLabels:
    """D's loss on smoothed labels, some of them flipped.

    One-sided smoothing, real = 1 - smoothing and fake = 0: Salimans et al. 2016,
    "Improved Techniques for Training GANs", section 3.4. Noise flips a share of the
    labels.

    Args:
        loss: what `compile` takes; a loss of labels from 0 to 1, for each image.
        smoothing, noise: at least 0 and below 1.
    """

    __name__ = "smoothed_labels"

    def __init__(self, loss, smoothing, noise):
        loss = keras.losses.get(loss)
        # A Loss itself would take the mean of all images.
        self.loss = getattr(loss, "call", loss)
        self.smoothing, self.noise = smoothing, noise
        self.seed = keras.random.SeedGenerator()

    def __call__(self, labels, outputs):
        if self.noise:
            shares = keras.random.uniform(ops.shape(labels), seed=self.seed)
            labels = ops.where(shares < self.noise, 1 - labels, labels)
        return self.loss((1 - self.smoothing) * labels, outputs)
