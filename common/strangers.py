"""Model files from strangers: read, and refused, before Keras makes anything of them.

A model file describes its layers, and a description can name any function of any module
(`Lambda` layers, other libraries' wrappers, vocabularies read from any path), numbers
that lie in other files, and sizes that no memory holds. Here it may name Keras's layers
for images and this project's own, and nothing else; no switch trusts a file more.
"""

import json
import math
import mmap
import zipfile
from contextlib import contextmanager

import numpy as np

from common.errors import UserError
from common.readers import check_file

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
    "GaussianNoise", "ActivityRegularization", "Add", "Subtract", "Multiply",
    "Average", "Maximum", "Minimum", "Concatenate", "Dot",
}  # fmt: skip
VALUES = {"DTypePolicy", "__keras_tensor__", "__tuple__"}
MODULES = {  # of Keras, in descriptions
    "keras", "keras.layers", "keras.models", "keras.initializers",
    "keras.regularizers", "keras.constraints", "keras.src.models.functional",
    "keras.src.models.sequential",
}  # fmt: skip
REFUSED = ("lora_rank", "quantization_config")  # settings by which layers grow weights
OWN = {"Augment": "common.augment", "ClassLoss": "common.objectives.heads",
       "CopyError": "common.objectives.heads"}  # fmt: skip
HDF5 = b"\x89HDF\r\n\x1a\n"  # how such files start
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}  # of a .keras file
MOST_TEXT = 2**24  # bytes of a description; 100 layers have some 10**5
MOST_NUMBERS = 2**24  # that one layer makes of one image: 64 MiB in float32
MOST_OBJECTS = 10_000  # groups and datasets
MOST_BYTES = 2**30  # of all numbers
MOST_ATTRIBUTE = 2**28  # bytes
DTYPES = {"float16", "bfloat16", "float32", "float64", "int32", "int64", "uint8", "bool",
          "mixed_float16", "mixed_bfloat16"}  # fmt: skip


def check(path):
    """Raise a UserError unless a model file holds allowed layers and their numbers.

    Args:
        path: Path of an `.h5` file, or of a `.keras` file, which is a zip.
    """
    check_file(path, 2 * MOST_BYTES)
    try:
        text = read_zip(path) if path.suffix == ".keras" else read_hdf5(path)
        if text is None:
            raise UserError(
                f"{path} has no description of a model: it may hold weights alone"
            )
        if not isinstance(text, str | bytes) or len(text) > MOST_TEXT:
            raise ValueError("its description is no text, or too long")
        described = json.loads(text)
        if isinstance(described, dict):
            described.pop("compile_config", None)  # nobody loads it
        check_layers(described, path)
    except RecursionError:
        raise UserError(f"{path}: its layers are nested without end") from None
    except UserError:
        raise
    except Exception as error:  # h5py and zipfile raise a dozen kinds
        raise UserError(
            f"{path} is damaged or not a Keras model: {error}; copy it again"
        ) from None


def read_hdf5(path):
    """The description in an `.h5` file, whose numbers are checked, too."""
    import h5py

    with path.open("rb") as file:
        if file.read(len(HDF5)) != HDF5 or zipfile.is_zipfile(path):
            raise ValueError("it is no HDF5 file alone; a zip is called .keras")
    with h5py.File(path) as file:
        check_numbers(file, path)
        return file.attrs.get("model_config")


def read_zip(path):
    """The description in a `.keras` file, whose numbers are checked, too."""
    import h5py

    if not zipfile.is_zipfile(path):
        raise ValueError("it is no zip; an HDF5 file is called .h5")
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename not in MEMBERS:
                raise UserError(
                    f"{path} holds {member.filename!r}: a .keras file of plain layers "
                    f"holds {', '.join(sorted(MEMBERS))} and nothing else"
                )
            if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
                raise UserError(
                    f"{path}: its {member.filename} is packed or encrypted, as Keras "
                    "never writes it"
                )
        if len(archive.namelist()) != len(set(archive.namelist())):
            raise UserError(f"{path} holds a file twice")
        if archive.getinfo("config.json").file_size > MOST_TEXT:
            raise UserError(f"{path}: its config.json is larger than {MOST_TEXT} bytes")
        with archive.open("model.weights.h5") as numbers, h5py.File(numbers) as file:
            check_numbers(file, path)
        return archive.read("config.json")


def check_numbers(file, path):
    """Raise a UserError unless all numbers of an open HDF5 file lie in it, unpacked."""
    import h5py

    seen, room, longest = set(), MOST_BYTES, longest_text(path)

    def walk(group):
        nonlocal room
        check_attributes(group, path, longest)
        names = [n for key in ("weight_names", "layer_names")
                 for n in np.ravel(group.attrs.get(key, ())).tolist()]  # fmt: skip
        if len(names) != len(set(names)):
            raise UserError(f"{path}: {group.name} names the same numbers twice")
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise UserError(f"{path}: {group.name}/{name} is a link to elsewhere")
            item = group[name]
            place = h5py.h5o.get_info(item.id).addr
            if place in seen or len(seen) > MOST_OBJECTS:
                raise UserError(f"{path}: {item.name} is there twice, or one too many")
            seen.add(place)
            if isinstance(item, h5py.Group):
                walk(item)
            elif not isinstance(item, h5py.Dataset):
                raise UserError(f"{path}: {item.name} is a type, not numbers")
            elif item.external or item.is_virtual:
                raise UserError(f"{path}: the numbers of {item.name} are in other files")
            elif item.dtype.kind not in "biuf":
                raise UserError(f"{path}: {item.name} holds {item.dtype}, not numbers")
            elif item.size and item.id.get_storage_size() < item.nbytes:
                raise UserError(
                    f"{path}: {item.name} declares {item.nbytes} bytes and holds "
                    f"{item.id.get_storage_size()}"
                )
            else:
                check_attributes(item, path, longest)
                room -= item.nbytes
            if room < 0:
                raise UserError(f"{path} holds more than {MOST_BYTES} bytes of numbers")

    walk(file)


def check_attributes(item, path, longest=None):
    """Raise a UserError where reading an attribute could take much more than its file.

    For an array of texts may hold one long text a million times.

    Args:
        item: group or dataset of an open HDF5 file.
        path: of this file.
        longest: see `longest_text`; None: arrays of texts are refused.
    """
    import h5py

    for name in item.attrs:
        held = item.attrs.get_id(name)
        n_bytes = math.prod(held.shape or ()) * held.dtype.itemsize
        if held.dtype.hasobject:
            is_text = h5py.check_string_dtype(held.dtype) is not None
            n_texts = math.prod(held.shape or ())
            known = longest if held.shape else longest or 0
            n_bytes = n_texts * known if is_text and known is not None else math.inf
        if n_bytes > MOST_ATTRIBUTE:
            raise UserError(f"{path}: its {name[:50]!r} is too long, or no text")


def longest_text(path):
    """Bytes that no text in an HDF5 file exceeds: the size of its largest global heap.

    Each starts with GCOL, a version and three zeros, and 8 bytes that tell its size:
    "HDF5 File Format Specification" 3.0, III.E.
    """
    sizes = [0]
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        at = content.find(b"GCOL")
        while at >= 0:
            sizes.append(int.from_bytes(content[at + 8 : at + 16], "little"))
            at = content.find(b"GCOL", at + 4)
    return max(sizes)


def check_layers(described, path):
    """Raise a UserError unless a description, as of JSON, names allowed classes alone."""
    if isinstance(described, list):
        for part in described:
            check_layers(part, path)
    if not isinstance(described, dict):
        return
    if "class_name" in described and not is_allowed(described):
        raise UserError(
            f"{path} holds {told(described)}, which is not on the list of what may be "
            "loaded: Keras's standard layers for images, and this project's; others "
            "could run code of their own"
        )
    if grown := [name for name in REFUSED if described.get(name)]:
        raise UserError(f"{path} holds a layer with {grown[0]}: save it without")
    for key, known in (("name", str.isprintable), ("dtype", DTYPES.__contains__)):
        value = described.get(key)
        if isinstance(value, str) and not known(value):
            raise UserError(f"{path} holds a layer whose {key} is {value[:50]!r}")
    for part in described.values():
        check_layers(part, path)


def is_allowed(described):
    """Whether a dict that names a class names one of those that are made here."""
    import keras

    name, module = described["class_name"], described.get("module")
    registered = described.get("registered_name")
    if not isinstance(name, str):
        return False
    own = OWN.get(name.removeprefix("gan>"))
    if own:
        return module in (None, own) and registered in (None, name, f"gan>{name}")
    homes = (keras.initializers, keras.regularizers, keras.constraints)
    standard = name in LAYERS | VALUES or any(
        isinstance(getattr(home, name, None), type) and name[0] != "_" for home in homes
    )
    return (
        standard
        and registered in (None, name)
        and (module is None or (isinstance(module, str) and module in MODULES))
    )


def told(described):
    """The class that a dict names, with its module, in at most 100 characters."""
    module, name = described.get("module"), described["class_name"]
    return f"{module}.{name}"[:100] if module else str(name)[:100]


@contextmanager
def no_memory():
    """Inside, models are made whose weights take no memory; they cannot be used."""
    from keras import StatelessScope
    from keras.src.backend.common import global_state

    waiting = "uninitialized_variables"
    before = list(global_state.get_global_attribute(waiting) or ())
    try:
        with StatelessScope(initialize_variables=False):
            yield
    finally:  # or Keras gives them memory after all, at its next use of such a scope
        global_state.set_global_attribute(waiting, before)


def check_sizes(model, path):
    """Raise a UserError where a layer makes more of one image than memory holds."""
    from common.checkpoints import all_layers

    for layer in all_layers(model):
        numbers = math.prod(n or 1 for n in layer.output.shape)
        if numbers > MOST_NUMBERS:
            raise UserError(f"{path}: its layer {layer.name!r} makes {numbers} numbers")
