"""Restart a training that has failed: `--on-collapse restart`."""

import keras
import numpy as np

from common.fitting.collapse import TrainingError, write_events
from common.fitting.resume import truncate_tables
from common.runs.layout import (
    DISCRIMINATOR,
    EVENTS,
    GENERATOR,
    PLOT,
    epoch_of,
    files_of_epochs,
)
from common.runs.state import (
    Health,
    last_passed_state,
    load_state,
    random_states,
    save_state,
    set_state,
)

EARLY = 5  # epochs, after which a state is not given up if it fails again


def fit_with_restarts(fit, epoch, gan, run, seed, pretrain_d):
    """Call `fit`, and again from another state after each failure.

    Args:
        fit: function of the number of finished epochs.
        epoch: number of finished epochs.
        gan, run, seed, pretrain_d: see `restart`.

    Returns:
        the number of finished epochs from which the last call of `fit` started; if the
        failure stopped the training, that of the saved state.
    """
    while True:
        try:
            fit(epoch)
            return epoch
        except TrainingError as failure:
            gan.stop_training = failure.action == "stop"
            if gan.stop_training:
                epoch = load_state(gan, run)
                truncate_tables(gan, epoch, run)
                write_events(run / EVENTS, failure.epoch, failure.found, failure.action)
                print(f"stopped: --resume continues after epoch {epoch}", flush=True)
                return epoch
            epoch = restart(gan, run, failure, seed, pretrain_d)


def restart(gan, run, failure, seed, pretrain_d):
    """Set a GAN and its run folder to a state from which training can start again.

    That is the state after the last epoch that passed the checks, with new random seeds.
    If there is none, G and D get new initial weights. The same happens if that state is
    of one of the first EARLY epochs and failed before: its D may be too strong. The new
    state is saved, so that a resumed run equals an uninterrupted one.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        failure: collapse.TrainingError, which is written to `events.csv`.
        seed: int, seed of the run; restart k uses seed + k.
        pretrain_d: function without arguments, called with new initial weights.

    Returns:
        the number of finished epochs in that state.
    """
    restarts, (path, state) = gan.health.restarts + 1, last_passed_state(run)
    if state and (state.epoch > EARLY or state.health.restarts == restarts - 1):
        epoch, where = state.epoch, f"the state after epoch {state.epoch}"
        set_state(gan, state, path)
        reseed(gan, seed + restarts)
    else:
        epoch, where = 0, "new initial weights"
        initialize(gan, seed + restarts)
        pretrain_d()
    gan.health = Health(restarts=restarts)
    write_events(run / EVENTS, failure.epoch, failure.found, failure.action)
    save_state(gan, epoch, run)  # if it is killed before, a resumed run fails again
    truncate_tables(gan, epoch, run)
    for pattern in (PLOT, GENERATOR, DISCRIMINATOR):  # of the failed epochs
        for file in files_of_epochs(run, pattern):
            if epoch_of(file) > epoch:
                file.unlink()
    print(f"restart from {where}, seed {seed + restarts}", flush=True)
    return epoch


def reseed(gan, seed):
    """Seed each random generator of a GAN with a number derived from `seed`."""
    rng = np.random.default_rng(seed)
    for state in random_states(gan):
        state.assign(np.array([rng.integers(2**31), 0], state.dtype))


def initialize(gan, seed):
    """Give a GAN new initial weights, optimizers and random generators of a seed.

    Learning rates and the loss scale of float16 stay.
    """
    keras.utils.set_random_seed(seed)
    for model in (gan.g_model, gan.d_model):
        # The initializers of a clone have new seeds.
        model.set_weights(keras.models.clone_model(model).get_weights())
    weights = {id(v) for v in (*gan.g_model.variables, *gan.d_model.variables)}
    rest = [v for v in gan.variables if id(v) not in weights]
    for model in (gan.d_model, gan.gan_model):
        rest += model.optimizer.variables
    for variable in rest:
        if not variable.path.endswith(("learning_rate", "dynamic_scale")):
            variable.assign(np.zeros(variable.shape, variable.dtype))
    reseed(gan, seed)
