"""Save and load models. (`runs/state.py` saves the state of training.)"""

import copy
import json
import logging
import math
import warnings
from pathlib import Path

import numpy as np

from common import sampling
from common.basics.errors import UserError, as_user_error
from common.basics.files import atomic_write
from common.runs.layout import DISCRIMINATOR, GENERATOR
from common.runs.record import check_record, trained_on
from common.safety import keras2, model_files

MAX_CONFIG_BYTES = 2**20  # upper bound of a model file without its weights
ZIP_MAGIC = b"PK\x03\x04"  # first bytes of a .keras file, which is a ZIP archive


def save_models(run, epoch, g_model, d_model, classes=()):
    """Save `generator_model_010.h5` and `discriminator_model_010.h5`.

    The files also describe the training images, if the run folder has an `options.json`.

    Args:
        run: Path of the run folder.
        epoch: number of finished epochs.
        g_model, d_model: the models.
        classes: names of the classes of class-conditional models, saved in the files.
    """
    import h5py

    logging.getLogger("absl").addFilter(is_not_h5_advice)
    origin = trained_on(run)
    for name, model in ((GENERATOR, g_model), (DISCRIMINATOR, d_model)):
        with atomic_write(Path(run) / name.format(epoch)) as part:
            # HDF5 crashes Python if the disk is full: allocate the space first.
            part.write_bytes(bytes(4 * model.count_params() + MAX_CONFIG_BYTES))
            model.save(part, include_optimizer=False)
            with h5py.File(part, "a") as file:
                if classes:
                    file.attrs["classes"] = json.dumps(classes)
                if origin:
                    file.attrs["trained_on"] = json.dumps(origin)


def load_model(path):
    """Validate and load an untrusted `.h5` or `.keras` file, without its optimizer.

    Args:
        path: path of the file.

    Returns:
        keras.Model, not compiled: one input, or the class as second input; one output.

    Raises:
        UserError: there is no such file, it is damaged or not a Keras model, or
            deserializing it could run code, see `model_files`.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is not a file: use an .h5 or .keras file of a model")
    try:
        with path.open("rb") as file:
            magic = file.read(8)
    except OSError as error:
        reason = f"{error.strerror}; check the path and its permissions"
        raise UserError(f"cannot read the model {path}: {reason}") from None
    if not magic:
        raise UserError(f"{path} is empty: use an .h5 or .keras file of a model")
    if not (magic == model_files.HDF5_SIGNATURE or magic.startswith(ZIP_MAGIC)):
        raise UserError(f"{path} is neither an .h5 nor a .keras file: use a saved model")
    message = f"{path} is damaged or not a Keras model"
    fix = "download or copy it again, or save it with this version of Keras"
    with as_user_error(message, fix):
        version, config = model_files.check(path)
    if version:
        message, fix = f"{path} cannot be converted", keras2.FIX.format(version)
    with as_user_error(message, fix):
        with model_files.unallocated_weights():
            check_sizes(deserialize(path, config))
        model = deserialize(path, config)
        if len(model.inputs) in (1, 2) and len(model.outputs) == 1:
            return model
    raise UserError(
        f"{path} is a model of {len(model.inputs)} inputs and {len(model.outputs)} "
        "outputs: use one with an image or a latent vector as input (and a class), and "
        "one output"
    )


def deserialize(path, config=None):
    """Return the keras.Model in a validated file, not compiled.

    Args:
        path: Path of the file.
        config: see `model_files.check`; used instead of that in the file, if not None.
    """
    import keras

    from common.layers import augment, losses  # noqa: F401  # register custom layers

    if config is None:
        return keras.models.load_model(path, compile=False)
    kind = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    with warnings.catch_warnings(action="ignore"):  # about settings that were renamed
        model = kind.from_config(copy.deepcopy(config["config"]))  # which it changes
    model.load_weights(path)
    return model


def load_generator(path, value_range=None):
    """Validate and load a generator.

    Args:
        path: path of an `.h5` or `.keras` file.
        value_range: key of `sampling.RANGES`, the range of its images; if None, that of
            its last layers, see `sampling.image_range`.

    Returns:
        keras.Model whose images are in (0, 1) or (-1, 1), latent_dim, and the range of
        the images of the model in the file, also (0, 255).

    Raises:
        UserError: as `load_model`, or the model is not a generator.
    """
    model = load_model(path)
    z, images = model.inputs[0].shape, model.output_shape
    if is_discriminator(model):
        raise UserError(f"{path} is a discriminator: use a generator_model file")
    if len(z) != 2 or z[1] is None or len(images) != 4 or images[3] not in (1, 3):
        raise UserError(f"{path} is not a generator of images: it maps {z} to {images}")
    z = sampling.generate_latent_points(z[1], 16, np.random.default_rng(0))
    outputs = check_call(model, z, path)
    low, high = sampling.checked_range(outputs, model, path, value_range)
    if value_range or high != 1:
        model = sampling.with_range(model, low, high)
    return model, z.shape[1], (low, high)


def load_discriminator(path):
    """Validate and load a discriminator.

    Args:
        path: path of an `.h5` or `.keras` file.

    Returns:
        keras.Model.

    Raises:
        UserError: as `load_model`, or the model is not a discriminator.
    """
    model = load_model(path)
    if not is_discriminator(model):
        raise UserError(f"{path} is not a discriminator: use a discriminator_model file")
    height, width, channels = (n or 32 for n in model.inputs[0].shape[1:])
    check_call(model, np.zeros((1, height, width, channels), "float32"), path)
    return model


def check_call(model, inputs, path):
    """Return a model's outputs, or raise a UserError if its weights let a call fail."""
    from keras.ops import convert_to_numpy

    with as_user_error(f"{path} cannot be used", "save it again"):
        outputs = model(sampling.inputs_of(model, inputs), training=False)
        return convert_to_numpy(outputs).astype("float32")


def is_discriminator(model):
    """Return whether a model maps images (n, h, w, c) to one number each, (n, 1)."""
    return len(model.inputs[0].shape) == 4 and model.output_shape[1:] == (1,)


def class_names(path, n_classes):
    """Return the class names of a saved model: those in the file, or else 0, 1, ...

    Args:
        path: path of an `.h5` or `.keras` file.
        n_classes: number of classes of its model.

    Returns:
        tuple of n_classes strings.

    Raises:
        UserError: the names in the file are damaged.
    """
    try:
        names = tuple(map(str, read_attribute(path, "classes", "[]")))
    except (TypeError, ValueError, RecursionError):
        raise UserError(
            f"{path}: its attribute classes is damaged: download or copy it again"
        ) from None
    return names if len(names) == n_classes else tuple(map(str, range(n_classes)))


def origin_of(path):
    """Return what a saved model records about its training images, or None.

    Args:
        path: path of an `.h5` or `.keras` file.

    Returns:
        dict, see `record.trained_on`.

    Raises:
        UserError: the record is damaged.
    """
    try:
        origin = read_attribute(path, "trained_on", "null")
        if origin is not None:
            check_record(origin)
            origin["data"]["name"]
        return origin
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise UserError(
            f"{path}: its attribute trained_on is damaged: download or copy it again"
        ) from None


def read_attribute(path, name, default):
    """Return the value of a JSON attribute that `save_models` wrote into an `.h5` file.

    Args:
        path: path of an `.h5` or `.keras` file.
        name: name of the attribute.
        default: JSON text, used if the file has no such attribute.
    """
    import h5py

    if not h5py.is_hdf5(path):
        return json.loads(default)
    with h5py.File(path) as file:
        return json.loads(file.attrs.get(name, default))


def is_not_h5_advice(record):
    """Return False for Keras's advice to use .keras files: .h5 is chosen on purpose."""
    return "HDF5" not in record.getMessage()


def check_sizes(model):
    """Raise a ValueError if a layer outputs more than MAX_OUTPUT_NUMBERS per sample."""
    for layer in sampling.all_layers(model):
        size = math.prod(n or 1 for n in layer.output.shape)
        if size > model_files.MAX_OUTPUT_NUMBERS:
            raise ValueError(f"its layer {layer.name!r} outputs {size} numbers")
