"""SNGAN: residual blocks, and in D convolutions with spectral normalization.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018), table
4 (CIFAR-10); there with the hinge loss and five D steps for each of G.
The paper has 256 filters in G and 128 in D; a CPU can train 64.

Keras's SpectralNormalization divides the kernel variable by its norm at each call in
training, with one power iteration; the paper keeps the kernel, and differentiates through
the division. Use `--d-batches mixed`, as in the paper: in separate updates, with Adam's
beta_1 = 0, the real batch raises all scores and the fake batch lowers them again.
"""

from common.architectures.blocks import compiled, halved, probability, spectral


def residual(name, shape, path, shortcut):
    """Return a block as a model, x -> path(x) + shortcut(x).

    Args:
        name: of the block.
        shape: of x, (h, w, c).
        path, shortcut: lists of layers with the same output shape; [] is the identity.
    """
    from keras import Model, layers

    start = layers.Input(shape)
    ends = []
    for branch in (path, shortcut):
        x = start
        for layer in branch:
            x = layer(x)
        ends.append(x)
    return Model(start, layers.Add()(ends), name=name)


def define_discriminator(in_shape, width=64):
    """Define and compile D: blocks that halve the size down to about 8, then two more.

    Args:
        in_shape: height, width and channels of an image.
        width: number of filters.

    Returns:
        a model, float32 (n, *in_shape) -> probability of being real, float32 (n, 1).
    """
    from keras import Sequential, layers

    def convolution(size):
        return spectral(layers.Conv2D(width, size, padding="same"))

    model = Sequential([layers.Input(in_shape)], name="discriminator")
    halvings = max(1, sum(min(size) > 8 for size in halved(*in_shape[:2])[:-1]))
    shape = in_shape
    for i in range(halvings + 2):
        path = [layers.ReLU(), convolution(3), layers.ReLU(), convolution(3)]
        shortcut = []
        if i == 0:
            del path[0]  # no ReLU on the image itself
        if i < halvings:
            path.append(layers.AveragePooling2D(2))
            # The paper pools last, with the same result in four times the work.
            shortcut = [layers.AveragePooling2D(2), convolution(1)]
        block = residual(f"block_{i + 1}", shape, path, shortcut)
        model.add(block)
        shape = block.output_shape[1:]
    model.add(layers.ReLU())
    height, width, _ = model.output_shape[1:]
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Rescaling(height * width))  # sum pooling: D learns badly from means
    # The paper's last layer is normalized also; `heads.py` needs a plain one.
    model.add(probability())
    return compiled(model, beta_1=0.0, beta_2=0.9)


def define_generator(latent_dim, out_shape, width=64):
    """Define G: blocks that double the image.

    Args:
        latent_dim: length of a latent vector; 128 in the paper.
        out_shape: height, width and channels of an image.
        width: number of filters.

    Returns:
        a model, float32 (n, latent_dim) -> images (n, *out_shape) in [-1, 1].
    """
    from keras import Sequential, layers

    *larger, start = halved(*out_shape[:2])
    model = Sequential(name="generator")
    model.add(layers.Input((latent_dim,)))
    model.add(layers.Dense(start[0] * start[1] * width))
    model.add(layers.Reshape((*start, width)))
    for i in range(len(larger)):
        path = [
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.UpSampling2D(),
            layers.Conv2D(width, 3, padding="same"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Conv2D(width, 3, padding="same"),
        ]
        shortcut = [layers.Conv2D(width, 1), layers.UpSampling2D()]
        model.add(residual(f"block_{i + 1}", model.output_shape[1:], path, shortcut))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.ReLU())
    model.add(layers.Conv2D(out_shape[2], 3, padding="same", activation="tanh"))
    return model
