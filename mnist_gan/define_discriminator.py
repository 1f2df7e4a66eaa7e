"""Step 2 of 6, the discriminator D: a classifier, image -> probability of being real."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.fitting import steps
from common.plotting import plot_model


def define_discriminator(in_shape=(28, 28, 1)):
    """Define and compile D.

    Strides instead of pooling, LeakyReLU and Adam with beta_1 = 0.5 follow Radford et
    al., "DCGAN" (2016), sections 3 and 4.

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
            layers.Conv2D(64, 3, strides=2, padding="same"),  # 14x14x64
            layers.LeakyReLU(0.2),
            layers.Dropout(0.4),
            layers.Conv2D(64, 3, strides=2, padding="same"),  # 7x7x64
            layers.LeakyReLU(0.2),
            layers.Dropout(0.4),
            layers.Flatten(),  # 3136
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
    run = steps.start("mnist_gan", options)
    model = define_discriminator()
    model.summary()
    print(
        "Notice: a binary classifier, real = 1 and fake = 0. A stride of 2 divides "
        "height and width by 2: 28 -> 14 -> 7."
    )
    plot_model(model, run / "discriminator_plot.png")


if __name__ == "__main__":
    main()
