"""Sample real images (label 1), latent vectors z and generated images (label 0).

`rng` is a `numpy.random.Generator`. The default is NumPy's global generator, which
`keras.utils.set_random_seed` seeds.
"""

import numpy as np

from common.basics.errors import UserError

RANGES = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}  # of images
BOUNDED = {"tanh": (-1, 1), "hard_tanh": (-1, 1), "sigmoid": (0, 1)}  # activations


def generate_real_samples(dataset, n_samples, rng=np.random):
    """Sample real images with replacement.

    Args:
        dataset: array or `datasets.Scaled`: images (n, h, w, c), optionally with
            `labels` (n,).
        n_samples: number of images.
        rng: see the module.

    Returns:
        images float32 (n_samples, h, w, c) in the dataset's range; for a dataset with
        classes, the list [images, classes int32 (n_samples, 1)]. Labels: ones, float32
        (n_samples, 1).
    """
    indices = (rng.random(n_samples) * len(dataset)).astype(int)
    images, classes = dataset[indices], getattr(dataset, "labels", None)
    if classes is not None:
        images = with_labels(images, classes[indices])
    return images, np.ones((n_samples, 1), "float32")


def generate_latent_points(latent_dim, n_samples, rng=np.random):
    """Return latent vectors z ~ N(0, I): float32 (n_samples, latent_dim)."""
    return rng.standard_normal((n_samples, latent_dim)).astype("float32")


def generate_fake_samples(g_model, latent_dim, n_samples, rng=np.random):
    """Generate images from random latent vectors.

    Args:
        g_model: generator.
        latent_dim: length of a latent vector.
        n_samples: number of images.
        rng: see the module.

    Returns:
        images float32 (n_samples, h, w, c) in the generator's range, and labels: zeros,
        float32 (n_samples, 1).
    """
    images = generate_images(g_model, generate_latent_points(latent_dim, n_samples, rng))
    return images, np.zeros((n_samples, 1), "float32")


def generate_random_samples(shape, n_samples, rng=np.random, low=0, high=1):
    """Return images of uniform noise and their labels.

    Args:
        shape: (h, w, c) of an image.
        n_samples: number of images.
        rng: see the module.
        low, high: range of the pixels.

    Returns:
        images float32 (n_samples, *shape) in [low, high), and labels: zeros, float32
        (n_samples, 1).
    """
    images = low + (high - low) * rng.random((n_samples, *shape)).astype("float32")
    return images, np.zeros((n_samples, 1), "float32")


def generate_images(g_model, z, labels=None):
    """Return the generator's images for given latent vectors.

    Args:
        g_model: generator.
        z: float32 (n, latent_dim), latent vectors.
        labels: int (n,) or (n, 1), classes for a class-conditional generator; if None,
            0, 1, ..., repeated.

    Returns:
        float32 (n, h, w, c) in the generator's range, see `image_range`.
    """
    inputs = inputs_of(g_model, z, labels)
    return g_model.predict(inputs, batch_size=100, verbose=0).astype("float32")


def inputs_of(model, x, labels=None):
    """Return the inputs of a G or a D: x, or [x, labels] if it is class-conditional.

    Args:
        model: generator or discriminator.
        x: array (n, ...), latent vectors or images.
        labels: see `generate_images`.
    """
    if not takes_labels(model):
        return x
    if labels is None:
        labels = np.arange(len(x)) % n_classes(model)
    return with_labels(x, labels)


def takes_labels(model):
    """Return whether a G or a D is class-conditional: its second input is the class."""
    return len(model.inputs) == 2


def n_classes(model):
    """Return the number of classes of a class-conditional G or D.

    Raises:
        UserError: neither of its two inputs is a class.
    """
    for layer in model.layers:
        for name in ("input_dim", "num_tokens"):  # Embedding, CategoryEncoding
            if size := getattr(layer, name, None):
                return size
        if layer.name == "guess":  # the auxiliary classifier of a D
            return layer.units
    raise UserError(f"no input of the {model.name} is a class: use a --conditional model")


def with_labels(x, labels):
    """Return the inputs of a class-conditional model: [x, labels int32 (n, 1)]."""
    return [x, np.asarray(labels, "int32").reshape(-1, 1)]


def class_grid(latent_dim, n_classes, columns, rng=np.random):
    """Return inputs for a grid with a row per class and a latent vector per column.

    Args:
        latent_dim: length of a latent vector.
        n_classes: number of rows.
        columns: number of columns.
        rng: see the module.

    Returns:
        z float32 (m, latent_dim), labels int32 (m, 1), with m = n_classes * columns.
    """
    z = generate_latent_points(latent_dim, columns, rng)
    labels = np.repeat(np.arange(n_classes), columns)
    return with_labels(np.tile(z, (n_classes, 1)), labels)


def class_number(option, label, names):
    """Return the index of a class that is given by name or by index.

    Args:
        option: name of the option, for the message.
        label: name or index of the class, a str.
        names: names of all classes.

    Raises:
        UserError: there is no such class.
    """
    indices = {name: i for i, name in enumerate(names)}
    if not any(name.isdecimal() for name in names):  # else a number is a name
        indices |= {str(i): i for i in range(len(names))}
    if label not in indices:
        known = ", ".join(names)
        raise UserError(f"{option} {label}: there is no such class; choose from {known}")
    return indices[label]


def all_layers(model):
    """Yield the layers of a model in order, those of nested models included."""
    for layer in model.layers:
        yield from all_layers(layer) if hasattr(layer, "layers") else [layer]


def image_range(g_model):
    """Return the range (low, high) of G's images that its last layers indicate.

    It is the range of the last activation, scaled by a `Rescaling` behind it, and (0, 1)
    if that activation is not bounded.
    """
    limits, rescaling = (), []
    for layer in reversed(list(all_layers(g_model))):
        name = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if type(layer).__name__ == "Rescaling":
            rescaling.insert(0, layer)
        elif name != "linear" or layer.weights:
            limits = BOUNDED.get(name, ())
            break
    for layer in rescaling if limits else ():
        ends = np.outer(limits, layer.scale) + layer.offset
        limits = round(float(ends.min()), 3), round(float(ends.max()), 3)
    return limits or (0, 1)


def checked_range(images, g_model, path, value_range=None):
    """Return the range (low, high) of a generator's images.

    Args:
        images: float32 (n, h, w, c), some of its images.
        g_model: generator.
        path: of its file, for the message.
        value_range: see `checkpoints.load_generator`.

    Raises:
        UserError: it is not named, and the last layers indicate none of RANGES, or
            another one than that of the images.
    """
    if value_range:
        return RANGES[value_range]
    low, high = image_range(g_model)
    margin = (high - low) / 1000
    is_outside = images.min() < low - margin or images.max() > high + margin
    if (low, high) in RANGES.values() and not (is_outside and np.isfinite(images).all()):
        return low, high
    found = f"{images.min():.3g} to {images.max():.3g}"
    raise UserError(
        f"{path}: its last layers indicate images in {low:g} to {high:g}, but it makes "
        f"values of {found}: name their range, {', '.join(RANGES)}, such as --range=-1..1"
    )


def with_range(g_model, low, high):
    """Return a generator whose images are scaled and clipped to [0, 1] or [-1, 1].

    Args:
        g_model: generator.
        low, high: range of its images, one of RANGES; with -1 they stay in [-1, 1].
    """
    import keras

    half = (high - low) / 2
    x = keras.layers.Rescaling(1 / half, -low / half - 1)(g_model.outputs[0])
    x = keras.layers.Activation("hard_tanh")(x)  # clips to [-1, 1]
    if low == 0:
        x = keras.layers.Rescaling(0.5, 0.5)(x)
    return keras.Model(g_model.inputs, x, name=g_model.name)
