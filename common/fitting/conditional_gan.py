"""Train a class-conditional GAN: `gan.GAN` with models that take classes."""

import threading

import keras
from keras import ops

from common.gan import GAN
from common.sampling import n_classes


class ConditionalGAN(GAN):
    """Class-conditional GAN, whose models take [images or z, classes].

    `fit` takes (images, classes), classes int32 (n, 1). `train_d` and `train_g` take both
    as a tuple. In D's update, the fakes have the classes of the real images. In G's
    update, there are two fakes for each of these classes.

    Args:
        models, keywords: see `gan.GAN`.
        wrong_labels: whether a third of D's batch is real images with wrong classes and
            the label fake (matching-aware D): Reed et al. 2016, "Generative Adversarial
            Text to Image Synthesis", Algorithm 1 (GAN-CLS).
    """

    def __init__(self, *models, wrong_labels=False, **keywords):
        super().__init__(*models, **keywords)
        self.wrong_labels = wrong_labels
        self.current = threading.local()  # .classes; each device has its own thread

    def real_batches(self, data):
        images, classes, _ = keras.utils.unpack_x_y_sample_weight(data)
        parts = (ops.split(part, self.critic_steps) for part in (images, classes))
        return zip(*parts, strict=True)

    def train_d(self, x_real):
        images, self.current.classes = x_real
        super().train_d(images)

    def train_g(self, x_real):
        images, self.current.classes = x_real
        super().train_g(images)

    def model_inputs(self, x):
        """Return [x, classes]: the update's classes, repeated to the length of x."""
        n_times = ops.shape(x)[0] // ops.shape(self.current.classes)[0]
        return [x, ops.tile(self.current.classes, (n_times, 1))]

    def labelled_batch(self, x_real, x_fake):
        inputs, labels, _ = super().labelled_batch(x_real, x_fake)
        if not self.wrong_labels:
            return inputs, labels, None
        classes, n = self.current.classes, n_classes(self.g_model)
        offsets = keras.random.randint(ops.shape(classes), 1, n, seed=self.latent_seed)
        wrong = [x_real, ops.mod(classes + offsets, n)]
        inputs = [ops.concatenate(parts) for parts in zip(inputs, wrong, strict=True)]
        labels = ops.concatenate([labels, ops.zeros((ops.shape(x_real)[0], 1))])
        weights = ops.where(labels > 0.5, 1.5, 0.75)  # shares 1/2, 1/4, 1/4 of the loss
        return inputs, labels, weights[:, 0]
