"""Define a small DCGAN: D has 16, 32 and 64 filters where the paper has 64 to 512.

It follows course notes on DCGAN for MNIST; G mirrors D. Here all convolutions have
padding, so that images may be small.
"""

from common.architectures.blocks import discriminator, generator, halved_sizes


def define_discriminator(in_shape):
    """Define and compile D.

    Args:
        in_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    convolutions = (16, 3, 2), (32, 3, 2), (64, 3, 2), (128, 4, 1)
    return discriminator(in_shape, convolutions, "batch")


def define_generator(latent_dim, out_shape):
    """Define G: 128 filters, then 64, 32 and 16, as many as the image size needs.

    Args:
        latent_dim: length of a latent vector.
        out_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    n_doublings = len(halved_sizes(*out_shape[:2])) - 1
    filters = [max(16, 128 // 2**i) for i in range(n_doublings)]
    return generator(latent_dim, out_shape, filters)
