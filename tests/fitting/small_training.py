"""Small GANs of scikit-learn's digits, trained with the collapse detector."""

import csv
from functools import partial

import keras
import numpy as np
from sklearn.datasets import load_digits

from common.architectures.blocks import define_gan
from common.data.batches import batches_of
from common.fitting import callbacks
from common.fitting import resume as resuming
from common.fitting.build import make_gan
from common.fitting.collapse import CollapseDetector
from common.fitting.restart import fit_with_restarts
from common.objectives.heads import head_for
from common.runs.state import save_state, state_variables

STEPS = 50


def digits():
    """Float32 (1797, 8, 8, 1) in [0, 1]."""
    return (load_digits().images / 16).astype("float32")[..., None]


def define_generator(latent_dim, listens):
    """Return a G of z times `listens`: with 0 it generates only one image."""
    return keras.Sequential(
        [
            keras.layers.Input((latent_dim,)),
            keras.layers.Rescaling(listens),
            keras.layers.Dense(64),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Dense(64, activation="sigmoid"),
            keras.layers.Reshape((8, 8, 1)),
        ],
        name="generator",
    )


def define_discriminator(rate):
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )
    adam = keras.optimizers.Adam(rate, beta_1=0.5)
    model.compile(loss="binary_crossentropy", optimizer=adam)
    return model


def new_gan(seed=1, listens=1.0, g_rate=0.002, ema=0.0, objective="bce", **own):
    keras.utils.set_random_seed(seed)
    g_model = define_generator(8, listens)
    define_decoder = partial(define_generator, listens=listens)
    d_model = head_for(objective, define_discriminator(0.002), define_decoder)
    gan_model = define_gan(g_model, d_model)
    gan_model.optimizer.learning_rate = g_rate
    if ema:
        gan_model.optimizer.use_ema, gan_model.optimizer.ema_momentum = True, ema
    return make_gan(g_model, d_model, gan_model, objective=objective, **own)


class Break(keras.callbacks.Callback):
    """Set the first weights of G to `value` when certain epochs end."""

    def __init__(self, value, *epochs):
        super().__init__()
        self.value, self.epochs = value, epochs

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.epochs:
            kernel = self.model.g_model.trainable_weights[0]
            kernel.assign(np.full(kernel.shape, self.value))


class Spy(keras.callbacks.Callback):
    """Keeps all variables as they are when an epoch has ended."""

    def __init__(self):
        super().__init__()
        self.kept = {}  # epoch -> list of arrays

    def on_epoch_end(self, epoch, logs=None):
        self.kept[epoch + 1] = values(self.model)


def values(gan):
    return [np.array(variable.numpy()) for variable in state_variables(gan)]


def changed(one, other):
    """The arrays of `other` that differ from those of `one`."""
    both = zip(one, other, strict=True)
    return [now for then, now in both if not np.array_equal(then, now, equal_nan=True)]


def only_seeds(arrays):
    return all(array.shape == (2,) and array.dtype.kind in "iu" for array in arrays)


def train(gan, run, on_collapse="warn", epochs=4, steps=STEPS, seed=1, resume=False,
         broken=None):  # fmt: skip
    """Train with the detector; return all variables after each epoch, and the events."""
    run.mkdir(exist_ok=True)
    dataset, spy = digits(), Spy()
    history = callbacks.History(run)
    save = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: save_state(gan, epoch + 1, run)
    )
    detector = [CollapseDetector(run, dataset, on_collapse, seed)] if on_collapse else []

    def fit(done):
        gan.fit(
            batches_of(dataset, 16 * gan.critic_steps, seed, start=done * steps),
            epochs=epochs,
            initial_epoch=done,
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            callbacks=[*([broken] if broken else []), history, *detector, save, spy],
        )

    done = resuming.start(gan, run, resume)
    fit_with_restarts(fit, done, gan, run, seed, lambda: None)
    return spy.kept, events(run)


def events(run):
    path = run / "events.csv"
    if not path.exists():
        return []
    with path.open() as file:
        return [tuple(row.values()) for row in csv.DictReader(file)]


def actions(happened):
    return [(int(epoch), what, action) for epoch, what, _, action in happened]
