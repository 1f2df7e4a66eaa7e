"""The training of one GAN by several replicas, on the devices that `strategy.py` found.

Each replica holds both models and takes its share of every batch through the step of
`gan.py`; TensorFlow's strategies add up the gradients. Keras's `fit` does not run where
several machines share a training (keras#20585), so `fit` here calls the step itself.
"""

from functools import partial

import keras
import numpy as np

from common.runs.state import random_states


def devices_of(gan):
    """How many devices train a GAN."""
    strategy = getattr(gan, "distribute_strategy", None)  # not with PyTorch
    return strategy.num_replicas_in_sync if strategy else 1


def fit_of(gan):
    """Keras's `fit` of a GAN, or, where it was made for several devices, `fit` here."""
    if devices_of(gan) == 1:
        return gan.fit
    for layer in gan._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):  # `predict` shall be the work of one device
            layer._distribute_strategy = None
    return partial(fit, gan)


def fit(gan, batches, *, epochs, initial_epoch, steps_per_epoch, callbacks, verbose,
        shuffle=False):  # fmt: skip
    """What `gan.fit` does, with each replica's share of each batch.

    Losses and gradients are means over the whole batch. BatchNormalization sees one share
    of it; its statistics are averaged after each epoch, so that all replicas are equal.

    Args:
        gan: gan.GAN, made in the scope of a strategy.
        batches: `batches.RealBatches`, the same on every machine.
        epochs, initial_epoch, steps_per_epoch, callbacks, verbose, shuffle: as Keras's.

    Raises:
        tf.errors.UnavailableError: another machine is gone; `cli.command` tells it.
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
    """Give each replica as many images of every update of D, tuple of arrays (n, ...)."""

    def share(context):
        number, n = context.replica_id_in_sync_group, context.num_replicas_in_sync
        parts = [np.reshape(x, (gan.critic_steps, n, -1, *x.shape[1:])) for x in batch]
        return tuple(
            keras.ops.convert_to_tensor(part[:, number].reshape(-1, *part.shape[3:]))
            for part in parts
        )

    return gan.distribute_strategy.experimental_distribute_values_from_function(share)


def compiled(gan):
    """Two functions: the step of all replicas, shares -> logs; and what makes them equal.

    They are compiled, and so are the sums over the replicas.
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
                value = keras.ops.copy(v)  # on this replica's device
                v.assign(context.all_reduce(mean, value))

    @tf.function
    def step_of_all(parts):
        logs = strategy.run(step, args=(parts,))
        return {k: strategy.experimental_local_results(v)[0] for k, v in logs.items()}

    return step_of_all, tf.function(partial(strategy.run, make_equal))


def shift_random_states(gan, change):
    """Have each replica draw other random numbers than the rest, or as they do again.

    The random generators' states are the same on all: without this, so would be the
    latent points. They are moved apart and back again, so what is saved knows no replica.

    Args:
        gan: gan.GAN.
        change: `ops.add` before a step, `ops.subtract` after it.
    """
    import tensorflow as tf

    apart = [tf.distribute.get_replica_context().replica_id_in_sync_group, 0]
    for state in random_states(gan):
        state.assign(change(state, keras.ops.cast(apart, state.dtype)))
