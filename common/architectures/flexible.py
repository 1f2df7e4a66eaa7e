"""The tutorials' models with their exercises as options.

Without options, images of 28x28 have the models of `mnist_gan`, all others those of
`cifar10_gan`, with as many downsampling layers as their size allows.
"""

from typing import NamedTuple

from common.architectures.blocks import activated, compiled, halved, probability


class Tutorial(NamedTuple):
    """Differences between the models of the two tutorials."""

    full_size: int  # D's convolutions before the first downsampling
    d_filters: tuple  # of D's convolutions; the last number is repeated
    dropout_at: str  # in D: "each" size, or at the "end"
    g_start: int  # filters of G's smallest feature maps; all others have 128
    last_kernel: int  # of G
    output: str  # of G


MNIST = Tutorial(0, (64, 64), "each", 128, 7, "sigmoid")
CIFAR10 = Tutorial(1, (64, 128, 128, 256), "end", 256, 3, "tanh")


def tutorial_for(shape):
    return MNIST if tuple(shape[:2]) == (28, 28) else CIFAR10


def define_discriminator(
    in_shape, *, normalization="none", width=1.0, depth=0, dropout=0.4
):
    """Define and compile D.

    Args:
        in_shape: height, width and channels of an image.
        normalization: "none"; "batch" or "layer", from the second convolution on, as in
            DCGAN; "spectral", of every convolution (Miyato et al. 2018).
        width: factor of the numbers of filters.
        depth: number of additional convolutions at each size.
        dropout: dropout rate.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers

    own = tutorial_for(in_shape)
    halvings = len(halved(*in_shape[:2])) - 1
    kind = "spectral" if normalization == "spectral" else "none"  # of the first
    model = Sequential([layers.Input(in_shape)], name="discriminator")
    for i, stride in enumerate([1] * own.full_size + [2] * halvings):
        filters = max(1, round(width * own.d_filters[min(i, len(own.d_filters) - 1)]))
        for strides in [stride] + [1] * depth:
            convolution = layers.Conv2D(filters, 3, strides=strides, padding="same")
            for layer in activated(convolution, kind):
                model.add(layer)
            kind = normalization
        if own.dropout_at == "each":
            model.add(layers.Dropout(dropout))
    model.add(layers.Flatten())
    if own.dropout_at == "end":
        model.add(layers.Dropout(dropout))
    model.add(probability())
    return compiled(model)


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
        width: factor of the numbers of filters.
        depth: number of additional convolutions at each size.
        output: "sigmoid", "tanh", or None, that of the tutorial.
        upsampling: "transpose", or "resize": pixels are repeated before a convolution,
            against checkerboard artifacts (Odena et al. 2016, "Deconvolution and
            Checkerboard Artifacts").

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape), in [-1, 1] for "tanh",
        in [0, 1] for "sigmoid".
    """
    from keras import Sequential, layers

    own = tutorial_for(out_shape)
    *larger, (h, w) = halved(*out_shape[:2])
    start, filters = (max(1, round(width * n)) for n in (own.g_start, 128))
    kind = "none" if normalization == "spectral" else normalization
    body = [layers.Input((latent_dim,))]
    body += activated(layers.Dense(start * h * w), kind)
    body += [layers.Reshape((h, w, start)), *deeper(depth, start, kind)]
    for _ in larger:
        body += [*doubled(upsampling, filters, kind), *deeper(depth, filters, kind)]
    last = layers.Conv2D(
        out_shape[2], own.last_kernel, padding="same", activation=output or own.output
    )
    return Sequential([*body, last], name="generator")


def deeper(depth, filters, kind):
    """Return the layers of `depth` convolutions that keep height and width."""
    from keras import layers

    blocks = (
        activated(layers.Conv2D(filters, 3, padding="same"), kind) for _ in range(depth)
    )
    return [layer for block in blocks for layer in block]


def doubled(upsampling, filters, kind):
    """Return the layers that double height and width; see `define_generator`."""
    from keras import layers

    if upsampling == "resize":
        return [layers.UpSampling2D(), *deeper(1, filters, kind)]
    return activated(layers.Conv2DTranspose(filters, 4, strides=2, padding="same"), kind)
