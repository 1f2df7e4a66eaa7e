"""Restart a training that has failed: `--on-collapse restart`."""

import keras
import numpy as np

from common.fitting.collapse import TrainingError, write_events
from common.fitting.resume import truncate_tables
from common.runs.layout import EVENTS, STATE_BEFORE
from common.runs.state import (
    Health,
    last_passed_state,
    random_states,
    save_state,
    set_state,
)

EARLY = 5  # epochs


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
            epoch = restart(gan, run, failure, seed, pretrain_d)
            if failure.action == "stop":
                gan.stop_training = True
                return epoch


def restart(gan, run, failure, seed, pretrain_d):
    """Set a GAN and its run folder to a state from which training can start again.

    That is the state after the last epoch that passed the checks, with new random seeds.
    If there is none, G and D get new initial weights; so also if that state, of one of
    the first EARLY epochs, has failed again: its D may be too strong. The new state is
    saved, so that a resumed run equals an uninterrupted one.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        failure: collapse.TrainingError, which is written to `events.csv`.
        seed: int, seed of the run; restart k uses seed + k.
        pretrain_d: function without arguments, called with new initial weights.

    Returns:
        the number of finished epochs in that state.
    """
    restarts, state = gan.health.restarts + 1, last_passed_state(run)
    if state:
        set_state(gan, state)
        reseed(gan, seed + restarts)
    else:
        initialize(gan, seed + restarts)
        pretrain_d()
    gan.health = Health(restarts=restarts)
    epoch = state.epoch if state else 0
    truncate_tables(epoch, run)
    write_events(run / EVENTS, failure.epoch, failure.found, failure.action)
    save_state(gan, epoch, run)
    if epoch <= EARLY:  # not to be used again
        (run / STATE_BEFORE).unlink(missing_ok=True)
    where = f"the state after epoch {epoch}" if epoch else "new initial weights"
    what = "restart" if failure.action == "restart" else "stopped; --resume starts"
    print(f"{what} from {where}, seed {seed + restarts}", flush=True)
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
