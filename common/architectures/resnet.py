"""Define the models of SNGAN: residual blocks, with spectral normalization in D.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018), table
4 (CIFAR-10), where they are trained with the hinge loss and five D updates per G update.
The paper has 256 filters in G and 128 in D; here both have 64, for a CPU.

Keras's SpectralNormalization divides the kernel variable by its norm at each call in
training mode, with one power iteration. The paper does not change the variable, and
differentiates through the division. Use `--d-batches mixed`, as in the paper: in
separate updates, with Adam's beta_1 = 0, the real batch raises all scores and the fake
batch lowers them again.
"""

from common.architectures.blocks import compile_d, halved_sizes, output_layer, spectral


def residual(name, shape, path, shortcut):
    """Return a residual block as a model, x -> path(x) + shortcut(x).

    Args:
        name: name of the block.
        shape: (h, w, c) of x.
        path, shortcut: lists of Keras layers, applied in sequence, with the same output
            shape; [] is the identity.
    """
    from keras import Model, layers

    inputs = layers.Input(shape)
    outputs = []
    for branch in (path, shortcut):
        x = inputs
        for layer in branch:
            x = layer(x)
        outputs.append(x)
    return Model(inputs, layers.Add()(outputs), name=name)


def define_discriminator(in_shape, n_filters=64):
    """Define and compile D: blocks that halve height and width to about 8, then two more.

    Args:
        in_shape: height, width and channels of an image.
        n_filters: number of filters of each convolution.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers

    def convolution(size):
        return spectral(layers.Conv2D(n_filters, size, padding="same"))

    model = Sequential([layers.Input(in_shape)], name="discriminator")
    n_halvings = max(1, sum(min(x) > 8 for x in halved_sizes(*in_shape[:2])[:-1]))
    shape = in_shape
    for i in range(n_halvings + 2):
        path = [layers.ReLU(), convolution(3), layers.ReLU(), convolution(3)]
        shortcut = []
        if i == 0:
            del path[0]  # no ReLU on the image itself
        if i < n_halvings:
            path.append(layers.AveragePooling2D(2))
            # The paper pools after the 1x1 convolution: the same result, slower.
            shortcut = [layers.AveragePooling2D(2), convolution(1)]
        block = residual(f"block_{i + 1}", shape, path, shortcut)
        model.add(block)
        shape = block.output_shape[1:]
    model.add(layers.ReLU())
    height, width, _ = model.output_shape[1:]
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Rescaling(height * width))  # sum, not mean: D learns better
    # The paper also normalizes the last layer; `objectives/heads.py` needs Dense.
    model.add(output_layer())
    return compile_d(model, beta_1=0.0, beta_2=0.9)


def define_generator(latent_dim, out_shape, n_filters=64):
    """Define G: residual blocks that double height and width.

    Args:
        latent_dim: length of a latent vector; 128 in the paper.
        out_shape: height, width and channels of an image.
        n_filters: number of filters of each hidden convolution.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    from keras import Sequential, layers

    *larger, (h, w) = halved_sizes(*out_shape[:2])
    model = Sequential([layers.Input((latent_dim,))], name="generator")
    model.add(layers.Dense(h * w * n_filters))
    model.add(layers.Reshape((h, w, n_filters)))
    for i in range(len(larger)):
        path = [
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.UpSampling2D(),
            layers.Conv2D(n_filters, 3, padding="same"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2D(n_filters, 3, padding="same"),
        ]
        shortcut = [layers.Conv2D(n_filters, 1), layers.UpSampling2D()]
        model.add(residual(f"block_{i + 1}", model.output_shape[1:], path, shortcut))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.Conv2D(out_shape[2], 3, padding="same", activation="tanh"))
    return model
