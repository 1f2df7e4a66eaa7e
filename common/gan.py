"""Train a GAN by adversarial steps: update D, then update G with D frozen.

Goodfellow et al., "Generative Adversarial Nets" (2014): Algorithm 1, with the
non-saturating G loss of section 3. Real = 1, fake = 0.
"""

from functools import partial

import keras
from keras import ops

from common.layers.cpu_layers import use_fast_layers
from common.layers.ema import ema_weights
from common.objectives.table import OBJECTIVES
from common.updates import compiled_loss, descend, frozen, loss_of_images


class GAN(keras.Model):
    """Model that `fit` trains: update the discriminator D, then the generator G.

    Args:
        g_model: G, latent vectors z (n, latent_dim) -> images (n, h, w, c).
        d_model: D, images -> probability of being real, or a score, (n, 1); compiled with
            the loss and the optimizer of D's updates.
        gan_model: composite of both, z -> D(G(z)); compiled with the same of G's updates.
        separate: whether D has separate updates on real and on fake images, so that each
            BatchNormalization batch has one kind; otherwise one update on a mixed batch.
        critic_steps: D updates per G update; `fit` takes their real images as one batch.
        objective: row of `objectives.table.OBJECTIVES`, which defines what is logged.
        losses: (d_loss, g_loss), functions that replace the methods and take the GAN as
            additional first argument; None: the compiled losses.
        options: numbers that these functions read, set as attributes.
    """

    fakes_per_real = 2  # in G's update: as many fakes as D's batch has images

    def __init__(self, g_model, d_model, gan_model, separate=False, critic_steps=1,
                 objective=OBJECTIVES["bce"], losses=None, **options):  # fmt: skip
        super().__init__()
        self.g_model, self.d_model, self.gan_model = g_model, d_model, gan_model
        self.separate, self.critic_steps = separate, critic_steps
        self.threshold, loss = objective.threshold, objective.equilibrium_loss
        self.equilibrium_loss = options.get(loss, loss)  # a number, or an option's name
        for name, value in options.items():
            setattr(self, name, value)
        for name in objective.state:
            setattr(self, name, self.add_weight((), "zeros", trainable=False, name=name))
        if losses:
            self.d_loss = partial(loss_of_images, losses[0], self, d_model)
            self.g_loss = partial(loss_of_images, losses[1], self, gan_model)
        self.latent_seed = keras.random.SeedGenerator()
        d_losses = ("d1", "d2") if separate else ("d_loss",)
        names = (*d_losses, "g_loss", *objective.logs)
        self.means = {name: keras.metrics.Mean(name) for name in names}
        d_model.trainable = True  # define_gan has frozen it
        # Keras forbids building an optimizer inside `fit`.
        d_model.optimizer.build(d_model.trainable_variables)
        gan_model.optimizer.build(g_model.trainable_variables)
        use_fast_layers(gan_model)
        # The models have their own losses and optimizers.
        self.compile(optimizer=None, loss=None, jit_compile=False)
        self.built = True

    def train_step(self, data):
        """Update D on each batch, then G once; return the epoch's means so far."""
        for x_real in self.real_batches(data):
            self.train_d(x_real)
        self.train_g(x_real)
        return {name: mean.result() for name, mean in self.means.items()}

    def train_d(self, x_real):
        """Update D's weights on real images, float32 (n, h, w, c), and as many fakes."""
        # D maximizes  E ln D(x) + E ln(1 - D(G(z)))  over its weights (eq. 1).
        x_fake = self.generate_fakes(ops.shape(x_real)[0])
        self.d_model.trainable = True
        if self.separate:  # [:0] is an empty batch
            self.update_d("d1", x_real, x_fake[:0])
            self.update_d("d2", x_real[:0], x_fake)
        else:
            self.update_d("d_loss", x_real, x_fake)

    def update_d(self, name, x_real, x_fake):
        """Update D's weights by one step on `d_loss`, and log it under this name."""
        loss = partial(self.d_loss, x_real, x_fake)
        value = descend(self.d_model.optimizer, self.d_model.trainable_variables, loss)
        self.log(**{name: value})

    def train_g(self, x_real):
        """Update G's weights on new latent vectors, two per real image."""
        # G minimizes  -E ln D(G(z))  over its weights (section 3); D is frozen.
        z = self.latent_vectors(self.fakes_per_real * ops.shape(x_real)[0])
        with frozen(self.d_model):
            weights = self.g_model.trainable_variables
            loss = partial(self.g_loss, x_real, z)
            value = descend(self.gan_model.optimizer, weights, loss)
        self.log(g_loss=value)

    def d_loss(self, x_real, x_fake):
        """Return D's compiled loss: real images have the label 1, fakes the label 0."""
        inputs, labels, sample_weights = self.labelled_batch(x_real, x_fake)
        outputs = self.d_model(inputs, training=True)
        self.log_outputs("real", outputs, labels)
        self.log_outputs("fake", outputs, 1 - labels)
        return compiled_loss(self.d_model, labels, outputs, sample_weights)

    def g_loss(self, x_real, z):
        """Return the composite's compiled loss: G(z) has the label 1."""
        outputs = self.gan_outputs(z)
        labels = ops.ones((ops.shape(z)[0], 1))
        self.log_outputs("adv", outputs, labels)
        return compiled_loss(self.gan_model, labels, outputs)

    def real_batches(self, data):
        """Return the real images of each `train_d` of a step."""
        x_real, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.split(x_real, self.critic_steps)

    def labelled_batch(self, x_real, x_fake):
        """Return D's inputs, labels float32 (n, 1), and sample weights (n,) or None."""
        n_real, n_fake = ops.shape(x_real)[0], ops.shape(x_fake)[0]
        labels = ops.concatenate([ops.ones((n_real, 1)), ops.zeros((n_fake, 1))])
        return self.model_inputs(ops.concatenate([x_real, x_fake])), labels, None

    def latent_vectors(self, n):
        """Return n latent vectors, float32 (n, latent_dim), standard normal."""
        latent_dim = self.g_model.inputs[0].shape[-1]
        return keras.random.normal((n, latent_dim), seed=self.latent_seed)

    def generate_fakes(self, n):
        """Return n fakes, float32 (n, h, w, c), in training mode, without changing G."""
        images, _ = self.g_model.stateless_call(
            self.g_model.trainable_variables,
            self.g_model.non_trainable_variables,
            self.model_inputs(self.latent_vectors(n)),
            training=True,
        )
        return ops.cast(ops.stop_gradient(images), "float32")

    def model_inputs(self, x):
        """Return the inputs of a model: x. (`ConditionalGAN` adds the classes.)"""
        return x

    def d_outputs(self, images):
        """Return D(images) in training mode, float32 (n, 1)."""
        return self.d_model(self.model_inputs(images), training=True)

    def gan_outputs(self, z):
        """Return D(G(z)) in training mode, float32 (n, 1)."""
        return self.gan_model(self.model_inputs(z), training=True)

    def log(self, **values):
        """Add values of this step to the epoch's means."""
        for name, value in values.items():
            self.means[name].update_state(value)

    def log_outputs(self, kind, outputs, mask):
        """Log D's accuracy where mask is 1; without threshold, its mean output."""
        name = f"score_{kind}"
        if self.threshold is not None:  # adv: share of new fakes classified as real
            name = f"acc_{kind}"
            outputs = (outputs > self.threshold) != (kind == "fake")
        self.means[name].update_state(outputs, mask)

    def averaged_generator(self):
        """Return a context in which G has the EMA of its weights, if it has one."""
        return ema_weights(self.g_model, self.gan_model.optimizer)

    @property
    def metrics(self):
        return list(self.means.values())  # what `fit` resets at each epoch
