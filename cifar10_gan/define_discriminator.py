"""Step 2 of 6, the discriminator D: a classifier, image -> probability of being real."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.fitting import steps
from common.plotting import plot_model


def define_discriminator(in_shape=(32, 32, 3)):
    """Define and compile D.

    The first convolution has full resolution, for fine detail; three of stride 2 follow,
    each with half the height and width.

    The loss and the optimizer are those of D's updates: real = 1, fake = 0. Those of G's
    updates are in `define_gan.py`; a new loss for both must be set in both files.

    Args:
        in_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers, optimizers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Conv2D(64, 3, padding="same"),  # 32x32x64
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 3, strides=2, padding="same"),  # 16x16x128
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 3, strides=2, padding="same"),  # 8x8x128
            layers.LeakyReLU(0.2),
            layers.Conv2D(256, 3, strides=2, padding="same"),  # 4x4x256
            layers.LeakyReLU(0.2),
            layers.Flatten(),  # 4096
            layers.Dropout(0.4),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ],
        name="discriminator",
    )
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0002, beta_1=0.5),
        metrics=["accuracy"],
    )
    return model


@cli.command
def main(argv=None):
    """Print D's summary and save its plot."""
    options = cli.lesson_options(argv, __doc__)
    run = steps.start("cifar10_gan", options)
    model = define_discriminator()
    model.summary()
    print(
        "Notice: deeper than the D for digits, and its input has three channels; "
        "otherwise the same: 32 -> 16 -> 8 -> 4, then one number."
    )
    plot_model(model, run / "discriminator_plot.png")


if __name__ == "__main__":
    main()
