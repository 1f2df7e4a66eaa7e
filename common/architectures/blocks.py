"""Define parts of all architectures: DCGANs, blocks of layers, composite models."""

GLOROT = "glorot_uniform"  # default initializer of kernels in Keras


def halved_sizes(height, width):
    """Return the sizes of an image that is halved while both are even and above 4.

    Returns:
        list of (height, width), first that of the image itself.
    """
    sizes = [(height, width)]
    while height % 2 == width % 2 == 0 and min(height, width) > 4:
        height, width = height // 2, width // 2
        sizes.append((height, width))
    return sizes


def filter_counts(first, shape):
    """Return the filter counts of the convolutions that halve an image, each doubled.

    Args:
        first: number of filters of the first convolution.
        shape: height, width and channels of the image.

    Returns:
        list of int: first, 2 * first, 4 * first, ..., one for each convolution.
    """
    return [first * 2**i for i in range(len(halved_sizes(*shape[:2])) - 1)]


def spectral(layer):
    """Return a layer with spectral normalization of its kernel (Miyato et al. 2018).

    It computes in float32, because Keras replaces the kernel by the normalized one.
    """
    from keras import layers

    return layers.SpectralNormalization(layer, dtype="float32")


def activated(layer, normalization="none", negative_slope=0.2):
    """Return a layer followed by its normalization and LeakyReLU, as a list of layers.

    Args:
        layer: Keras layer with a kernel.
        normalization: "none", "batch", "spectral", or "layer": GroupNormalization of one
            group, over all pixels and channels of an image, with one scale per channel.
            Keras's LayerNormalization would have one scale per pixel, or normalize single
            pixels.
        negative_slope: negative slope of LeakyReLU.

    Returns:
        list of Keras layers, to be applied in this order.
    """
    from keras import layers

    block = [spectral(layer) if normalization == "spectral" else layer]
    if normalization == "batch":
        block.append(layers.BatchNormalization(momentum=0.9))
    elif normalization == "layer":
        block.append(layers.GroupNormalization(groups=1))
    return [*block, layers.LeakyReLU(negative_slope)]


def discriminator(in_shape, convolutions, normalization="none", *, negative_slope=0.2,
                  initializer=GLOROT, **adam):  # fmt: skip
    """Define and compile D: convolutions with LeakyReLU, then one dense unit.

    Args:
        in_shape: height, width and channels of an image.
        convolutions: list of (number of filters, kernel size, stride).
        normalization: see `activated`; "batch" starts at the second convolution, as in
            DCGAN. These convolutions have no bias, which it would cancel.
        negative_slope: negative slope of LeakyReLU.
        initializer: initializer of the kernels.
        adam: keywords of `compile_d`: learning_rate, beta_1, beta_2.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers

    model = Sequential([layers.Input(in_shape)], name="discriminator")
    for i, (filters, kernel, strides) in enumerate(convolutions):
        norm = "none" if i == 0 and normalization == "batch" else normalization
        convolution = layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            padding="same",
            use_bias=norm != "batch",
            kernel_initializer=initializer,
        )
        for layer in activated(convolution, norm, negative_slope):
            model.add(layer)
    model.add(layers.Flatten())
    model.add(output_layer(initializer))
    return compile_d(model, **adam)


def output_layer(initializer=GLOROT):
    """Return the last layer of D, a dense unit with sigmoid: float32 (n, 1) in [0, 1]."""
    from keras import layers

    return layers.Dense(
        1, activation="sigmoid", kernel_initializer=initializer, dtype="float32"
    )


def compile_d(d_model, learning_rate=0.0002, beta_1=0.5, beta_2=0.999):
    """Compile D with binary cross-entropy (real = 1, fake = 0) and Adam; return it."""
    from keras import optimizers

    optimizer = optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2)
    d_model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return d_model


def generator(
    latent_dim, out_shape, filters, *, kernel=4, activation="tanh", initializer=GLOROT
):
    """Define G of a DCGAN: each transposed convolution doubles height and width.

    Args:
        latent_dim: length of a latent vector.
        out_shape: height, width and channels of an image.
        filters: list of int, channels of the feature maps, the smallest maps first.
        kernel: kernel size.
        activation: activation of the last layer.
        initializer: initializer of the kernels.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape), in [-1, 1] for "tanh".
    """
    from keras import Sequential, layers

    height, width = (size // 2 ** len(filters) for size in out_shape[:2])
    dense = layers.Dense(
        height * width * filters[0], use_bias=False, kernel_initializer=initializer
    )
    body = [dense, layers.Reshape((height, width, filters[0]))]
    for i, channels in enumerate([*filters[1:], out_shape[2]], start=1):
        is_last = i == len(filters)
        convolution = layers.Conv2DTranspose(
            channels,
            kernel,
            strides=2,
            padding="same",
            use_bias=is_last,  # BatchNormalization would cancel it
            activation=activation if is_last else None,
            kernel_initializer=initializer,
        )
        body += [layers.BatchNormalization(momentum=0.9), layers.ReLU(), convolution]
    return Sequential([layers.Input((latent_dim,)), *body], name="generator")


def define_gan(g_model, d_model):
    """Define and compile the composite model, z -> D(G(z)), with D frozen.

    Its optimizer has the settings of D's.
    """
    from keras import Sequential

    d_model.trainable = False
    return compile_like(d_model, Sequential([g_model, d_model], name="gan"))


def compile_like(d_model, model):
    """Compile a composite model with the settings of D's optimizer; return it."""
    optimizer = type(d_model.optimizer).from_config(d_model.optimizer.get_config())
    model.compile(loss="binary_crossentropy", optimizer=optimizer)
    return model
