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
        a model, float32 (n, latent_dim) -> images (n, 32, 32, 3) in [-1, 1].
    """
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(256 * 4 * 4),  # 4096
            layers.LeakyReLU(0.2),
            layers.Reshape((4, 4, 256)),  # 4x4x256: 256 tiny versions of an image
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),  # 8x8x128
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),  # 16x16x128
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(128, 4, strides=2, padding="same"),  # 32x32x128
            layers.LeakyReLU(0.2),
            layers.Conv2D(3, 3, padding="same", activation="tanh"),  # 32x32x3
        ],
        name="generator",
    )


@cli.command
def main(argv=None):
    """Print G's summary, save its plot and 49 images of the untrained G."""
    options = cli.lesson_options(argv, __doc__)
    run = steps.start("cifar10_gan", options)
    model = define_generator(latent_dim=100)
    model.summary()
    X_fake, _ = generate_fake_samples(model, latent_dim=100, n_samples=49)
    print(
        f"Notice: the untrained G generates almost uniform grey ({X_fake.min():.2f} to "
        f"{X_fake.max():.2f}, where -1 is black and 1 is white)."
    )
    save_grid(X_fake, run / "untrained_samples.png", columns=7, low=-1)
    print(f"saved {run / 'untrained_samples.png'}")
    plot_model(model, run / "generator_plot.png")


if __name__ == "__main__":
    main()
