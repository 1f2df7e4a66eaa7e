"""The losses that `compile(loss=...)` takes beside Keras's own: real = 1, fake = 0."""

import keras
from keras import ops


def minimax(y_true, y_pred):
    """G's loss in Goodfellow et al. 2014, eq. 1: log(1 - D(G(z))), as it stands there.

    It is flat where D is sure, which is why section 3 trains G on -log D(G(z)) instead.

    Args:
        y_true: ones (n, 1): G's images are to be called real.
        y_pred: probabilities (n, 1).
    """
    return -keras.losses.binary_crossentropy(1 - y_true, y_pred)


def wasserstein(y_true, y_pred):
    """Minus the score of what is to be real, plus the score of what is not.

    Arjovsky et al. 2017, eq. 2, and G's loss with hinge: Miyato et al. 2018, eq. 17.

    Args:
        y_true: labels (n, 1), 0 or 1.
        y_pred: scores (n, 1).
    """
    return ops.mean((1 - 2 * y_true) * y_pred, axis=-1)


class Clip(keras.constraints.Constraint):
    """Weights stay in [-bound, bound]: Arjovsky et al. 2017, Algorithm 1, line 7."""

    def __init__(self, bound):
        self.bound = bound

    def __call__(self, w):
        return ops.clip(w, -self.bound, self.bound)


class Unsure:
    """D's loss against labels that are less sure than they are.

    One-sided smoothing, real = 1 - smoothing and fake = 0: Salimans et al. 2016,
    "Improved Techniques for Training GANs", section 3.4. Noise tells D a share of the
    labels wrongly.

    Args:
        loss: what `compile` takes; a loss of labels from 0 to 1.
        smoothing, noise: at least 0 and below 1.
    """

    __name__ = "unsure"

    def __init__(self, loss, smoothing, noise):
        self.loss = keras.losses.get(loss)
        self.smoothing, self.noise = smoothing, noise
        self.seed = keras.random.SeedGenerator()

    def __call__(self, y_true, y_pred):
        if self.noise:
            draws = keras.random.uniform(ops.shape(y_true), seed=self.seed)
            y_true = ops.where(draws < self.noise, 1 - y_true, y_true)
        return self.loss((1 - self.smoothing) * y_true, y_pred)
