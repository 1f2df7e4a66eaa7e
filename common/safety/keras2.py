"""Convert the config of a model that Keras 2 saved to a config that Keras 3 reads.

Keras 3 rejects some settings of Keras 2, and counts the calls of a nested model from 0
instead of 1. Nothing is deserialized here: `model_files` validates the result.
"""

import re

FIX = (
    "it was saved by Keras {}: load it there and save it as .keras, or rebuild the model "
    "and load its weights"
)
LOCATION = ("module", "registered_name", "build_config", "shared_object_id")
REMOVED = {  # class -> settings that Keras 3 does not know
    "SeparableConv2D": ("kernel_initializer", "kernel_regularizer", "kernel_constraint"),
    "SpatialDropout2D": ("trainable", "noise_shape"),
    "RandomFlip": ("rng_type",),
}


def version_of(text):
    """Return the version of Keras 2, such as 2.15.0 or 2.2.4-tf, or None if it is none.

    Args:
        text: `keras_version` of a file, untrusted: str, bytes, or any other value.
    """
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
    return text if re.fullmatch(r"2(\.[\w-]{1,9}){1,3}", text) else None


def convert(config):
    """Return a JSON object of a Keras 2 file as `from_config` of Keras 3 reads it.

    Args:
        config: decoded, untrusted; the objects in it are converted already, see
            `object_hook` of `json.loads`. It may change.

    Raises:
        ValueError: Keras 3 would compute something else.
        Exception: of many kinds, if it is damaged.
    """
    name, settings = config.get("class_name"), config.get("config")
    if name == "Policy":  # of mixed precision
        return settings["name"]
    if not isinstance(name, str):
        return config
    if isinstance(settings, list):  # a Sequential before Keras 2.2.3
        settings = {"name": "sequential", "layers": settings}
    if settings.get("activation") == "hard_sigmoid":
        raise ValueError("its hard_sigmoid is another function in Keras 3")
    if "layers" in settings:
        convert_layers(settings)
    removed = {*REMOVED.get(name, ())}
    removed |= {"groups"} if settings.get("groups") == 1 else set()  # the default
    removed |= set() if "name" in settings else {"dtype"}  # of an initializer
    config["config"] = {key: x for key, x in settings.items() if key not in removed}
    return {key: x for key, x in config.items() if key not in LOCATION}


def convert_layers(model):
    """Add an InputLayer if there is none, and count calls of nested models from 0.

    Args:
        model: the settings of a model, a dict that changes.
    """
    layers = model["layers"]
    shape = layers[0]["config"].get("batch_input_shape")
    if layers[0]["class_name"] != "InputLayer" and shape:
        layers.insert(0, {"class_name": "InputLayer", "config": {"batch_shape": shape}})
    for layer in layers:
        if layer["class_name"] != "InputLayer":
            layer["config"].pop("batch_input_shape", None)
    if len(inputs := model.get("input_layers", ())) == 1:
        model["input_layers"] = inputs[0]  # a list of one causes a warning at each call
    kinds = {layer.get("name"): layer["class_name"] for layer in layers}
    calls = [*tensors([layer.get("inbound_nodes") for layer in layers])]
    for tensor in calls:
        tensor[1] -= kinds.get(tensor[0]) in ("Functional", "Model", "Sequential")
    outputs = [*tensors(model.get("output_layers"))]
    for tensor in outputs:  # Keras itself does it for others
        tensor[1] -= kinds.get(tensor[0]) == "Sequential"
    if any(call < 0 for _, call, *_ in calls + outputs):
        raise ValueError("it counts the calls of a nested model from 0")


def tensors(nodes):
    """Yield the lists [layer, number of its call, output, ...] in nested lists."""
    if isinstance(nodes, list) and nodes and isinstance(nodes[0], str):
        yield nodes
    elif isinstance(nodes, list):
        for part in nodes:
            yield from tensors(part)
