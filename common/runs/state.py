"""Save and load the training state: weights, optimizers and all random generators.

Two files are kept, each written atomically: the state after the last epoch, and the last
one before it that passed the checks of the collapse detector (if none did, the one
before). Training on the CPU is deterministic: a resumed run equals an uninterrupted one
bit for bit.
"""

import random
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.basics.files import atomic_write
from common.runs.layout import EVENTS, HISTORY, STATE, STATE_BEFORE
from common.runs.tables import lines_of
from common.safety.arrays import check_file, read_member

MAX_BYTES = 2**36  # of a file
GENERATORS = (*(f"numpy {i}" for i in range(4)), "python", "python gauss")


class Health(NamedTuple):
    """What the collapse detector has found so far; of a GAN and of its saved state.

    Attributes:
        passed: 1 if the last epoch ended late enough, and without a failure, else 0.
        failing_steps: training steps for which all checks of G's images have failed.
        restarts: how often a failure has restarted the training.
        events: number of lines of `events.csv`; -1 in a state that does not know it.
    """

    passed: int = 0
    failing_steps: int = 0
    restarts: int = 0
    events: int = -1


class State(NamedTuple):
    """The content of a state file.

    Attributes:
        epoch: number of finished epochs.
        health: Health.
        variables: list of arrays, the values of `state_variables`.
        generators: dict, see `global_generators`.
    """

    epoch: int
    health: Health
    variables: list
    generators: dict


def state_variables(gan):
    """Return all variables that a training step changes, those of optimizers included."""
    optimizers = (gan.d_model.optimizer, gan.gan_model.optimizer)
    return [*gan.variables, *(v for o in optimizers for v in o.variables)]


def random_states(gan):
    """Return the states of a GAN's random generators, of latent vectors and of layers."""
    return [v for v in gan.variables if v.path.endswith("seed_generator_state")]


def save_state(gan, epoch, run):
    """Write the state after an epoch; keep the one before if it passed the checks.

    Args:
        gan: gan.GAN; its attribute `health`, if it has one, is a Health.
        epoch: number of finished epochs.
        run: Path of the run folder.

    Raises:
        OSError: it cannot be written; the states saved before are unchanged.
    """
    arrays = {
        f"variable {i:03d} {v.path}": v.numpy()
        for i, v in enumerate(state_variables(gan))
    }
    events = len(lines_of(Path(run) / EVENTS)[0])
    health = getattr(gan, "health", Health())._replace(events=events)
    arrays |= {"epoch": epoch, "health": np.array(health)}
    path, before = Path(run) / STATE, Path(run) / STATE_BEFORE
    last, kept = health_of(path), health_of(before)
    keep = last and (last.passed or not (kept and kept.passed))
    with atomic_write(path, before if keep else None) as part, part.open("wb") as file:
        np.savez(file, **arrays, **global_generators())


def health_of(path):
    """Return the Health in a state file; None if there is no file, or it is damaged."""
    state = state_of(path)
    return state and state.health


def state_of(path):
    """Return the State in a file; None if there is no file, or it is damaged."""
    try:
        return read_state(path) if path.exists() else None
    except (OSError, MemoryError):  # perhaps it could be read later
        raise
    except Exception as error:  # NumPy and zipfile raise a dozen types
        print(f"{path} is damaged ({error}): it is not used", flush=True)
        return None


def global_generators():
    """Return the states of NumPy's and Python's global random generators, a dict."""
    _, *numpy_state = np.random.get_state()
    version, keys, gauss = random.getstate()
    return {
        **{f"numpy {i}": part for i, part in enumerate(numpy_state)},
        "python": np.array([version, *keys]),
        "python gauss": np.nan if gauss is None else gauss,
    }


def set_generators(states, numpy_generator=np.random, python_generator=random):
    """Set random generators to the states that `global_generators` returned.

    Args:
        states: dict, see `global_generators`.
        numpy_generator: `np.random` or a `np.random.RandomState`.
        python_generator: `random` or a `random.Random`.

    Raises:
        Exception: of many types, if the states are damaged.
    """
    keys, position, has_gauss, gauss = (states[f"numpy {i}"] for i in range(4))
    if keys.dtype != np.uint32 or not 0 <= position <= 624:  # NumPy accepts any
        raise ValueError("its states of random generators are damaged")
    state = ("MT19937", keys, int(position), int(has_gauss), float(gauss))
    numpy_generator.set_state(state)
    version, *keys = map(int, states["python"])
    gauss = float(states["python gauss"])
    python_generator.setstate((version, tuple(keys), None if np.isnan(gauss) else gauss))


def load_state(gan, run):
    """Set a GAN and the global random generators to the last state in a run folder.

    If the last state is damaged, print a message and use the one before.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.

    Returns:
        the number of finished epochs.

    Raises:
        UserError: there is no state, it is damaged, or it belongs to other models.
    """
    path, state, damaged = find_state(run)
    set_state(gan, state, path)
    for other, error in damaged.items():
        print(
            f"{other} is damaged ({error}): resuming from {path.name}, after epoch "
            f"{state.epoch}"
        )
    return state.epoch


def set_state(gan, state, path):
    """Set a GAN and the global random generators to the State in a file.

    Raises:
        UserError: it belongs to other models.
    """
    if [v.shape for v in state.variables] != [v.shape for v in state_variables(gan)]:
        raise UserError(
            f"{path} does not match the weights of these models: undo what was changed "
            "in them, or start a new run"
        )
    for variable, value in zip(state_variables(gan), state.variables, strict=True):
        variable.assign(value)
    set_generators(state.generators)
    gan.health = state.health


def last_passed_state(run):
    """Return path and State of the last epoch that passed the checks, or two None."""
    for path in (Path(run) / STATE, Path(run) / STATE_BEFORE):
        if (state := state_of(path)) and state.health.passed:
            return path, state
    return None, None


def has_begun(run):
    """Return whether a run folder has a state, or a history, which implies a state."""
    return any((Path(run) / name).exists() for name in (STATE, STATE_BEFORE, HISTORY))


def find_state(run):
    """Find the last undamaged state in a run folder.

    Returns:
        Path of the state file; its State; dict of the damaged files, Path -> error.

    Raises:
        UserError: there is no state, or all are damaged.
    """
    damaged = {}
    for path in (Path(run) / STATE, Path(run) / STATE_BEFORE):
        if path.exists():
            try:
                return path, read_state(path), damaged
            except Exception as error:  # NumPy and zipfile raise many types
                damaged[path] = error
    for path, error in damaged.items():
        raise UserError(f"{path} is damaged ({error}): start a new run")
    raise UserError(
        f"{run} has no {STATE} and no {STATE_BEFORE} to resume from: copy one back, or "
        "start a new run"
    )


def read_state(path):
    """Validate an untrusted state file and return its State.

    Raises:
        Exception: of many types, if it is damaged.
    """
    check_file(path, MAX_BYTES)
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a complete zip of arrays")
    with np.load(path, allow_pickle=False) as archive:
        for info in archive.zip.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{info.filename} is compressed")
        arrays = {name: read_member(archive, name) for name in archive.files}
    if not {x.dtype.kind for x in arrays.values()} <= set("biuf"):
        raise ValueError("it holds values that are not numbers")
    epoch = arrays["epoch"]
    if epoch.dtype.kind != "i" or epoch.shape != () or epoch < 0:
        raise ValueError("its epoch is not a whole number")
    health = Health(*arrays.get("health", Health()))  # older states have none
    if not all(isinstance(x, int | np.integer) and x >= -1 for x in health):
        raise ValueError("its health is not of whole numbers")
    variables = [x for name, x in arrays.items() if name.startswith("variable ")]
    generators = {name: arrays[name] for name in GENERATORS}
    set_generators(generators, np.random.RandomState(), random.Random())  # validates
    return State(int(epoch), Health(*map(int, health)), variables, generators)
