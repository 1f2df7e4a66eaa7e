"""Find the devices of `--device all`: the GPUs of this machine, or of TF_CONFIG."""

import atexit
import os
import signal
import sys
import tempfile
from contextlib import nullcontext
from functools import cache
from itertools import chain
from pathlib import Path
from shutil import copy, rmtree
from zlib import crc32

from common.basics.errors import UserError
from common.basics.signals import STOP_SIGNALS, handled_signals
from common.options.cluster import cluster_and_task, machines
from common.options.table import OPTIONS
from common.runs import layout
from common.runs.state import find_state, has_begun


def start(options):
    """Find the devices for training; call it before any device is used.

    Args:
        options: Namespace, see `training_options`.

    Returns:
        str, to be printed after the description of the device.

    Raises:
        UserError: the backend is not TensorFlow, the devices cannot share the batch
            equally, or TF_CONFIG is wrong.
    """
    if options.device != "all":
        is_set = os.environ.get("TF_CONFIG")
        return "; TF_CONFIG is not used without --device all" if is_set else ""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            "--device all needs TensorFlow: omit it, or unset KERAS_BACKEND="
            f"{keras.backend.backend()}"
        )
    n = tf_strategy().num_replicas_in_sync
    if options.batch_size % (2 * n):
        raise UserError(
            f"--batch-size {options.batch_size}: {n} devices need equal numbers of real "
            f"images, half of the batch: choose a multiple of {2 * n}"
        )
    if n == 1:
        return "; --device all: only one device found"
    return f"; {n} devices" + (f" of {machines()} machines" if machines() > 1 else "")


@cache
def tf_strategy():
    """Return tf.distribute's strategy for all local devices, or those of TF_CONFIG.

    Raises:
        UserError: the other machines of TF_CONFIG cannot be reached.
    """
    import tensorflow as tf

    if machines() > 1:
        skip_proxy()
        print(
            f"waiting for all {machines()} machines of TF_CONFIG: stop with Ctrl-C",
            flush=True,
        )
        try:  # TensorFlow blocks Python's signal handlers, and does not restore them
            with handled_signals([signal.SIGINT, *STOP_SIGNALS], signal.SIG_DFL):
                return tf.distribute.MultiWorkerMirroredStrategy()
        except (ValueError, RuntimeError, tf.errors.OpError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"TF_CONFIG: {reason}; correct its addresses") from None
    find = tf.config.list_logical_devices
    names = [device.name for device in find("GPU") or find("CPU")]
    return tf.distribute.MirroredStrategy(names)


def check_same(options, images):
    """Check that all machines of TF_CONFIG train the same models on the same images.

    Args:
        options: Namespace, see `training_options`.
        images: datasets.Images.

    Raises:
        UserError: their options, precision, images or states to resume differ.
    """
    if options.device != "all" or machines() == 1:
        return
    import keras
    import tensorflow as tf

    state = b""
    if options.resume and has_begun(options.resume):
        state = find_state(options.resume)[0].read_bytes()
    may_differ = {"data", *(name for name, row in OPTIONS.items() if row.local)}
    shared = {k: v for k, v in vars(options).items() if k not in may_differ}
    compared = {
        "options": repr(sorted(shared.items())).encode(),
        "precision": keras.config.dtype_policy().name.encode(),
        "images": images.describe()["fingerprint"].encode(),
        "state to resume": state,
    }
    row = tf.constant([[crc32(x) for x in compared.values()]], "int64")
    values = tf_strategy().experimental_distribute_values_from_function(lambda _: row)
    columns = tf_strategy().gather(values, axis=0).numpy().T
    checksums = dict(zip(compared, columns, strict=True))
    if differing := [name for name in checksums if len(set(checksums[name])) > 1]:
        raise UserError(
            f"the machines of TF_CONFIG differ in their {' and '.join(differing)}: start "
            "all with the same options and data, and --resume with copies of one run"
        )


def skip_proxy():
    """Let TensorFlow connect to the machines directly, even if `https_proxy` is set."""
    cluster, _ = cluster_and_task()
    hosts = {address.rpartition(":")[0] for address in chain(*cluster.values())}
    os.environ["no_grpc_proxy"] = ",".join(hosts)  # noqa: SIM112  # gRPC's name


def scope(device):
    """Return the context in which models and optimizers are built, a copy per device.

    Args:
        device: value of `--device`.
    """
    several = device == "all" and tf_strategy().num_replicas_in_sync > 1
    return tf_strategy().scope() if several else nullcontext()


def is_chief():
    """Return whether this process is the chief of TF_CONFIG, which writes the files."""
    cluster, task = cluster_and_task()
    return task == ("chief" if "chief" in cluster else "worker", 0)


def redirect_worker_output(options):
    """Write the results of a machine that is not the chief to a temporary folder.

    It runs the same code as the chief, with grids and scores, so that all machines make
    the same decisions and wait for each other only in the steps. The run that it resumes
    is the chief's, or a copy of it.

    Args:
        options: Namespace, see `training_options`; run_dir, resume and track are changed.
    """
    print("this machine is a worker, only the chief writes results", flush=True)
    folder = tempfile.mkdtemp(prefix="gan-")
    atexit.register(rmtree, folder, ignore_errors=True)
    if options.resume:
        for name in (layout.OPTIONS, layout.EVENTS, layout.STATE, layout.STATE_BEFORE):
            if (path := Path(options.resume).expanduser() / name).exists():
                copy(path, folder)
        options.resume = folder
    else:
        options.run_dir = folder
    options.track = "none"
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # stays open
