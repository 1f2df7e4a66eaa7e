"""Define a class-conditional GAN of dense layers, with one-hot labels as inputs.

The one-hot label is concatenated with the 784 pixels in D and with the latent vector in
G: Mirza & Osindero 2014, "Conditional Generative Adversarial Nets", with the layer sizes
that are usual in courses. Train it with `train.py --conditional --architecture
conditional-dense`. `common/layers/conditional.py` makes other models class-conditional.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.fitting import steps
from common.plotting import plot_model
from mnist_gan.define_gan import define_gan as define_plain_gan

SHAPE = (28, 28, 1)


def one_hot(classes, n_classes):
    """Return the one-hot encoding, float32 (n, n_classes), of int32 (n, 1)."""
    from keras import layers

    return layers.CategoryEncoding(n_classes, output_mode="one_hot")(classes)


def define_discriminator(in_shape=SHAPE, n_classes=10):
    """Define and compile D, 794-512-256-1.

    Args:
        in_shape: height, width and channels of an image.
        n_classes: number of classes.

    Returns:
        a model, [images float32 (n, 28, 28, 1), classes int32 (n, 1)] -> probability that
        the image is real and of this class, float32 (n, 1).
    """
    from keras import Model, layers, optimizers

    image = layers.Input(in_shape, name="image")
    classes = layers.Input((1,), dtype="int32", name="class")
    x = layers.Concatenate()([layers.Flatten()(image), one_hot(classes, n_classes)])
    for size in (512, 256):
        x = layers.Dense(size)(x)
        x = layers.LeakyReLU(0.2)(x)
    probability = layers.Dense(1, activation="sigmoid", dtype="float32")(x)
    model = Model([image, classes], probability, name="discriminator")
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0002, beta_1=0.5),
        metrics=["accuracy"],
    )
    return model


def define_generator(latent_dim, n_classes=10):
    """Define G, (latent_dim + 10)-128-256-512-784.

    Args:
        latent_dim: dimension of the latent vectors z.
        n_classes: number of classes.

    Returns:
        a model, [latent vectors float32 (n, latent_dim), classes int32 (n, 1)] -> images
        (n, 28, 28, 1) in [-1, 1].
    """
    from keras import Model, layers

    z = layers.Input((latent_dim,), name="point")  # saved models have this name
    classes = layers.Input((1,), dtype="int32", name="class")
    x = layers.Concatenate()([z, one_hot(classes, n_classes)])
    for size in (128, 256, 512):
        x = layers.Dense(size)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(784, activation="tanh")(x)
    return Model([z, classes], layers.Reshape(SHAPE)(x), name="generator")


def define_gan(g_model, d_model):
    """Define and compile the composite, with D frozen; both get the same class."""
    from common.layers.conditional import conditional_gan

    return conditional_gan(g_model, d_model, define_plain_gan)


@cli.command
def main(argv=None):
    """Print the three summaries and save the composite's plot."""
    options = cli.lesson_options(argv, __doc__)
    run = steps.start("mnist_gan", options)
    g_model, d_model = define_generator(latent_dim=100), define_discriminator()
    gan_model = define_gan(g_model, d_model)
    for model in (d_model, g_model, gan_model):
        model.summary()
    print("Notice: the class is an input of both models, of G and of D.")
    plot_model(gan_model, run / "gan_plot.png")


if __name__ == "__main__":
    main()
