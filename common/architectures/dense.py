"""The book's pair: one hidden layer of 200, every pixel has weights of its own.

Rashid, "Make Your First GAN with PyTorch" (2020), the improved GAN of the MNIST chapter.
"""


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
            layers.Flatten(),
            layers.Dense(200),
            layers.LeakyReLU(0.02),
            layers.LayerNormalization(),
            layers.Dense(1, activation="sigmoid", dtype="float32"),
        ],
        name="discriminator",
    )
    model.compile(
        loss="binary_crossentropy",
        optimizer=optimizers.Adam(learning_rate=0.0001),
        metrics=["accuracy"],
    )
    return model


def define_generator(latent_dim, out_shape):
    """Define G.

    Args:
        latent_dim: numbers of a latent point; the book takes 100.
        out_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [0, 1].
    """
    from math import prod

    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(200),
            layers.LeakyReLU(0.02),
            layers.LayerNormalization(),
            layers.Dense(prod(out_shape), activation="sigmoid"),
            layers.Reshape(out_shape),
        ],
        name="generator",
    )
