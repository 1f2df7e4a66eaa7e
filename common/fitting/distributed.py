"""Train one GAN on several devices, with data parallelism (`strategy.py` finds them).

Each device has a copy of both models and runs the step of `gan.py` on its share of every
batch; TensorFlow's strategies add up the gradients. Keras's `fit` does not support
training on several machines (keras#20585), so `fit` here calls the step itself.
"""

from functools import partial

import keras
import numpy as np

from common.runs.state import random_states


def n_devices(gan):
    """Return the number of devices that train a GAN."""
    strategy = getattr(gan, "distribute_strategy", None)  # not with PyTorch
    return strategy.num_replicas_in_sync if strategy else 1


def fit_of(gan):
    """Return `gan.fit`, or this module's `fit` for a GAN built for several devices."""
    if n_devices(gan) == 1:
        return gan.fit
    for layer in gan._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):  # `predict` must use one device
            layer._distribute_strategy = None
    return partial(fit, gan)


def fit(gan, batches, *, epochs, initial_epoch, steps_per_epoch, callbacks, verbose,
        shuffle=False):  # fmt: skip
    """Train as `gan.fit` does, with a share of each batch on each device.

    Losses and gradients are means over the whole batch. BatchNormalization normalizes
    within one share; its moving averages are averaged over the devices after each epoch.

    Args:
        gan: gan.GAN, made in the scope of a strategy.
        batches: `batches.RealBatches`, the same on every machine.
        epochs, initial_epoch, steps_per_epoch, callbacks, verbose, shuffle: see Keras.

    Raises:
        tf.errors.UnavailableError: another machine stopped; `cli.command` reports it.
    """
    step, average_variables = compile_functions(gan)
    callback_list = keras.callbacks.CallbackList(
        callbacks, model=gan, epochs=epochs, steps=steps_per_epoch, verbose=verbose
    )
    gan.stop_training = False
    callback_list.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        callback_list.on_epoch_begin(epoch)
        gan.reset_metrics()
        for i in range(steps_per_epoch):
            batch = batches[(epoch - initial_epoch) * steps_per_epoch + i]
            logs = step(shares(batch, gan))
            callback_list.on_train_batch_end(i, logs)
        average_variables()
        logs = {name: float(value) for name, value in logs.items()}
        callback_list.on_epoch_end(epoch, logs)
        if gan.stop_training:
            break
    callback_list.on_train_end()


def shares(batch, gan):
    """Split a batch evenly among the devices.

    Each share has equally many images of every update of D.

    Args:
        batch: tuple of arrays (n, ...), the same n in all.
        gan: gan.GAN.

    Returns:
        TensorFlow's per-replica value of such a tuple.
    """

    def share(context):
        index, n = context.replica_id_in_sync_group, context.num_replicas_in_sync
        parts = [np.reshape(x, (gan.critic_steps, n, -1, *x.shape[1:])) for x in batch]
        return tuple(
            keras.ops.convert_to_tensor(part[:, index].reshape(-1, *part.shape[3:]))
            for part in parts
        )

    return gan.distribute_strategy.experimental_distribute_values_from_function(share)


def compile_functions(gan):
    """Return two functions, compiled by TensorFlow.

    Returns:
        the step of all devices, shares -> logs; and a function without arguments that
        averages the float variables that are not trained over the devices.
    """
    import tensorflow as tf

    strategy, mean = gan.distribute_strategy, tf.distribute.ReduceOp.MEAN

    def step(share):
        shift_random_states(gan, keras.ops.add)
        logs = gan.train_step(share)
        shift_random_states(gan, keras.ops.subtract)
        return tf.distribute.get_replica_context().all_reduce(mean, logs)

    def average_variables():
        context = tf.distribute.get_replica_context()
        for variable in gan.non_trainable_variables:
            if "float" in variable.dtype:
                value = keras.ops.copy(variable)  # on this device
                variable.assign(context.all_reduce(mean, value))

    @tf.function
    def step_of_all(parts):
        logs = strategy.run(step, args=(parts,))
        return {k: strategy.experimental_local_results(v)[0] for k, v in logs.items()}

    return step_of_all, tf.function(partial(strategy.run, average_variables))


def shift_random_states(gan, change):
    """Add the device's index to the random states, or subtract it.

    The states are equal on all devices: without the shift, all devices would sample equal
    latent vectors. After the step, the shift is undone, so that the saved state does not
    depend on the device.

    Args:
        gan: gan.GAN.
        change: `ops.add` before a step, `ops.subtract` after it.
    """
    import tensorflow as tf

    shift = [tf.distribute.get_replica_context().replica_id_in_sync_group, 0]
    for state in random_states(gan):
        state.assign(change(state, keras.ops.cast(shift, state.dtype)))
