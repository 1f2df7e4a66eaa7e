"""The state from which a run goes on: weights, optimizers and every random generator.

Three files, each written as a whole or not at all: after the last whole epoch, after the
one before, should the last be damaged, and, with --save-every-steps, within an epoch.
"""

import random
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.basics.files import whole
from common.safety.arrays import check_file, member

STATE, BEFORE, WITHIN = "state.npz", "state_before.npz", "state_within.npz"
FILES = (STATE, BEFORE, WITHIN)
MOST_BYTES = 2**36  # of a file


class State(NamedTuple):
    """What a file holds.

    Attributes:
        epoch: number of finished epochs.
        step: number of finished steps of the next one.
        variables: arrays of `state_variables`.
        metrics: arrays of the epoch's running means; none where step is 0.
        row: dict, see `callbacks.History`; empty where step is 0.
        generators: dict, see `global_generators`.
    """

    epoch: int
    step: int
    variables: list
    metrics: list
    row: dict
    generators: dict


GENERATORS = (*(f"numpy {i}" for i in range(4)), "python", "python gauss")
BEGINNING = State(0, 0, [], [], {}, {})  # of which nothing needs to be set


def state_variables(gan):
    """Everything that a step changes: weights, random generators, both optimizers."""
    optimizers = (gan.d_model.optimizer, gan.gan_model.optimizer)
    return [*gan.variables, *(v for o in optimizers for v in o.variables)]


def random_states(gan):
    """The variables of its random generators: those of latent points and of layers."""
    return [v for v in gan.variables if v.path.endswith("seed_generator_state")]


def save_state(gan, epoch, run, step=0, row=None):
    """Write the state after so many epochs, or within the next one, after so many steps.

    Args:
        gan: gan.GAN.
        epoch, step, row: see `State`.
        run: Path of the run folder.

    Raises:
        OSError: it cannot be written; the states before it are untouched.
    """
    arrays = numbered("variable", state_variables(gan))
    if step:
        arrays |= numbered("metric", gan.metrics_variables)
    arrays |= {f"row {name}": value for name, value in (row or {}).items()}
    state, before, within = (Path(run) / name for name in FILES)
    target = whole(within) if step else whole(state, before)
    with target as part, part.open("wb") as file:
        np.savez(file, epoch=epoch, step=step, **arrays, **global_generators())
    if not step:
        within.unlink(missing_ok=True)


def numbered(kind, variables):
    return {f"{kind} {i:03d} {v.path}": v.numpy() for i, v in enumerate(variables)}


def global_generators():
    """The states of NumPy's and Python's own generators, for code that uses them."""
    _, *numpy_state = np.random.get_state()
    version, words, gauss = random.getstate()
    gauss = np.nan if gauss is None else gauss
    return {
        **{f"numpy {i}": part for i, part in enumerate(numpy_state)},
        "python": np.array([version, *words]),
        "python gauss": gauss,
    }


def set_global_generators(states):
    """Set them to what `global_generators` gave."""
    keys, place, has_gauss, gauss = (states[f"numpy {i}"] for i in range(4))
    np.random.set_state(("MT19937", keys, int(place), int(has_gauss), float(gauss)))
    version, *words = map(int, states["python"])
    gauss = float(states["python gauss"])
    random.setstate((version, tuple(words), None if np.isnan(gauss) else gauss))


def load_state(gan, run, within=True):
    """Set all to the last state in this run folder.

    Says so where a damaged file made it an earlier one.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        within: whether a state within an epoch will do.

    Returns:
        the State.

    Raises:
        UserError: there is no state, it is damaged, or it belongs to other models.
    """
    path, state, damaged = find_state(run, within)
    variables = state_variables(gan)
    if [v.shape for v in state.variables] != [tuple(v.shape) for v in variables]:
        raise UserError(
            f"{path} belongs to other models than these: take back what was changed in "
            "them, or start a new run"
        )
    for other, error in damaged.items():
        other.replace(other.with_suffix(".damaged"))  # not to be saved as the one before
        print(f"{other} is damaged ({error}): going on with {path.name}, after epoch "
              f"{state.epoch}")  # fmt: skip
    set_state(gan, state)
    return state


def set_state(gan, state):
    """Set `gan`, its running means if it has any yet, and the global generators."""
    variables = [*state_variables(gan), *gan.metrics_variables]
    for variable, value in zip(variables, state.variables + state.metrics, strict=False):
        variable.assign(value)
    set_global_generators(state.generators)


def finished_epochs(run):
    """The number of epochs after which this run folder's state was saved.

    Raises:
        UserError: there is no state, or all are damaged.
    """
    return find_state(run)[1].epoch


def has_begun(run):
    """Whether a run folder has a state, or rows of steps that would need one."""
    return any((Path(run) / name).exists() for name in (*FILES, "history.csv"))


def find_state(run, within=True):
    """The last state in a run folder that is whole.

    Returns:
        its path, the State, and a dict of the files that are damaged, path -> error.

    Raises:
        UserError: there is no state, or all are damaged.
    """
    found, damaged = [], {}
    for path in (Path(run) / name for name in FILES[: 2 + within]):
        if path.exists():
            try:
                found.append((path, read_state(path)))
            except Exception as error:  # NumPy and zipfile raise a dozen kinds
                damaged[path] = error
    if found:
        return *max(found, key=lambda pair: pair[1][:2]), damaged
    for path, error in damaged.items():
        raise UserError(f"{path} is damaged ({error}): start a new run")
    raise UserError(f"{run} has no {STATE}: there is nothing to go on with")


def read_state(path):
    """The State in a file, of which nothing is read unless it holds what it declares."""
    check_file(path, MOST_BYTES)
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not a whole zip of arrays")
    with np.load(path, allow_pickle=False) as archive:
        for info in archive.zip.infolist():
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{info.filename} is compressed")
        arrays = {name: member(archive, name) for name in archive.files}

    def starting(kind):
        return [value for name, value in arrays.items() if name.startswith(f"{kind} ")]

    if "step" not in arrays:
        raise ValueError("of an earlier version of these scripts")
    kinds = {x.dtype.kind for x in arrays.values()}
    counts = [arrays[name] for name in ("epoch", "step")]
    is_count = all(n.dtype.kind == "i" and n.shape == () and n >= 0 for n in counts)
    if not (kinds <= set("biuf") and is_count):
        raise ValueError("it holds what are no numbers")
    epoch, step = int(arrays["epoch"]), int(arrays["step"])
    row = {n[4:]: x.item() for n, x in arrays.items() if n.startswith("row ")}
    generators = {name: arrays[name] for name in GENERATORS}
    if step and "step" not in row:
        raise ValueError("it lacks its rows")
    check_generators(generators)
    return State(epoch, step, starting("variable"), starting("metric"), row, generators)


def check_generators(generators):
    """Raise a ValueError unless these are states that NumPy and Python can be set to."""
    words, place, has_gauss, gauss = (generators[f"numpy {i}"] for i in range(4))
    python, python_gauss = generators["python"], generators["python gauss"]
    shapes = [x.shape for x in generators.values()]
    if shapes != [(624,), (), (), (), (626,), ()] or not (
        words.dtype == np.uint32
        and 0 <= place <= 624
        and has_gauss in (0, 1)
        and gauss.dtype.kind == python_gauss.dtype.kind == "f"
        and (python[0], python.dtype.kind) == (3, "i")
        and 0 <= python.min() <= python[1:-1].max() < 2**32
        and python[-1] <= 624
    ):
        raise ValueError("its random generators are not such")
