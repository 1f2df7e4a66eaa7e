"""The adversarial step, for every dataset: D learns, then G learns through a frozen D.

Goodfellow et al., "Generative Adversarial Nets" (2014), Algorithm 1 with one D step
for each G step and the non-saturating G loss of section 3. Real = 1, fake = 0.
"""

from functools import partial

import keras
from keras import ops

from common.averages import averaged
from common.fast import use_fast_layers
from common.objectives.table import OBJECTIVES
from common.updates import compiled_loss, descend, frozen


class GAN(keras.Model):
    """What `fit` trains: one update of the discriminator D, then one of the generator G.

    What the models are compiled with is what trains them: the loss and the optimizer of
    `d_model` are D's, those of `gan_model` are G's.

    Args:
        g_model: G, latent vectors z (n, latent_dim) -> images (n, h, w, c).
        d_model: compiled D, images -> probability of being real (n, 1).
        gan_model: compiled composite of both, z -> probability of being real (n, 1).
        separate: whether D learns from real and from fake images in two updates, so that
            its BatchNormalization sees one kind at a time; otherwise from both, mixed.
        critic_steps: updates of D for each of G.
        objective: an `objectives.table.Objective`; by default the losses are as compiled.
        options: what the losses of the objective read, as attributes.

    Feed `fit` with critic_steps * n real images a step, float32 (h, w, c) each: every
    update of D takes n of them and n fakes, that of G takes 2 n latent vectors.
    """

    fakes_per_real = 2  # in G's update, as in the tutorials

    def __init__(self, g_model, d_model, gan_model, separate=False, critic_steps=1,
                 objective=OBJECTIVES["bce"], **options):  # fmt: skip
        super().__init__()
        self.g_model, self.d_model, self.gan_model = g_model, d_model, gan_model
        self.separate, self.critic_steps = separate, critic_steps
        self.threshold = objective.threshold
        self.ideal = options.get(objective.ideal, objective.ideal)
        for name, value in options.items():
            setattr(self, name, value)
        for name in objective.state:
            setattr(self, name, self.add_weight((), "zeros", trainable=False, name=name))
        self.latent_seed = keras.random.SeedGenerator()
        d_losses = ("d1", "d2") if separate else ("d_loss",)
        names = (*d_losses, "g_loss", *objective.logs)
        self.means = {name: keras.metrics.Mean(name) for name in names}
        d_model.trainable = True  # define_gan froze it
        # Keras forbids building an optimizer inside `fit`. Each owns one side only.
        d_model.optimizer.build(d_model.trainable_variables)
        gan_model.optimizer.build(g_model.trainable_variables)
        use_fast_layers(gan_model)
        self.compile(optimizer=None, loss=None, jit_compile=False)
        self.built = True

    def train_step(self, data):
        """Update D `critic_steps` times, then G; return the epoch's means so far."""
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
        """Move D's weights one step down `d_loss`, and log that under a name."""
        weights = self.d_model.trainable_variables
        loss = partial(self.d_loss, x_real, x_fake)
        self.log(**{name: descend(self.d_model.optimizer, weights, loss)})

    def train_g(self, x_real):
        """Update G's weights on new fakes, two for each real image."""
        # G minimizes  -E ln D(G(z))  over its weights (section 3); D does not move.
        z = self.latent_vectors(self.fakes_per_real * ops.shape(x_real)[0])
        with frozen(self.d_model):
            weights = self.g_model.trainable_variables
            loss = partial(self.g_loss, x_real, z)
            self.log(g_loss=descend(self.gan_model.optimizer, weights, loss))

    # Objectives that compare images replace the two losses, see `objectives/table.py`.
    def d_loss(self, x_real, x_fake):
        """Return D's compiled loss: real images have the label 1, fakes the label 0."""
        inputs, labels, weights = self.labelled(x_real, x_fake)
        outputs = self.d_model(inputs, training=True)
        self.log_outputs(outputs, real=labels, fake=1 - labels)
        return compiled_loss(self.d_model, labels, outputs, weights)

    def g_loss(self, x_real, z):
        """Return the composite's compiled loss: D is to give G(z) the label 1."""
        outputs = self.judge_generated(z)
        labels = ops.ones((ops.shape(z)[0], 1))
        self.log_outputs(outputs, adv=labels)
        return compiled_loss(self.gan_model, labels, outputs)

    def real_batches(self, data):
        """Return the batch of each update of D, of what `fit` was fed with."""
        x_real, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.split(x_real, self.critic_steps)

    def labelled(self, x_real, x_fake):
        """Return D's inputs, their labels (n, 1), and their weights (n,) or None."""
        images = ops.concatenate([x_real, x_fake])
        n_real, n_fake = ops.shape(x_real)[0], ops.shape(x_fake)[0]
        labels = ops.concatenate([ops.ones((n_real, 1)), ops.zeros((n_fake, 1))])
        return self.model_inputs(images), labels, None

    def latent_vectors(self, n):
        """Return n latent vectors, float32 (n, latent_dim), standard normal."""
        latent_dim = self.g_model.inputs[0].shape[-1]
        return keras.random.normal((n, latent_dim), seed=self.latent_seed)

    def generate_fakes(self, n):
        """Return images of G as in training, float32 (n, h, w, c); G does not move."""
        images, _ = self.g_model.stateless_call(
            self.g_model.trainable_variables,
            self.g_model.non_trainable_variables,
            self.model_inputs(self.latent_vectors(n)),
            training=True,
        )
        return ops.cast(ops.stop_gradient(images), "float32")

    def model_inputs(self, x):
        """Return what a model takes: x alone. (`conditional.py` adds the classes.)"""
        return x

    def judge(self, images):
        """Return D's outputs on images, float32 (n, 1), as in training."""
        return self.d_model(self.model_inputs(images), training=True)

    def judge_generated(self, z):
        """Return D's outputs on G(z), float32 (n, 1), as in training."""
        return self.gan_model(self.model_inputs(z), training=True)

    def log(self, **values):
        """Add values of this step to the epoch's means."""
        for name, value in values.items():
            self.means[name].update_state(value)

    def log_outputs(self, outputs, **kinds):
        """Log how often D is right on each kind of images, or else its mean output."""
        for kind, members in kinds.items():
            name, values = f"score_{kind}", outputs
            if self.threshold is not None:
                is_right = (outputs > self.threshold) != (kind == "fake")
                name, values = f"acc_{kind}", is_right
            self.means[name].update_state(values, members)

    def averaged_generator(self):
        """Return a context in which G holds the EMA of its weights, if it has one."""
        return averaged(self.g_model, self.gan_model.optimizer)

    @property
    def metrics(self):
        return list(self.means.values())  # what `fit` resets at each epoch
