"""Measure gradient norms, machine load and D's outputs without changing training."""

import keras
import numpy as np

from common import devices
from common.layers.ema import without_loss_scaling
from common.sampling import generate_latent_points, generate_real_samples, inputs_of


def optimizers_of(gan):
    """Return {"d": D's optimizer, "g": G's optimizer}, without the loss scaling."""
    models = {"d": gan.d_model, "g": gan.gan_model}
    return {name: without_loss_scaling(m.optimizer) for name, m in models.items()}


def mean_norm_of_gradients(optimizer):
    """Return a keras.metrics.Mean of the L2 norms of all gradients applied from now on.

    The gradients are without the loss scaling of float16. Steps that it skips are not
    counted.

    Args:
        optimizer: Keras optimizer whose steps are not compiled yet, see `optimizers_of`.

    Returns:
        keras.metrics.Mean, updated in each step.
    """
    import tensorflow as tf

    mean, apply = keras.metrics.Mean(), optimizer.apply

    def measure_and_apply(grads, trainable_variables=None):
        tensors = [tf.convert_to_tensor(grad) for grad in grads if grad is not None]
        mean.update_state(tf.linalg.global_norm(tensors))
        apply(grads, trainable_variables)

    optimizer.apply = measure_and_apply
    return mean


def machine_load(process):
    """Return the memory and CPU use of a process, and those of the first GPU.

    Args:
        process: psutil.Process.

    Returns:
        dict, tag -> memory in MiB, or use in percent: of the CPU, since the last call.
        The GPU's are missing if nvidia-smi does not report them.
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
    """Return a model's outputs, float32 (n, ...), faster than `predict` for few inputs.

    Args:
        model: keras.Model.
        x: array (n, ...), or list of such arrays, one per input.
    """

    def outputs_from(start):
        batch = keras.tree.map_structure(lambda a: a[start : start + 100], x)
        return keras.ops.convert_to_numpy(model(batch, training=False))

    n = len(keras.tree.flatten(x)[0])
    return np.concatenate([outputs_from(i) for i in range(0, n, 100)]).astype("float32")


def outputs_of_d(gan, dataset, n, seed):
    """Return D's outputs for n real and n generated images, the same in every call.

    Args:
        gan: gan.GAN.
        dataset: real images, see `training.train`.
        n: number of real images and of generated images.
        seed: int, seed of the sampled images and latent vectors.

    Returns:
        dict: "real" and "fake" -> float32 (n, 1).
    """
    rng = np.random.default_rng(seed)
    real, _ = generate_real_samples(dataset, n, rng)
    z = generate_latent_points(gan.g_model.inputs[0].shape[-1], n, rng)
    fake = outputs_of(gan.g_model, inputs_of(gan.g_model, z))
    inputs = {"real": real, "fake": inputs_of(gan.d_model, fake)}
    return {kind: outputs_of(gan.d_model, x) for kind, x in inputs.items()}
