"""Step 4 of 6, the generator G: latent vector z -> image."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.fitting import steps
from common.plotting import plot_model, save_grid
from common.sampling import generate_fake_samples


def define_generator(latent_dim):
    """Define G. It is not compiled: it is trained as a part of the composite only.

    Args:
        latent_dim: dimension of the latent vectors z.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, 28, 28, 1) in [0, 1].
    """
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(128 * 7 * 7),  # 6272
            layers.LeakyReLU(0.2),
            layers.Reshape((7, 7, 128)),  # 7x7x128: 128 small versions of an image
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),  # 14x14x128
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),  # 28x28x128
            layers.LeakyReLU(0.2),
            layers.Conv2D(1, 7, padding="same", activation="sigmoid"),  # 28x28x1
        ],
        name="generator",
    )


@cli.command
def main(argv=None):
    """Print G's summary, save its plot and 25 images of the untrained G."""
    options = cli.lesson_options(argv, __doc__)
    run = steps.start("mnist_gan", options)
    model = define_generator(latent_dim=100)
    model.summary()
    X_fake, _ = generate_fake_samples(model, latent_dim=100, n_samples=25)
    print(
        f"Notice: the untrained G generates grey noise around 0.5 ({X_fake.min():.2f} to "
        f"{X_fake.max():.2f}). Real images are never an input of G: its only training "
        "signal is the gradient through D."
    )
    save_grid(X_fake, run / "untrained_samples.png", columns=5)
    print(f"saved {run / 'untrained_samples.png'}")
    plot_model(model, run / "generator_plot.png")


if __name__ == "__main__":
    main()
