"""Models as files, which hold what can be used later; see `runs/state.py` too."""

import json
import logging
import math
from pathlib import Path

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.basics.files import atomic_write
from common.runs.layout import DISCRIMINATOR, GENERATOR
from common.runs.record import check_record, trained_on
from common.safety import model_files
from common.sampling import all_layers, generate_latent_points, image_range, inputs_of

BESIDE_WEIGHTS = 2**20  # bytes of a model file, at most
ZIP = b"PK\x03\x04"  # how .keras files start


def save_models(run, epoch, g_model, d_model, classes=()):
    """Save `generator_model_010.h5` and `discriminator_model_010.h5`.

    Into the files also goes which images they were trained on, if the run folder says so.

    Args:
        run: Path of the run folder.
        epoch: number of finished epochs.
        g_model, d_model: the models.
        classes: names of the classes that they take; they go into the files.
    """
    import h5py

    logging.getLogger("absl").addFilter(is_no_advice)
    origin = trained_on(run)
    for name, model in ((GENERATOR, g_model), (DISCRIMINATOR, d_model)):
        with atomic_write(Path(run) / name.format(epoch)) as part:
            # HDF5 crashes Python where the disk becomes full: there is room, or an error
            part.write_bytes(bytes(4 * model.count_params() + BESIDE_WEIGHTS))
            model.save(part, include_optimizer=False)
            with h5py.File(part, "a") as file:
                if classes:
                    file.attrs["classes"] = json.dumps(classes)
                if origin:
                    file.attrs["trained_on"] = json.dumps(origin)


def load_model(path):
    """Load a Keras model from a `.h5` or `.keras` file, for use and not for training.

    Raises:
        UserError: there is no such file, it is not a whole Keras model, or it is one that
            could run code, see `model_files`.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is no file: name an .h5 or .keras file of a model")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UserError(f"cannot read the model {path}: {error.strerror}") from None
    if not start:
        raise UserError(f"{path} is empty: it is not a Keras model")
    if not (start == model_files.HDF5 or start.startswith(ZIP)):
        raise UserError(f"{path} is not a Keras model: neither an .h5 nor a .keras file")
    from keras.models import load_model as load

    from common.layers import augment, losses  # noqa: F401  # which may be in the file

    wrong = f"{path} is damaged or not a Keras model"
    with as_user_error(wrong, "take another copy of it"):
        model_files.check(path)
        with model_files.no_memory():
            check_sizes(load(path, compile=False))
        model = load(path, compile=False)
        if len(model.inputs) in (1, 2) and len(model.outputs) == 1:
            return model
    raise UserError(
        f"{path} is a model of {len(model.inputs)} inputs and {len(model.outputs)} "
        "outputs: wanted is one each, or a class as second input"
    )


def load_generator(path):
    """Load a generator.

    Returns:
        model, latent_dim, and the range of its images: (0, 1) or (-1, 1).

    Raises:
        UserError: as `load_model`, or the model is not a generator.
    """
    model = load_model(path)
    taken, made = model.inputs[0].shape, model.output_shape
    if is_discriminator(model):
        raise UserError(f"{path} is a discriminator: wanted is a generator_model file")
    if len(taken) != 2 or taken[1] is None or len(made) != 4 or made[3] not in (1, 3):
        raise UserError(
            f"{path} is not a generator of images: it makes {made} of {taken}"
        )
    try_out(model, generate_latent_points(taken[1], 16, np.random.default_rng(0)), path)
    return model, taken[1], image_range(model)


def load_discriminator(path):
    """Load a discriminator.

    Raises:
        UserError: as `load_model`, or the model is not a discriminator.
    """
    model = load_model(path)
    if not is_discriminator(model):
        raise UserError(f"{path} is not a discriminator: wanted is one")
    height, width, channels = (n or 32 for n in model.inputs[0].shape[1:])
    try_out(model, np.zeros((1, height, width, channels), "float32"), path)
    return model


def try_out(model, inputs, path):
    """Raise a UserError unless this model can be called: some fail with any number."""
    with as_user_error(f"{path} cannot be used", "make it anew"):
        model(inputs_of(model, inputs), training=False)


def is_discriminator(model):
    return len(model.inputs[0].shape) == 4 and model.output_shape[1:] == (1,)


def class_names(path, n_classes):
    """Names of the classes of a saved model: those in the file, or else 0, 1, ...

    Args:
        path: of an `.h5` or `.keras` file.
        n_classes: number of classes that its model takes.
    """
    try:
        names = tuple(map(str, read_attribute(path, "classes", "[]")))
    except (TypeError, ValueError, RecursionError):
        raise UserError(
            f"{path}: its classes' names are damaged: copy it again"
        ) from None
    return names if len(names) == n_classes else tuple(map(str, range(n_classes)))


def origin_of(path):
    """What `record.trained_on` told when this model was saved; None if it is not known.

    Raises:
        UserError: it is there, and damaged.
    """
    try:
        origin = read_attribute(path, "trained_on", "null")
        if origin is not None:
            check_record(origin)
            origin["data"]["name"]
        return origin
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise UserError(
            f"{path}: the name of its images is damaged: copy it again"
        ) from None


def read_attribute(path, name, default):
    """Return the value of JSON that `save_models` wrote into an `.h5` file.

    Args:
        path: of an `.h5` or `.keras` file.
        name: of the attribute.
        default: JSON text that stands for it where the file has none.
    """
    import h5py

    if not h5py.is_hdf5(path):
        return json.loads(default)
    with h5py.File(path) as file:
        return json.loads(file.attrs.get(name, default))


def is_no_advice(record):
    """Whether Keras logs other than to prefer .keras: these files are .h5 on purpose."""
    return "HDF5" not in record.getMessage()


def check_sizes(model):
    """Raise a ValueError where a layer makes more of one image than memory holds."""
    for layer in all_layers(model):
        numbers = math.prod(n or 1 for n in layer.output.shape)
        if numbers > model_files.MOST_NUMBERS:
            raise ValueError(f"its layer {layer.name!r} makes {numbers} numbers")
