"""Diagnostics of training besides the losses; they change no state of it."""

import keras
import numpy as np

from common import devices
from common.layers.ema import inner
from common.sampling import (
    generate_latent_points,
    generate_real_samples,
    inputs_of,
    labels_in_turn,
    with_labels,
)


def optimizers_of(gan):
    """Return {"d": optimizer, "g": optimizer}, without the loss scaling of float16."""
    return {"d": inner(gan.d_model.optimizer), "g": inner(gan.gan_model.optimizer)}


def mean_norm_of_gradients(optimizer):
    """Return a keras.metrics.Mean of the L2 norms of all gradients applied from now on.

    The loss scaling of float16 is already removed from them, and the steps that it skips
    are not counted.

    Args:
        optimizer: Keras optimizer whose steps are not compiled yet, see `optimizers_of`.
    """
    import tensorflow as tf

    mean, apply = keras.metrics.Mean(), optimizer.apply

    def measured(grads, trainable_variables=None):
        known = [tf.convert_to_tensor(grad) for grad in grads if grad is not None]
        mean.update_state(tf.linalg.global_norm(known))
        apply(grads, trainable_variables)

    optimizer.apply = measured
    return mean


def load_of(process):
    """Return memory (MiB) and CPU (percent, since the last call) of a psutil.Process.

    The dict also has those of the first GPU, where nvidia-smi reports them.
    """
    load = {
        "machine/memory_mib": process.memory_info().rss / 2**20,
        "machine/cpu_percent": process.cpu_percent(),
    }
    for line in devices.nvidia_smi("memory.used,utilization.gpu")[:1]:
        names = "machine/gpu_memory_mib", "machine/gpu_percent"
        for name, text in zip(names, line.split(","), strict=True):  # "81 MiB, 3 %"
            if (number := text.split()[0]).isdecimal():  # not "[N/A]"
                load[name] = int(number)
    return load


def outputs_of(model, x):
    """Return a model's outputs, float32 (n, ...); `predict` takes longer to start."""

    def part(start):
        inputs = keras.tree.map_structure(lambda a: a[start : start + 100], x)
        return keras.ops.convert_to_numpy(model(inputs, training=False))

    n = len(keras.tree.flatten(x)[0])
    return np.concatenate([part(i) for i in range(0, n, 100)]).astype("float32")


def outputs_of_d(gan, dataset, n, seed):
    """Return D's outputs for n real and n generated images, the same in every call.

    Args:
        gan: gan.GAN.
        dataset: real images, see `training.train`.
        n: number of images of each kind.
        seed: int, selects the images and the latent vectors.

    Returns:
        dict: "real" and "fake" -> float32 (n, 1).
    """
    rng = np.random.default_rng(seed)
    real, _ = generate_real_samples(dataset, n, rng)
    z = generate_latent_points(gan.g_model.inputs[0].shape[-1], n, rng)
    labels = labels_in_turn(gan.g_model, n)
    fake = outputs_of(gan.g_model, inputs_of(gan.g_model, z, labels))
    if labels is not None:
        fake = with_labels(fake, labels)
    both = {"real": real, "fake": fake}
    return {kind: outputs_of(gan.d_model, x) for kind, x in both.items()}
