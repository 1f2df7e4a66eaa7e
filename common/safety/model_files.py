"""Validate untrusted model files before Keras deserializes them.

A model file contains the config of its layers. A hostile config can name any function of
any module (`Lambda` layers, wrappers of other libraries), vocabularies in any file,
weights in other files, and sizes that exceed the memory. Only Keras's layers for images
and the layers of this project are allowed; no option disables this.
"""

import inspect
import json
import zipfile
from contextlib import contextmanager, nullcontext

from common.basics.errors import UserError, as_user_error
from common.safety import keras2
from common.safety.arrays import MAX_BYTES, check_file
from common.safety.hdf5 import check_weights

LAYERS = {
    "Model", "Functional", "Sequential", "InputLayer", "Identity", "Activation",
    "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Dense", "CategoryEncoding",
    "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
    "Conv3DTranspose", "DepthwiseConv2D", "SeparableConv2D", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding2D", "Cropping2D", "Resizing",
    "Reshape", "Flatten", "Permute", "RepeatVector", "MaxPooling2D",
    "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D",
    "BatchNormalization", "LayerNormalization", "GroupNormalization",
    "UnitNormalization", "RMSNormalization", "SpectralNormalization", "Rescaling",
    "Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "RandomFlip", "ActivityRegularization", "Add", "Subtract",
    "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
}  # fmt: skip
ALLOWED_VALUES = {"DTypePolicy", "__keras_tensor__", "__tuple__"}
KERAS_MODULES = {
    "keras", "keras.layers", "keras.models", "keras.initializers",
    "keras.regularizers", "keras.constraints", "keras.src.models.functional",
    "keras.src.models.sequential",
}  # fmt: skip
FORBIDDEN_SETTINGS = ("lora_rank", "quantization_config")  # they add weights
PROJECT_LAYERS = {  # class -> its modules in saved files, the current one first
    "Augment": ("common.layers.augment", "common.augment"),
    "ClassLoss": ("common.layers.losses", "common.objectives.heads"),
    "CopyError": ("common.layers.losses", "common.objectives.heads"),
}
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZIP_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
MAX_CONFIG_BYTES = 2**24  # the config of 100 layers has some 10**5
MAX_OUTPUT_NUMBERS = 2**24  # of one layer's output for one image: 64 MiB in float32
MAX_CALLS = 200  # of layers: Keras needs 10 s for 200, and 40 s for 400
DTYPES = {"float16", "bfloat16", "float32", "float64", "int32", "int64", "uint8", "bool",
          "mixed_float16", "mixed_bfloat16"}  # fmt: skip


def check(path):
    """Validate an untrusted model file: its layers, their number and their weights.

    Args:
        path: Path of an `.h5` file, or of a `.keras` file, which is a zip.

    Returns:
        version and config: if Keras 2 saved it, its version, and its config converted
        for Keras 3, which was validated instead of that in the file; else None, None.

    Raises:
        UserError: a layer or a setting is not allowed.
        Exception: of many kinds, of h5py and zipfile, if it is damaged.
    """
    check_file(path, 2 * MAX_BYTES)
    read_config = read_keras_config if path.suffix == ".keras" else read_h5_config
    text, version = read_config(path)
    if text is None:
        raise UserError(f"{path} has weights but no model: save it with model.save()")
    if not isinstance(text, str | bytes) or len(text) > MAX_CONFIG_BYTES:
        raise ValueError(f"its config is not a text of at most {MAX_CONFIG_BYTES} bytes")
    version = keras2.version_of(version)
    message = f"{path} cannot be converted"
    with as_user_error(message, keras2.FIX.format(version)) if version else nullcontext():
        config = json.loads(text, object_hook=keras2.convert if version else None)
    if isinstance(config, dict):
        config.pop("compile_config", None)  # is never loaded
    check_layers(config, path)
    if (n := count_calls(config)) > MAX_CALLS:
        raise UserError(
            f"{path} has {n} layer calls, more than {MAX_CALLS}: use fewer layers"
        )
    return version, config if version else None


def read_h5_config(path):
    """Validate the weights in an `.h5` file.

    Returns:
        its config as JSON, or None, and its `keras_version`, of any type.
    """
    import h5py

    if zipfile.is_zipfile(path):
        raise UserError(f"{path} is a zip: if it is a .keras file, rename it to .keras")
    with h5py.File(path) as file:
        check_weights(file, path)
        return file.attrs.get("model_config"), file.attrs.get("keras_version")


def read_keras_config(path):
    """Validate the weights in a `.keras` file.

    Returns:
        its config as JSON, and its `keras_version`, of any type.
    """
    import h5py

    if not zipfile.is_zipfile(path):
        raise ValueError("a .keras file must be a complete zip archive")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if set(names) - ZIP_MEMBERS or len(names) != len(set(names)):
            raise ValueError(f"it contains {names[:5]} instead of {sorted(ZIP_MEMBERS)}")
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                raise ValueError(f"its {member.filename} is compressed or encrypted")
        with archive.open("model.weights.h5") as numbers, h5py.File(numbers) as file:
            check_weights(file, path)
        with archive.open("metadata.json") as file:
            version = json.loads(file.read(2**16)).get("keras_version")
        with archive.open("config.json") as file:
            return file.read(MAX_CONFIG_BYTES + 1), version


def check_layers(config, path):
    """Raise a UserError unless all classes and settings of a config are allowed.

    Args:
        config: decoded JSON: dict, list, or any other value.
        path: Path of the model file, for messages.
    """
    if isinstance(config, list):
        for part in config:
            check_layers(part, path)
    if not isinstance(config, dict):
        return
    if "class_name" in config and not is_allowed_class(config):
        names = config.get("module"), config["class_name"]
        class_path = ".".join(str(name) for name in names if name)[:100]
        raise UserError(
            f"{path} contains {class_path}, which is not allowed because it could run "
            "code: use a model that has only Keras's standard layers for images and "
            "layers of this project"
        )
    for key, value in config.items():
        if not is_allowed_setting(key, value):
            raise UserError(
                f"{path} contains a layer whose {key[:50]} is {str(value)[:50]!r}, which "
                "is not allowed: save the model without this setting"
            )
        check_layers(value, path)


def is_allowed_setting(key, value):
    """Return whether Keras may deserialize a setting: some strings become functions."""
    import keras

    if key in FORBIDDEN_SETTINGS:
        return not value
    if not isinstance(value, str):
        return True
    if key == "name":
        return value.isprintable()
    if key == "dtype":
        return value in DTYPES
    return not inspect.isfunction(getattr(keras.layers, value, None))


def count_calls(config):
    """Return how often a model calls layers; nested models count at each of their calls.

    Args:
        config: see `check_layers`.
    """
    if isinstance(config, list):
        return sum(map(count_calls, config))
    if not isinstance(config, dict):
        return 0
    name = str(config.get("class_name")).removeprefix("gan>")
    is_layer = name in LAYERS or name in PROJECT_LAYERS
    once = is_layer + sum(map(count_calls, config.values()))
    nodes = config.get("inbound_nodes")
    return once * max(1, len(nodes) if isinstance(nodes, list) else 1)


def is_allowed_class(config):
    """Return whether the class in a config, a dict with `class_name`, is allowed."""
    import keras

    name, module = config["class_name"], config.get("module")
    registered = config.get("registered_name")
    if not isinstance(name, str):
        return False
    if modules := PROJECT_LAYERS.get(name.removeprefix("gan>")):
        return module in (None, *modules) and registered in (None, name, f"gan>{name}")
    homes = (keras.initializers, keras.regularizers, keras.constraints)
    standard = name in LAYERS | ALLOWED_VALUES or any(
        isinstance(getattr(home, name, None), type) and name[0] != "_" for home in homes
    )
    return standard and registered in (None, name) and module in (None, *KERAS_MODULES)


@contextmanager
def unallocated_weights():
    """Build models inside this context without allocating weights, for validation."""
    from keras import StatelessScope
    from keras.src.backend.common import global_state

    waiting = "uninitialized_variables"
    before = list(global_state.get_global_attribute(waiting) or ())
    try:
        with StatelessScope(initialize_variables=False):
            yield
    finally:  # otherwise Keras allocates them in its next StatelessScope
        global_state.set_global_attribute(waiting, before)
