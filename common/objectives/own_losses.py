"""The step of objectives whose losses are not means over (label, output) pairs."""

import keras
from keras import ops

from common.gan import GAN, frozen
from common.objectives.gradients import descend


class OwnLossGAN(GAN):
    """A GAN that minimizes `d_loss` over D's weights and `g_loss` over G's.

    A subclass defines both, (real, fake) float32 (n, h, w, c) -> scalar, and names in
    `shown` what it logs with `self.show` beside them. D judges real and fake images in
    two passes, so that BatchNormalization sees one kind at a time, and learns from both
    in one update.
    """

    shown = ("score_real", "score_fake")
    ideal = None

    def __init__(self, g_model, d_model, gan_model, critic_steps=1):
        super().__init__(
            g_model, d_model, gan_model, critic_steps=critic_steps, threshold=None
        )
        names = ("d_loss", "g_loss", *self.shown)
        self.means = {name: keras.metrics.Mean(name) for name in names}

    def d_loss(self, x_real, x_fake):
        raise NotImplementedError

    def g_loss(self, x_real, x_fake):
        raise NotImplementedError

    def train_step(self, data):
        """One update of D, or `critic_steps`, then one of G."""
        for x_real in self.half_batches(data):
            self.train_d(x_real)
        self.train_g(x_real)
        return {name: mean.result() for name, mean in self.means.items()}

    def train_d(self, x_real):
        """D learns from these real images and as many fakes."""
        x_fake = self.generate_fakes(ops.shape(x_real)[0])

        def loss():
            value = self.d_loss(x_real, x_fake)
            self.show(d_loss=value)
            return value

        self.d_model.trainable = True
        descend(self.d_model.optimizer, self.d_model.trainable_variables, loss)

    def train_g(self, x_real):
        """G learns, through a D that stands still, from two fakes for each real image."""
        points = self.given(self.latent_points(2 * ops.shape(x_real)[0]))

        def loss():
            x_fake = ops.cast(self.g_model(points, training=True), "float32")
            value = self.g_loss(ops.concatenate([x_real, x_real]), x_fake)
            self.show(g_loss=value)
            return value

        with frozen(self.d_model):
            descend(self.gan_model.optimizer, self.g_model.trainable_variables, loss)

    def judge(self, images):
        """What D says of images, in training, float32 (n, 1)."""
        return self.d_model(self.given(images), training=True)

    def show(self, **values):
        """Add values of this step to the epoch's means."""
        for name, value in values.items():
            self.means[name].update_state(value)

    @property
    def metrics(self):
        return list(self.means.values())
