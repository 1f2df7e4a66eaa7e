"""Define fully connected models of a book, with one hidden layer of 200 units.

Rashid, "Make Your First GAN with PyTorch" (2020), the improved GAN of the MNIST chapter.
"""

from math import prod

from common.architectures.blocks import compile_d, output_layer


def define_discriminator(in_shape, hidden=200, learning_rate=0.0001, beta_1=0.9):
    """Define and compile D.

    Args:
        in_shape: height, width and channels of an image.
        hidden: number of units of the hidden layer.
        learning_rate, beta_1: of Adam.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input(in_shape),
            layers.Flatten(),
            layers.Dense(hidden),
            layers.LeakyReLU(0.02),
            layers.LayerNormalization(),
            output_layer(),
        ],
        name="discriminator",
    )
    return compile_d(model, learning_rate, beta_1)


def define_generator(latent_dim, out_shape, hidden=200, activation="sigmoid"):
    """Define G.

    Args:
        latent_dim: length of a latent vector; 100 in the book.
        out_shape: height, width and channels of an image.
        hidden: number of units of the hidden layer.
        activation: activation of the last layer.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape), in [0, 1] for
        "sigmoid", in [-1, 1] for "tanh".
    """
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(hidden),
            layers.LeakyReLU(0.02),
            layers.LayerNormalization(),
            layers.Dense(prod(out_shape), activation=activation),
            layers.Reshape(out_shape),
        ],
        name="generator",
    )
