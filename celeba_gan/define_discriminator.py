"""Step 2 of 6, the discriminator D: a classifier, image -> probability of being real."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan.options import add_size
from common.basics import cli
from common.fitting import steps
from common.plotting import plot_model


def define_discriminator(in_shape=(64, 64, 3)):
    """Define and compile D: Radford et al., "DCGAN" (2016), section 3.

    BatchNormalization scales every filter to mean 0 and variance 1 over the batch, so a
    bias before it has no effect. The first convolution has none, so that the colours of
    the images reach D unchanged. Its moving averages, which are used outside of training,
    cover some ten batches (momentum 0.9).

    The loss and the optimizer are those of D's updates: real = 1, fake = 0. Those of G's
    updates are in `define_gan.py`; a new loss for both must be set in both files.

    Args:
        in_shape: height, width (the same power of 2, at least 8) and channels.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers, optimizers

    size, _, _ = in_shape
    model = Sequential(name="discriminator")
    model.add(layers.Input(in_shape))
    model.add(layers.Conv2D(64, 4, strides=2, padding="same"))  # 32x32x64
    model.add(layers.LeakyReLU(0.2))
    filters = 128
    while (size := size // 2) > 4:  # 16x16x128, 8x8x256, 4x4x512
        model.add(layers.Conv2D(filters, 4, strides=2, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.LeakyReLU(0.2))
        filters *= 2
    model.add(layers.Flatten())  # 8192
    model.add(layers.Dense(1, activation="sigmoid", dtype="float32"))
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0002, beta_1=0.5),
        metrics=["accuracy"],
    )
    return model


@cli.command
def main(argv=None):
    """Print D's summary and save its plot."""
    options = cli.lesson_options(argv, __doc__, more=add_size)
    run = steps.start("celeba_gan", options)
    model = define_discriminator((options.size, options.size, 3))
    model.summary()
    maps = [layer.output.shape[1:] for layer in model.layers if "conv" in layer.name]
    print("Notice:", " -> ".join("x".join(map(str, shape)) for shape in maps))
    print(
        "No pooling and no hidden dense layer; each convolution has half the height and "
        "width and twice the filters, down to 4x4. BatchNormalization from the second on."
    )
    plot_model(model, run / "discriminator_plot.png")


if __name__ == "__main__":
    main()
