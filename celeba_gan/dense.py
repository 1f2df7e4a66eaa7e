"""Define fully connected models: no convolution, every pixel has its own weights.

Source: Rashid, "Make Your First GAN with PyTorch" (2020). An image is flattened to a
vector; the hidden layer has 100 units in D and 3 x 10 x 10 in G. `compare_memory.py`
compares the models with the convolutional ones.
"""

from common.architectures import dense


def define_discriminator(in_shape=(64, 64, 3)):
    """Define and compile D, images (n, *in_shape) -> probability of being real (n, 1).

    See `common/architectures/dense.py`.
    """
    adam = {"learning_rate": 0.0002, "beta_1": 0.5}
    return dense.define_discriminator(in_shape, 100, **adam)  # 12288, 100, 1 units


def define_generator(latent_dim, out_shape=(64, 64, 3)):
    """Define G, z (n, latent_dim) -> images (n, *out_shape) in [-1, 1].

    See `common/architectures/dense.py`.
    """
    hidden = 3 * 10 * 10  # 300, 12288 units; 64x64x3
    return dense.define_generator(latent_dim, out_shape, hidden, activation="tanh")
