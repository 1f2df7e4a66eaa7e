"""Train dense GANs in three stages, from the simplest to one with diverse images.

The stages follow the MNIST chapter of Rashid (2020), "Make Your First GAN with PyTorch":
1. sigmoid, mean squared error, SGD, and a constant as the input of G;
2. LeakyReLU, LayerNormalization, cross-entropy and Adam;
3. the same, with 100 normal random numbers as the input of G.
As in the book, a step is two updates of D, on a real and on a fake image, and one of G.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.fitting import steps
from common.plotting import save_grid
from common.sampling import generate_images
from common.scores.features import classifier_features, extract_all
from common.scores.metrics import class_histogram
from common.scores.references import load_reference
from common.scores.scorer import to_bytes
from mnist_gan.load_data import DATA, load_real_samples

CONSTANT = 0.5  # input of G in the first two stages
SHAPE = (28, 28, 1)
STEPS_PER_CALL = 100  # steps_per_execution, for speed
N_EPOCHS = 5  # of each training
STAGES = (  # title, is modern, latent_dim
    ("1. sigmoid, squared error, SGD, one constant", False, 1),
    ("2. LeakyReLU, LayerNorm, cross-entropy, Adam", True, 1),
    ("3. the same, and 100 random numbers", True, 100),
)


def hidden_layer(modern):
    """Return a dense layer of 200 units with its activation: list of Keras layers."""
    from keras import layers

    if modern:
        return [layers.Dense(200), layers.LeakyReLU(0.02), layers.LayerNormalization()]
    return [layers.Dense(200, activation="sigmoid")]


def compile_for_stage(model, modern):
    """Compile D or the composite model with the loss and optimizer of the stage."""
    from keras.optimizers import SGD, Adam

    loss = "binary_crossentropy" if modern else "mean_squared_error"
    model.compile(loss=loss, optimizer=Adam(0.0001) if modern else SGD(0.01))
    return model


def define_discriminator(modern):
    """Define and compile D, 784-200-1: images (n, 28, 28, 1) -> (n, 1) in [0, 1]."""
    from keras import Sequential, layers

    flat = [layers.Input(SHAPE), layers.Flatten()]
    last = layers.Dense(1, activation="sigmoid")
    model = Sequential([*flat, *hidden_layer(modern), last], name="discriminator")
    return compile_for_stage(model, modern)


def define_generator(modern, latent_dim):
    """Define G, latent_dim-200-784: (n, latent_dim) -> (n, 28, 28, 1) in [0, 1]."""
    from keras import Sequential, layers

    body = [layers.Input((latent_dim,)), *hidden_layer(modern)]
    end = [layers.Dense(784, activation="sigmoid"), layers.Reshape(SHAPE)]
    return Sequential([*body, *end], name="generator")


def define_gan(g_model, d_model, modern):
    """Define and compile the composite model, with D frozen in it."""
    from keras import Sequential

    d_model.trainable = False
    return compile_for_stage(Sequential([g_model, d_model], name="gan"), modern)


def latent_vectors(n, latent_dim, seed=None):
    """Return n latent vectors (n, latent_dim): normal, or CONSTANT for one dimension."""
    from keras import ops, random

    if latent_dim == 1:
        return ops.full((n, 1), CONSTANT)
    return random.normal((n, latent_dim), seed=seed)


def train(dataset, modern, latent_dim, n_steps):
    """Train new models with one real image per step; return G.

    Args:
        dataset: float32 (n, 28, 28, 1) in [0, 1].
        modern: whether the models are those of stages 2 and 3.
        latent_dim: number of inputs of G; 1 is the constant.
        n_steps: number of training steps.
    """
    from common.data.batches import batches_of
    from common.gan import GAN

    class BookGAN(GAN):
        fakes_per_real = 1

        def latent_vectors(self, n):
            return latent_vectors(n, latent_dim, self.latent_seed)

    g_model = define_generator(modern, latent_dim)
    d_model = define_discriminator(modern)
    composite = define_gan(g_model, d_model, modern)
    gan = BookGAN(g_model, d_model, composite, separate=True)
    gan.steps_per_execution = STEPS_PER_CALL
    batches, n = batches_of(dataset, 1, seed=0), n_steps // N_EPOCHS  # shuffled
    gan.fit(batches, epochs=N_EPOCHS, steps_per_epoch=n, shuffle=False, verbose=2)
    return g_model


def add_steps(parser):
    number = cli.whole_number(N_EPOCHS * STEPS_PER_CALL)
    text, add = "steps of each training (60000)", parser.add_argument
    add("--steps", type=number, default=60_000, metavar="N", help=text)


@cli.command
def main(argv=None):
    """Train three GANs, save 24 images of each, and count the digits in 1,000."""
    options = cli.lesson_options(argv, __doc__, DATA, more=add_steps)
    dataset = load_real_samples(options.data)
    run = steps.start("mnist_gan", options)
    samples = {}
    for title, modern, latent_dim in STAGES:
        print(title, flush=True)
        g_model = train(dataset, modern, latent_dim, options.steps)
        vectors = np.array(latent_vectors(1000, latent_dim, seed=1))
        samples[title] = generate_images(g_model, vectors)
        path = run / f"dense_{title[0]}.png"
        save_grid(samples[title][:24], path, columns=6)
        print(f"saved {path}")
    features = classifier_features(*load_reference(options.data, SHAPE))
    for title, images in samples.items():
        _, probabilities = extract_all(features, to_bytes(images))
        digits, counts = np.unique(probabilities.argmax(axis=1), return_counts=True)
        digits = digits[counts >= 0.01 * len(images)]
        confident = class_histogram(probabilities)["confident"]
        print(
            f"{title}: classified as {' '.join(map(str, digits))}; confident (p > 0.9): "
            f"{confident:.0%}; std per pixel {images.std(axis=0).mean():.3f}"
        )
    print(
        "Note: better layers and losses give clearer strokes, but a constant input gives "
        "identical images: the diversity of a GAN comes from its latent vectors."
    )


if __name__ == "__main__":
    main()
