"""Train a tiny GAN on patterns of four numbers: G has 22 weights, D has 19.

The pattern is 1010: high, low, high, low. Source: Rashid, "Make Your First GAN with
PyTorch" (2020), the chapter on the pattern 1010: mean squared error, sigmoids, plain
gradient descent. The input of G is a constant, because there is only one pattern.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.fitting import steps
from toy_gan import plots

LOW = np.array([0.8, 0.0, 0.8, 0.0])
HIGH = np.array([1.0, 0.2, 1.0, 0.2])
CONSTANT = 0.5  # input of G
N_STEPS = 10_000
STEPS_PER_OUTPUT = 100  # steps between two recorded outputs of G


def load_real_samples(n, rng):
    """Sample n real patterns: float32 (n, 4), uniform between LOW and HIGH."""
    return rng.uniform(LOW, HIGH, (n, 4)).astype("float32")


def is_valid(pattern):
    """Return whether every number of a pattern (4,) is within the real ranges."""
    return bool(np.all((pattern >= LOW) & (pattern <= HIGH)))


def define_discriminator():
    """Define and compile D, pattern (n, 4) -> output in [0, 1] (n, 1), 1 for real."""
    from keras import Sequential, layers, optimizers

    model = Sequential(
        [
            layers.Input((4,)),
            layers.Dense(3, activation="sigmoid"),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )
    model.compile(loss="mean_squared_error", optimizer=optimizers.SGD(0.01))
    return model


def define_generator():
    """Define G, the constant (n, 1) -> pattern (n, 4) in [0, 1]."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((1,)),
            layers.Dense(3, activation="sigmoid"),
            layers.Dense(4, activation="sigmoid"),
        ],
        name="generator",
    )


def define_gan(g_model, d_model):
    """Define and compile the composite model, constant (n, 1) -> D(G(constant)) (n, 1).

    D is frozen in it: its updates change G only.
    """
    from keras import Sequential, optimizers

    d_model.trainable = False
    model = Sequential([g_model, d_model], name="gan")
    model.compile(loss="mean_squared_error", optimizer=optimizers.SGD(0.01))
    return model


def train_discriminator(d_model, n_steps=N_STEPS):
    """Train D alone on n_steps real and n_steps random patterns, one per update.

    Args:
        d_model: compiled D, see `define_discriminator`; it is trained in place.
        n_steps: number of patterns of each kind.
    """
    rng = np.random.default_rng(0)
    X = np.concatenate([load_real_samples(n_steps, rng), rng.random((n_steps, 4))])
    y = np.repeat([[1.0], [0.0]], n_steps, axis=0)
    d_model.steps_per_execution = STEPS_PER_OUTPUT
    d_model.fit(X, y, batch_size=1, verbose=0)
    for name, patterns in (("real", X[:1000]), ("random", X[-1000:])):
        output = d_model.predict(patterns, verbose=0).mean()
        print(f"D alone, {n_steps} steps: mean output for {name} patterns {output:.2f}")


def train(gan, dataset, n_steps=N_STEPS):
    """Train the GAN, one real pattern per step.

    Args:
        gan: see `constant_gan`; its models are trained in place.
        dataset: float32 (n, 4), real patterns.
        n_steps: number of steps, a multiple of STEPS_PER_OUTPUT.

    Returns:
        losses: dict of lists of means over STEPS_PER_OUTPUT steps: d1 and d2, D's loss on
            real and on fake patterns; g_loss; D's accuracies acc_real, acc_fake, acc_adv.
        patterns: generated patterns, float32 (n_steps / STEPS_PER_OUTPUT, 4).
    """
    from keras.callbacks import LambdaCallback

    from common.data.batches import batches_of

    patterns = []

    def record_output(epoch, logs):
        patterns.append(generate(gan.g_model))
        if (epoch + 1) % 10 == 0:
            numbers = " ".join(f"{number:.2f}" for number in patterns[-1])
            print(f">{(epoch + 1) * STEPS_PER_OUTPUT} G generates {numbers}", flush=True)

    history = gan.fit(
        batches_of(dataset, 1, seed=0),
        epochs=n_steps // STEPS_PER_OUTPUT,
        steps_per_epoch=STEPS_PER_OUTPUT,
        shuffle=False,  # the batches are shuffled already
        callbacks=[LambdaCallback(on_epoch_end=record_output)],
        verbose=0,
    )
    return history.history, np.array(patterns)


def generate(g_model):
    """Generate the pattern of the constant input: float32 (4,) in [0, 1]."""
    return g_model(np.full((1, 1), CONSTANT)).numpy()[0]


def constant_gan(g_model, d_model):
    """Return the GAN of `common/gan.py` with the constant as its latent vector.

    A step is three updates, as in the book: D on a real pattern, D on a fake one, G.
    """
    from keras import ops

    from common.gan import GAN

    class ConstantGAN(GAN):
        def latent_vectors(self, n):
            return ops.full((n, 1), CONSTANT)

    gan = ConstantGAN(g_model, d_model, define_gan(g_model, d_model), separate=True)
    gan.steps_per_execution = STEPS_PER_OUTPUT  # for speed: fewer calls of callbacks
    return gan


@cli.command
def main(argv=None):
    """Train D alone, then the GAN; plot the losses and the generated patterns."""
    options = cli.lesson_options(argv, __doc__)
    run = steps.start("toy_gan", options)
    train_discriminator(define_discriminator())
    print("Notice: D learns random patterns quickly. Now a new D is trained against G:")
    gan = constant_gan(define_generator(), define_discriminator())
    dataset = load_real_samples(N_STEPS, np.random.default_rng(options.seed))
    losses, patterns = train(gan, dataset)
    plots.save_1010(run / "1010.png", losses, patterns, STEPS_PER_OUTPUT)
    print(f"saved {run / '1010.png'}")
    for number, low, high in zip(patterns[-1], LOW, HIGH, strict=True):
        print(f"{number:.3f}, real {low} to {high}")
    print("result:", "a valid 1010" if is_valid(patterns[-1]) else "not a 1010")
    print(
        "Notice: D's loss ends near 0.25: its output is 0.5 for every pattern, because "
        "it can no longer distinguish generated patterns from real ones."
    )


if __name__ == "__main__":
    main()
