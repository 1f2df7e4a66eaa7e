"""Define the models of DCGAN.

Radford et al., "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks" (2016), sections 3 and 4.

Kernels are 5x5, as in the paper's figure 1 (`celeba_gan` has the 4x4 of later versions).
G mirrors D, and therefore starts with half of the figure's filters: 512 for 64x64.
"""

from common.architectures.blocks import discriminator, filter_counts, generator

NORMAL = {"class_name": "RandomNormal", "config": {"stddev": 0.02}}  # initial weights


def define_discriminator(in_shape):
    """Define and compile D: each convolution downsamples by 2 and doubles the filters.

    Args:
        in_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    convolutions = [(filters, 5, 2) for filters in filter_counts(64, in_shape)]
    return discriminator(in_shape, convolutions, "batch", initializer=NORMAL)


def define_generator(latent_dim, out_shape):
    """Define G: each transposed convolution upsamples by 2, with half the filters.

    Args:
        latent_dim: length of a latent vector.
        out_shape: height, width and channels of an image.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    filters = filter_counts(64, out_shape)[::-1]
    return generator(latent_dim, out_shape, filters, kernel=5, initializer=NORMAL)
