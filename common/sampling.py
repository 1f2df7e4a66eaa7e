"""Batches for the two players: real images (label 1), latent points, fakes (label 0).

`rng` is a NumPy generator; without one, NumPy's global state is used, which
`keras.utils.set_random_seed` seeds.
"""

import numpy as np

from common.basics.errors import UserError


def generate_real_samples(dataset, n_samples, rng=np.random):
    """Draw real images, with replacement.

    Returns:
        images float32 (n_samples, h, w, c) in the dataset's range (where it has classes:
        the list of images and classes), and labels: ones, float32 (n_samples, 1).
    """
    picks = (rng.random(n_samples) * len(dataset)).astype(int)
    images, classes = dataset[picks], getattr(dataset, "labels", None)
    if classes is not None:
        images = with_labels(images, classes[picks])
    return images, np.ones((n_samples, 1), "float32")


def generate_latent_points(latent_dim, n_samples, rng=np.random):
    """Draw points of the latent space: float32 (n_samples, latent_dim), normal(0, 1)."""
    return rng.standard_normal((n_samples, latent_dim)).astype("float32")


def generate_fake_samples(g_model, latent_dim, n_samples, rng=np.random):
    """Draw images of the generator.

    Returns:
        images float32 (n_samples, h, w, c) in the generator's range, and labels: zeros,
        float32 (n_samples, 1).
    """
    images = generate_images(g_model, generate_latent_points(latent_dim, n_samples, rng))
    return images, np.zeros((n_samples, 1), "float32")


def generate_random_samples(shape, n_samples, rng=np.random, low=0, high=1):
    """Images of uniform noise: float32 (n_samples, *shape) in [low, high), and zeros."""
    images = low + (high - low) * rng.random((n_samples, *shape)).astype("float32")
    return images, np.zeros((n_samples, 1), "float32")


def generate_images(g_model, latent_points, labels=None):
    """The generator's images of these points: float32 (n, h, w, c) in its own range.

    Args:
        g_model: generator.
        latent_points: float32 (n, latent_dim).
        labels: int (n,) or (n, 1), the classes to draw, where it takes them; if None,
            all of them in turn.
    """
    inputs = inputs_of(g_model, latent_points, labels)
    return g_model.predict(inputs, batch_size=100, verbose=0).astype("float32")


def inputs_of(g_model, latent_points, labels=None):
    """What a G takes: the points, or [points, labels]; arguments as generate_images'."""
    if labels is None:
        labels = labels_in_turn(g_model, len(latent_points))
    return with_labels(latent_points, labels) if takes_labels(g_model) else latent_points


def takes_labels(model):
    """Whether a G or a D takes classes as well."""
    return len(model.inputs) == 2


def n_classes(model):
    """The number of classes that a G or a D of classes knows.

    Raises:
        UserError: none of its two inputs is a class.
    """
    for layer in model.layers:
        for name in ("input_dim", "num_tokens"):  # of an Embedding, of a CategoryEncoding
            if size := getattr(layer, name, None):
                return size
        if layer.name == "guess":  # of a D that names the class
            return layer.units
    raise UserError(f"the {model.name} has two inputs, but none of them is a class")


def labels_in_turn(g_model, n):
    """0, 1, ... and again from 0: int (n,); None where G draws no classes."""
    return np.arange(n) % n_classes(g_model) if takes_labels(g_model) else None


def with_labels(x, labels):
    """What a model of classes takes: x and labels (n,) -> [x, int32 (n, 1)]."""
    return [x, np.asarray(labels, "int32").reshape(-1, 1)]


def class_grid(latent_dim, n_classes, columns, rng=np.random):
    """Points for a grid with a row for each class and one point for each column.

    Returns:
        points float32 (n_classes * columns, latent_dim), labels int32 (the same, 1).
    """
    points = generate_latent_points(latent_dim, columns, rng)
    labels = np.repeat(np.arange(n_classes, dtype="int32"), columns)
    return np.tile(points, (n_classes, 1)), labels[:, np.newaxis]


def class_number(option, label, names):
    """The number of a class that was asked for by its name or its number.

    Raises:
        UserError: there is no such class.
    """
    numbers = {name: i for i, name in enumerate(names)}
    if not any(name.isdecimal() for name in names):  # else a number is a name
        numbers |= {str(i): i for i in range(len(names))}
    if label not in numbers:
        known = ", ".join(names)
        raise UserError(f"{option} {label}: there is no such class, but {known}")
    return numbers[label]


def all_layers(model):
    """The layers of a model, and of the models in it, in their order."""
    for layer in model.layers:
        yield from all_layers(layer) if hasattr(layer, "layers") else [layer]


def image_range(g_model):
    """(-1, 1) where the last activation of a generator is tanh, else (0, 1)."""
    found = [getattr(layer, "activation", None) for layer in all_layers(g_model)]
    last = next(filter(None, reversed(found)), None)
    return (-1, 1) if getattr(last, "__name__", "") == "tanh" else (0, 1)
