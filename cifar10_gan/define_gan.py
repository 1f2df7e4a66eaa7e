"""Step 5 of 6, the composite: G followed by a frozen D, as one model."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from cifar10_gan.define_discriminator import define_discriminator
from cifar10_gan.define_generator import define_generator
from common.basics import cli
from common.fitting import steps


def define_gan(g_model, d_model):
    """Define and compile the composite, through which G is trained.

    D is frozen in it, see `mnist_gan/define_gan.py`.

    The loss and the optimizer are those of G's updates, where generated images have the
    label 1. Those of D's updates are in `define_discriminator.py`.

    Args:
        g_model: generator, latent vectors (n, latent_dim) -> images.
        d_model: compiled discriminator, images -> probability of being real (n, 1).

    Returns:
        a model, float32 (n, latent_dim) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, optimizers

    d_model.trainable = False
    model = Sequential([g_model, d_model], name="gan")
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0002, beta_1=0.5),
    )
    return model


@cli.command
def main(argv=None):
    """Print the composite's summary, save its plot, show which weights a step changes."""
    options = cli.lesson_options(argv, __doc__)
    run = steps.start("cifar10_gan", options)
    g_model, d_model = define_generator(latent_dim=100), define_discriminator()
    steps.show_gan(g_model, d_model, define_gan(g_model, d_model), run)


if __name__ == "__main__":
    main()
