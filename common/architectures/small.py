"""A course's small DCGAN: D has 16, 32 and 64 filters where the paper has 64 to 512.

After course notes on DCGAN for MNIST; G mirrors D. Here every convolution pads, so that
small images do, too.
"""

from common.architectures.dcgan import halved


def define_discriminator(in_shape):
    """Define and compile D.

    Args:
        in_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers, optimizers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Conv2D(16, 3, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(0.2),
            layers.Conv2D(64, 3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 4, padding="same", use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
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


def define_generator(latent_dim, out_shape):
    """Define G: 128 filters, then 64, 32 and 16, as many as the size asks for.

    Args:
        latent_dim: numbers of a latent point.
        out_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    from keras import Sequential, layers

    *larger, (height, width) = halved(*out_shape[:2])
    model = Sequential(name="generator")
    model.add(layers.Input((latent_dim,)))
    model.add(layers.Dense(height * width * 128, use_bias=False))
    model.add(layers.Reshape((height, width, 128)))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    for i in range(1, len(larger)):
        filters = max(16, 128 // 2**i)
        model.add(
            layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)
        )
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
    model.add(
        layers.Conv2DTranspose(
            out_shape[2], 4, strides=2, padding="same", activation="tanh"
        )
    )
    return model
