"""Split a generator between two of its layers into two models."""

from functools import cache

import keras
from keras import Model, layers

from common.basics.errors import UserError


@cache
def layer_chain(g_model):
    """Return the layers of a generator that are applied in sequence, and their input.

    Args:
        g_model: generator.

    Returns:
        the input tensor of the first layer: the latent vectors or, in a class-conditional
        G, their combination with the class; and the list of layers. Nested Sequential
        models are flattened. A residual block is one layer.

    Raises:
        UserError: the layers have branches.
    """
    tensor, chain = g_model.inputs[0], []
    for layer in g_model.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        if isinstance(layer.input, list):  # the layer that combines z and the class
            tensor, chain = layer.output, []
        else:
            chain += layer.layers if isinstance(layer, keras.Sequential) else [layer]
    has_branches = any(isinstance(layer.input, list) for layer in chain)
    if has_branches or apply_layers(chain, tensor).shape != g_model.outputs[0].shape:
        raise UserError("the layers of this generator branch: use one without branches")
    return tensor, chain


def apply_layers(chain, x):
    """Return the output of layers that are applied to a tensor in sequence."""
    for layer in chain:
        x = layer(x, training=False)
    return x


def split(g_model, index):
    """Split a generator into two models, after a layer of its chain.

    Args:
        g_model: generator.
        index: index of the layer in `layer_chain`; -1 for the input of the chain.

    Returns:
        two models: inputs of G -> activations of this layer, float32 (n, ...), or its
        input for -1; and activations -> images, float32 (n, h, w, c).
    """
    tensor, chain = layer_chain(g_model)
    inner = apply_layers(chain[: index + 1], tensor)
    activations = layers.Input(inner.shape[1:])
    tail = Model(activations, apply_layers(chain[index + 1 :], activations))
    return Model(g_model.inputs, inner), tail


def split_at_embedding(g_model):
    """Split a class-conditional generator after its class embedding.

    Returns:
        a model, classes int (n, 1) -> embeddings (n, ...), and a model, [latent vectors
        (n, latent_dim), embeddings] -> images. Embeddings can be interpolated.
    """
    vectors, classes = g_model.inputs
    encoders = layers.Embedding | layers.CategoryEncoding
    first = next(layer for layer in g_model.layers if isinstance(layer, encoders))
    return Model(classes, first.output), Model([vectors, first.output], g_model.outputs)


def first_block(g_model):
    """Return the indices of the first and the last layer of a generator's first block.

    Returns:
        indices in `layer_chain`: of the first layer with a kernel, and of the layer
        before the second one with a kernel, whose output is normalized and activated.

    Raises:
        UserError: fewer than two layers of the chain have a kernel.
    """
    _, chain = layer_chain(g_model)
    with_kernel = [
        i for i, layer in enumerate(chain) if any(len(w.shape) > 1 for w in layer.weights)
    ]
    if len(with_kernel) < 2:
        raise UserError(
            f"this generator has {len(with_kernel)} layers with a kernel: use a model "
            "with at least 2"
        )
    return with_kernel[0], with_kernel[1] - 1


def feature_map_layers(g_model):
    """Return the last layer of each feature map size, except the output layer.

    Returns:
        dict, name of the layer -> (index in `layer_chain`, shape (h, w, channels)).
    """
    _, chain = layer_chain(g_model)
    shapes = [layer.output.shape[1:] for layer in chain]
    return {
        chain[i].name: (i, shapes[i])
        for i in range(len(chain) - 1)
        if len(shapes[i]) == 3 and shapes[i] != shapes[i + 1]
    }
