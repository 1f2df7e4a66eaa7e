"""Distributed fit: train one GAN on the devices that `strategy.py` found.

Each device holds both models and runs the step of `gan.py` on its share of every batch;
TensorFlow's strategies add up the gradients. Keras's `fit` does not support training on
several machines (keras#20585), so `fit` here calls the step itself.
"""

from functools import partial

import keras
import numpy as np

from common.runs.state import random_states


def devices_of(gan):
    """Return how many devices train a GAN."""
    strategy = getattr(gan, "distribute_strategy", None)  # not with PyTorch
    return strategy.num_replicas_in_sync if strategy else 1


def fit_of(gan):
    """Return Keras's `fit` of a GAN, or `fit` here if it is built for several devices."""
    if devices_of(gan) == 1:
        return gan.fit
    for layer in gan._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):  # `predict` on one device
            layer._distribute_strategy = None
    return partial(fit, gan)


def fit(gan, batches, *, epochs, initial_epoch, steps_per_epoch, callbacks, verbose,
        shuffle=False):  # fmt: skip
    """Train as `gan.fit` does, with a share of each batch on each device.

    Losses and gradients are means over the whole batch. BatchNormalization normalizes
    over one share; its statistics are averaged over the devices after each epoch.

    Args:
        gan: gan.GAN, made in the scope of a strategy.
        batches: `batches.RealBatches`, the same on every machine.
        epochs, initial_epoch, steps_per_epoch, callbacks, verbose, shuffle: see Keras.

    Raises:
        tf.errors.UnavailableError: another machine is gone; `cli.command` reports it.
    """
    step, make_equal = compiled(gan)
    calls = keras.callbacks.CallbackList(
        callbacks, model=gan, epochs=epochs, steps=steps_per_epoch, verbose=verbose
    )
    gan.stop_training = False
    calls.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        calls.on_epoch_begin(epoch)
        gan.reset_metrics()
        for i in range(steps_per_epoch):
            batch = batches[(epoch - initial_epoch) * steps_per_epoch + i]
            logs = step(shares(batch, gan))
            calls.on_train_batch_end(i, logs)
        make_equal()
        calls.on_epoch_end(epoch, {name: float(value) for name, value in logs.items()})
        if gan.stop_training:
            break
    calls.on_train_end()


def shares(batch, gan):
    """Split a batch, a tuple of arrays (n, ...), evenly among the devices.

    Each share has equally many images of every update of D.
    """

    def share(context):
        number, n = context.replica_id_in_sync_group, context.num_replicas_in_sync
        parts = [np.reshape(x, (gan.critic_steps, n, -1, *x.shape[1:])) for x in batch]
        return tuple(
            keras.ops.convert_to_tensor(part[:, number].reshape(-1, *part.shape[3:]))
            for part in parts
        )

    return gan.distribute_strategy.experimental_distribute_values_from_function(share)


def compiled(gan):
    """Return two compiled functions.

    Returns:
        the step of all devices, shares -> logs; and one that averages the float variables
        that are not trained, so that they are equal on all devices.
    """
    import tensorflow as tf

    strategy, mean = gan.distribute_strategy, tf.distribute.ReduceOp.MEAN

    def step(share):
        shift_random_states(gan, keras.ops.add)
        logs = gan.train_step(share)
        shift_random_states(gan, keras.ops.subtract)
        return tf.distribute.get_replica_context().all_reduce(mean, logs)

    def make_equal():
        context = tf.distribute.get_replica_context()
        for v in gan.non_trainable_variables:
            if "float" in v.dtype:
                value = keras.ops.copy(v)  # on this device
                v.assign(context.all_reduce(mean, value))

    @tf.function
    def step_of_all(parts):
        logs = strategy.run(step, args=(parts,))
        return {k: strategy.experimental_local_results(v)[0] for k, v in logs.items()}

    return step_of_all, tf.function(partial(strategy.run, make_equal))


def shift_random_states(gan, change):
    """Shift the random states by the device's number, or shift them back.

    The states are equal on all devices; unshifted, all would sample equal latent vectors.
    They are shifted back after the step, so the saved state does not depend on devices.

    Args:
        gan: gan.GAN.
        change: `ops.add` before a step, `ops.subtract` after it.
    """
    import tensorflow as tf

    apart = [tf.distribute.get_replica_context().replica_id_in_sync_group, 0]
    for state in random_states(gan):
        state.assign(change(state, keras.ops.cast(apart, state.dtype)))
