"""DCGAN: Radford et al., "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks" (2016), sections 3 and 4.

Kernels are 5x5, as in the paper's figure 1 (`celeba_gan` has the 4x4 of later versions).
G mirrors D and so starts with half of the figure's filters: 512 for 64x64.
"""


def halved(height, width):
    """(height, width) and its halves, while both are even and above 4: a list."""
    sizes = [(height, width)]
    while height % 2 == width % 2 == 0 and min(height, width) > 4:
        height, width = height // 2, width // 2
        sizes.append((height, width))
    return sizes


def normal():
    """Initial weights N(0, 0.02). One object gives every layer the same: one for each."""
    from keras import initializers

    return initializers.RandomNormal(stddev=0.02)


def define_discriminator(in_shape):
    """Define and compile D: each convolution halves the image and doubles the filters.

    Args:
        in_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers, optimizers

    model = Sequential([layers.Input(in_shape)], name="discriminator")
    for i in range(len(halved(*in_shape[:2])) - 1):
        model.add(
            layers.Conv2D(
                64 * 2**i,
                5,
                strides=2,
                padding="same",
                use_bias=i == 0,  # BatchNormalization would take it away
                kernel_initializer=normal(),
            )
        )
        if i > 0:
            model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.LeakyReLU(0.2))
    model.add(layers.Flatten())
    model.add(
        layers.Dense(
            1, activation="sigmoid", kernel_initializer=normal(), dtype="float32"
        )
    )
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0002, beta_1=0.5),
        metrics=["accuracy"],
    )
    return model


def define_generator(latent_dim, out_shape):
    """Define G: each transposed convolution doubles the image and halves the filters.

    Args:
        latent_dim: numbers of a latent point.
        out_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    from keras import Sequential, layers

    *larger, (height, width) = halved(*out_shape[:2])
    filters = 64 * 2 ** (len(larger) - 1)
    model = Sequential(name="generator")
    model.add(layers.Input((latent_dim,)))
    model.add(
        layers.Dense(
            height * width * filters, use_bias=False, kernel_initializer=normal()
        )
    )
    model.add(layers.Reshape((height, width, filters)))
    while filters >= 64:
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        filters //= 2
        is_last = filters < 64
        model.add(
            layers.Conv2DTranspose(
                out_shape[2] if is_last else filters,
                5,
                strides=2,
                padding="same",
                use_bias=is_last,
                activation="tanh" if is_last else None,
                kernel_initializer=normal(),
            )
        )
    return model
