"""The adversarial step, for every dataset: D learns, then G learns through a frozen D.

Goodfellow et al., "Generative Adversarial Nets" (2014), Algorithm 1 with one D step
for each G step and the non-saturating G loss of section 3. Real = 1, fake = 0.
"""

from contextlib import contextmanager

import keras
from keras import ops


class GAN(keras.Model):
    """What `fit` trains: one discriminator update and one generator update a step.

    Args:
        g_model: generator, latent points (n, latent_dim) -> images (n, h, w, c).
        d_model: compiled discriminator, images -> probability of being real (n, 1).
        gan_model: compiled composite of both, latent points -> probability (n, 1).

    Feed `fit` with half batches of real images, float32 (n / 2, h, w, c): a step makes
    as many fakes for D, and updates G on n latent points. Logged are the epoch's running
    means of `d_loss`, `g_loss` (nats), `acc_real`, `acc_fake` (shares of the real and of
    the fake images that D tells right) and `acc_adv` (share of G's images that D calls
    real).
    """

    def __init__(self, g_model, d_model, gan_model):
        super().__init__()
        self.g_model, self.d_model, self.gan_model = g_model, d_model, gan_model
        self.latent_seed = keras.random.SeedGenerator()
        d_model.trainable = True  # define_gan froze it
        compile_again(d_model, [ShareRight(1, "acc_real"), ShareRight(0, "acc_fake")])
        compile_again(gan_model, [ShareRight(1, "acc_adv")])
        # Keras forbids to build an optimizer inside `fit`, and each owns one side only.
        d_model.optimizer.build(d_model.trainable_variables)
        gan_model.optimizer.build(g_model.trainable_variables)
        self.compile(optimizer=None, loss=None, jit_compile=False)
        self.built = True

    def train_step(self, data):
        """One update of D, then one of G. Returns the epoch's running means."""
        x_real, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        d = self.train_d(x_real)
        g = self.train_g(2 * ops.shape(x_real)[0])
        return {
            "d_loss": d["loss"],
            "g_loss": g["loss"],
            "acc_real": d["acc_real"],
            "acc_fake": d["acc_fake"],
            "acc_adv": g["acc_adv"],
        }

    def train_d(self, x_real):
        """D learns to tell these real images (1) from as many fakes (0): one batch."""
        half = ops.shape(x_real)[0]
        images = ops.concatenate([x_real, self.generate_fakes(half)])
        labels = ops.concatenate([ops.ones((half, 1)), ops.zeros((half, 1))])
        self.d_model.trainable = True
        return self.d_model.train_step((images, labels))

    def train_g(self, n):
        """G learns, through a D that stands still, to have n images called real (1)."""
        with frozen(self.d_model):
            return self.gan_model.train_step((self.latent_points(n), ops.ones((n, 1))))

    def latent_points(self, n):
        """n points of the latent space, float32 (n, latent_dim), standard normal."""
        return keras.random.normal(
            (n, self.g_model.input_shape[-1]), seed=self.latent_seed
        )

    def generate_fakes(self, n):
        """n images of G as it is in training (batch statistics), leaving G unmoved."""
        images, _ = self.g_model.stateless_call(
            self.g_model.trainable_variables,
            self.g_model.non_trainable_variables,
            self.latent_points(n),
            training=True,
        )
        return ops.cast(ops.stop_gradient(images), "float32")

    @contextmanager
    def averaged_generator(self):
        """Inside, G holds the running mean of its weights, where its optimizer has one.

        BatchNormalization's moving averages stay those of the last weights. (Keras's own
        finalising looks at the outer model's optimizer, which GAN has not.)
        """
        optimizer = self.gan_model.optimizer
        weights = self.g_model.trainable_variables
        last = [ops.copy(w) for w in weights]
        optimizer.finalize_variable_values(weights)  # does nothing without use_ema
        try:
            yield
        finally:
            for weight, value in zip(weights, last, strict=True):
                weight.assign(value)

    @property
    def metrics(self):
        # `fit` resets at each epoch what it finds here, and nothing else.
        return [*self.d_model.metrics, *self.gan_model.metrics]


@contextmanager
def frozen(model):
    """Inside, no variable of `model` moves, and its layers work as in training.

    `model.trainable = False` would freeze the weights as well, but also switch
    BatchNormalization to its moving averages: G would be trained against another D than
    the one that learns. So the weights are frozen one by one, and the moving averages
    are put back afterwards.
    """
    weights, statistics = model.trainable_weights, model.non_trainable_weights
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


@keras.saving.register_keras_serializable("gan")
class ShareRight(keras.metrics.Mean):
    """Share of the images labelled `label` (1 real, 0 fake) that D tells right."""

    def __init__(self, label, name, **keywords):
        super().__init__(name=name, **keywords)
        self.label = label

    def get_config(self):
        return {**super().get_config(), "label": self.label}

    def update_state(self, y_true, y_pred, sample_weight=None):
        right = ops.equal(y_pred > 0.5, self.label > 0.5)
        mine = ops.equal(y_true > 0.5, self.label > 0.5)
        super().update_state(right, sample_weight=mine)


def compile_again(model, metrics):
    """Compile `model` with the loss and the optimizer that it has, and these metrics."""
    model.compile(optimizer=model.optimizer, loss=model.loss, metrics=metrics)
