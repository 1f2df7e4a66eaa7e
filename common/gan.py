"""The adversarial step, for every dataset: D learns, then G learns through a frozen D.

Goodfellow et al., "Generative Adversarial Nets" (2014), Algorithm 1 with one D step
for each G step and the non-saturating G loss of section 3. Real = 1, fake = 0.
"""

import math
from contextlib import contextmanager

import keras
from keras import ops

from common.averages import averaged
from common.checkpoints import all_layers
from common.fast import fast_layers
from common.metrics import OnLabel, opinions


class GAN(keras.Model):
    """What `fit` trains: one discriminator update and one generator update a step.

    Args:
        g_model: generator, latent points (n, latent_dim) -> images (n, h, w, c).
        d_model: compiled discriminator, images -> probability of being real (n, 1).
        gan_model: compiled composite of both, latent points -> probability (n, 1).
        halves: "merged", D learns from the real and the fake half batch in one update,
            or "separate", in one update each, so that BatchNormalization in D sees one
            kind at a time.
        critic_steps: updates of D for each of G.
        threshold: see `metrics.opinions`.

    Feed `fit` with half batches of real images, float32 (n / 2, h, w, c), or with as many
    at once as there are critic steps: D's update makes as many fakes, G's takes n latent
    points. Logged are the epoch's running means of `metrics.opinions`, of `g_loss` and of
    `d_loss`, or with separate halves of `d1` on the real and `d2` on the fake one (nats).
    """

    ideal = math.log(2)  # nats: the loss of a D that cannot tell real from fake

    def __init__(self, g_model, d_model, gan_model, halves="merged", critic_steps=1,
                 threshold=0.5):  # fmt: skip
        super().__init__()
        self.g_model, self.d_model, self.gan_model = g_model, d_model, gan_model
        self.separate = halves == "separate"
        self.critic_steps, self.threshold = critic_steps, threshold
        self.latent_seed = keras.random.SeedGenerator()
        d_model.trainable = True  # define_gan froze it
        loss = keras.losses.get(d_model.loss)
        losses = [OnLabel(1, loss, "d1"), OnLabel(0, loss, "d2")] * self.separate
        real, fake, adversarial = opinions(threshold)
        compile_again(d_model, metrics=[*losses, real, fake])
        compile_again(gan_model, metrics=[adversarial])
        # Keras forbids to build an optimizer inside `fit`, and each owns one side only.
        d_model.optimizer.build(d_model.trainable_variables)
        gan_model.optimizer.build(g_model.trainable_variables)
        self.compile(optimizer=None, loss=None, jit_compile=False)
        self.train_step = fast_layers(gan_model)(self.train_step)  # without: Keras's own
        self.built = True

    def train_step(self, data):
        """One update of D, then one of G. Returns the epoch's running means."""
        for half_batch in self.half_batches(data):
            d = self.train_d(half_batch)
        g = self.train_g(2 * ops.shape(half_batch)[0])
        losses = {"d_loss": d.pop("loss"), "g_loss": g.pop("loss")}
        if self.separate:
            del losses["d_loss"]  # d1 and d2 tell more
        return {**losses, **d, **g}

    def half_batches(self, data):
        """The real images of each update of D, float32 (n / 2, h, w, c)."""
        x_real, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.split(x_real, self.critic_steps)

    def train_d(self, x_real):
        """D learns to tell these real images (1) from as many fakes (0)."""
        half = ops.shape(x_real)[0]
        x_fake = self.generate_fakes(half)
        y_real, y_fake = ops.ones((half, 1)), ops.zeros((half, 1))
        self.d_model.trainable = True
        if self.separate:
            self.d_model.train_step((self.given(x_real), y_real))
            return self.d_model.train_step((self.given(x_fake), y_fake))
        images = ops.concatenate([x_real, x_fake])
        labels = ops.concatenate([y_real, y_fake])
        return self.d_model.train_step((self.given(images), labels))

    def train_g(self, n):
        """G learns, through a D that stands still, to have n images called real (1)."""
        points = self.given(self.latent_points(n))
        with frozen(self.d_model):
            return self.gan_model.train_step((points, ops.ones((n, 1))))

    def latent_points(self, n):
        """n points of the latent space, float32 (n, latent_dim), standard normal."""
        latent_dim = self.g_model.inputs[0].shape[-1]
        return keras.random.normal((n, latent_dim), seed=self.latent_seed)

    def given(self, x):
        """What a model takes: x alone. (`conditional.py` adds the classes.)"""
        return x

    def generate_fakes(self, n):
        """n images of G as it is in training (batch statistics), leaving G unmoved."""
        images, _ = self.g_model.stateless_call(
            self.g_model.trainable_variables,
            self.g_model.non_trainable_variables,
            self.given(self.latent_points(n)),
            training=True,
        )
        return ops.cast(ops.stop_gradient(images), "float32")

    def averaged_generator(self):
        """A context in which G holds the running mean of its weights, if there is one."""
        return averaged(self.g_model, self.gan_model.optimizer)

    @property
    def metrics(self):
        # `fit` resets at each epoch what it finds here, and nothing else.
        return [*self.d_model.metrics, *self.gan_model.metrics]


@contextmanager
def frozen(model):
    """Inside, no variable of `model` moves, and its layers work as in training.

    `model.trainable = False` would freeze the weights as well, but also switch
    BatchNormalization to its moving averages: G would be trained against another D than
    the one that learns. So the weights are frozen one by one, and what moves all the
    same is put back afterwards: moving averages, and kernels that SpectralNormalization
    divides.
    """
    weights, spectral = model.trainable_weights, keras.layers.SpectralNormalization
    kernels = [x.kernel for x in all_layers(model) if isinstance(x, spectral)]
    statistics = [*model.non_trainable_weights, *kernels]
    before = [ops.copy(s) for s in statistics]
    for weight in weights:
        weight.trainable = False
    try:
        yield
    finally:
        for weight in weights:
            weight.trainable = True
    for statistic, value in zip(statistics, before, strict=True):
        statistic.assign(value)


def compile_again(model, loss=None, metrics=()):
    """Compile `model` with its optimizer, its loss or another one, and these metrics."""
    model.compile(model.optimizer, loss=loss or model.loss, metrics=list(metrics))
