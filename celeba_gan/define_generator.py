"""Step 4 of 6, the generator G: latent vector z -> image."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan.options import add_size
from common.basics import cli
from common.fitting import steps
from common.plotting import plot_model, save_grid
from common.sampling import generate_fake_samples


def define_generator(latent_dim, out_shape=(64, 64, 3)):
    """Define G: Radford et al., "DCGAN" (2016), section 3 and figure 1.

    BatchNormalization after every layer except the last, whose output is the image. G is
    not compiled, because it is trained as a part of the composite only.

    Args:
        latent_dim: dimension of the latent vectors z.
        out_shape: height, width (the same power of 2, at least 8) and channels.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    from keras import Sequential, layers

    size, _, channels = out_shape
    filters = 8 * size  # half as many after each block; 64 before the last
    model = Sequential(name="generator")
    model.add(layers.Input((latent_dim,)))
    model.add(layers.Dense(4 * 4 * filters, use_bias=False))  # 8192
    model.add(layers.Reshape((4, 4, filters)))  # 4x4x512
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    while filters > 64:  # 8x8x256, 16x16x128, 32x32x64
        filters //= 2
        model.add(
            layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)
        )
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
    model.add(  # 64x64x3
        layers.Conv2DTranspose(channels, 4, strides=2, padding="same", activation="tanh")
    )
    return model


@cli.command
def main(argv=None):
    """Print G's summary, save its plot and 49 images of the untrained G."""
    options = cli.lesson_options(argv, __doc__, more=add_size)
    run = steps.start("celeba_gan", options)
    model = define_generator(100, (options.size, options.size, 3))
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
