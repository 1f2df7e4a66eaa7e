"""Define the tutorials' models, with the tutorials' exercises as options.

Without options, images of 28x28 have the models of `mnist_gan`. All others have those of
`cifar10_gan`, with as many downsampling layers as their size allows.
"""

from typing import NamedTuple

from common.architectures.blocks import activated, compile_d, halved_sizes, output_layer


class Tutorial(NamedTuple):
    """Differences between the models of the two tutorials."""

    full_size: int  # D's convolutions before the first downsampling
    d_filters: tuple  # of D's convolutions; the last number is repeated
    dropout_at: str  # in D: after "each" downsampling, or at the "end"
    g_filters: int  # of G's smallest feature maps; all others have 128
    last_kernel: int  # kernel size of G's last layer
    output: str  # activation of G's last layer


MNIST = Tutorial(0, (64, 64), "each", 128, 7, "sigmoid")
CIFAR10 = Tutorial(1, (64, 128, 128, 256), "end", 256, 3, "tanh")


def tutorial_for(shape):
    """Return the tutorial whose models suit images of a shape, (h, w, c)."""
    return MNIST if tuple(shape[:2]) == (28, 28) else CIFAR10


def define_discriminator(
    in_shape, *, normalization="none", width=1.0, depth=0, dropout=0.4
):
    """Define and compile D.

    Args:
        in_shape: height, width and channels of an image.
        normalization: "none"; "batch" or "layer", from the second convolution on, as in
            DCGAN; "spectral", of every convolution (Miyato et al. 2018).
        width: factor of all numbers of filters.
        depth: number of additional convolutions at each size.
        dropout: dropout rate.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers

    tutorial = tutorial_for(in_shape)
    n_halvings = len(halved_sizes(*in_shape[:2])) - 1
    norm = "spectral" if normalization == "spectral" else "none"  # first convolution
    model = Sequential([layers.Input(in_shape)], name="discriminator")
    for i, stride in enumerate([1] * tutorial.full_size + [2] * n_halvings):
        n_filters = tutorial.d_filters[min(i, len(tutorial.d_filters) - 1)]
        filters = max(1, round(width * n_filters))
        for strides in [stride] + [1] * depth:
            convolution = layers.Conv2D(filters, 3, strides=strides, padding="same")
            for layer in activated(convolution, norm):
                model.add(layer)
            norm = normalization
        if tutorial.dropout_at == "each":
            model.add(layers.Dropout(dropout))
    model.add(layers.Flatten())
    if tutorial.dropout_at == "end":
        model.add(layers.Dropout(dropout))
    model.add(output_layer())
    return compile_d(model)


def define_generator(
    latent_dim, out_shape, *, normalization="none", width=1.0, depth=0, output=None,
    upsampling="transpose",
):  # fmt: skip
    """Define G. It is not compiled: it is trained only as a part of the composite.

    Args:
        latent_dim: length of a latent vector.
        out_shape: height, width and channels of an image.
        normalization: "none"; "batch" or "layer", except before the output; "spectral"
            is for D, and does not change G.
        width: factor of all numbers of filters.
        depth: number of additional convolutions at each size.
        output: activation of the last layer, "sigmoid" or "tanh"; None: the tutorial's.
        upsampling: "transpose", or "resize": pixels are repeated before a convolution,
            against checkerboard artifacts (Odena et al. 2016, "Deconvolution and
            Checkerboard Artifacts").

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape), in [-1, 1] for "tanh",
        in [0, 1] for "sigmoid".
    """
    from keras import Sequential, layers

    tutorial = tutorial_for(out_shape)
    *larger, (h, w) = halved_sizes(*out_shape[:2])
    first, filters = (max(1, round(width * n)) for n in (tutorial.g_filters, 128))
    norm = "none" if normalization == "spectral" else normalization
    body = [layers.Input((latent_dim,))]
    body += activated(layers.Dense(first * h * w), norm)
    body += [layers.Reshape((h, w, first)), *convolutions(depth, first, norm)]
    for _ in larger:
        body += upsampled(upsampling, filters, norm)
        body += convolutions(depth, filters, norm)
    activation = output or tutorial.output
    last = layers.Conv2D(
        out_shape[2], tutorial.last_kernel, padding="same", activation=activation
    )
    return Sequential([*body, last], name="generator")


def convolutions(n, filters, normalization):
    """Return the layers of n convolutions that do not change height and width."""
    from keras import layers

    block = []
    for _ in range(n):
        block += activated(layers.Conv2D(filters, 3, padding="same"), normalization)
    return block


def upsampled(upsampling, filters, normalization):
    """Return the layers that double height and width; see `define_generator`."""
    from keras import layers

    if upsampling == "resize":
        return [layers.UpSampling2D(), *convolutions(1, filters, normalization)]
    transposed = layers.Conv2DTranspose(filters, 4, strides=2, padding="same")
    return activated(transposed, normalization)
