"""The fully-connected pair: no convolution, every pixel has weights of its own.

After Rashid, "Make Your First GAN with PyTorch" (2020): a face as one long row of
numbers, a hidden layer of 100 in D and of 3 x 10 x 10 in G. `compare_memory.py` holds it
against the convolutional pair.
"""


def define_discriminator(in_shape=(64, 64, 3)):
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
            layers.Flatten(),  # 12288
            layers.Dense(100),
            layers.LeakyReLU(0.02),
            layers.LayerNormalization(),
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


def define_generator(latent_dim, out_shape=(64, 64, 3)):
    """Define G.

    Args:
        latent_dim: numbers of a latent point.
        out_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    from math import prod

    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(3 * 10 * 10),  # 300
            layers.LeakyReLU(0.02),
            layers.LayerNormalization(),
            layers.Dense(prod(out_shape), activation="tanh"),  # 12288
            layers.Reshape(out_shape),  # 64x64x3
        ],
        name="generator",
    )
