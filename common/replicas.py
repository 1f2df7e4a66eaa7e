"""Which devices share a training: all GPUs of a machine, or the machines of TF_CONFIG."""

import atexit
import json
import os
import sys
import tempfile
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from shutil import copy, rmtree

from common.errors import UserError
from common.state import FILES


def check(options):
    """Refuse what needs no device to be refused, see `start`."""
    if options.devices == "all" and options.save_every_steps:
        raise UserError(
            "--save-every-steps: --devices all saves its state after whole epochs alone; "
            "leave one of them out, or make epochs shorter with --steps-per-epoch"
        )
    if options.devices == "all" and machines() > 1 and options.seed is None:
        raise UserError(
            "--devices all on several machines: give each the same --seed, so that all "
            "go through the images in the same order"
        )


def start(options):
    """Find the devices that shall train, before the first use of any.

    Args:
        options: Namespace, see `training_options`.

    Returns:
        what to say of them, to follow a description of the device.

    Raises:
        UserError: they cannot share a training with these options.
    """
    if options.devices != "all":
        return ""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            "--devices all is done by TensorFlow: leave it out, or KERAS_BACKEND="
            f"{keras.backend.backend()}"
        )
    n = strategy().num_replicas_in_sync
    if options.batch_size % (2 * n):
        raise UserError(
            f"--batch-size {options.batch_size}: half of it is real, and {n} devices "
            f"share that half evenly: choose a multiple of {2 * n}"
        )
    if n == 1:
        return "; --devices all: it is the only one"
    return f"; {n} devices{f' of {machines()} machines' * (machines() > 1)}"


@cache
def strategy():
    """TensorFlow's strategy for all devices here, or for the machines of TF_CONFIG."""
    import tensorflow as tf

    if machines() > 1:
        skip_proxy()
        print(f"waiting for all {machines()} machines of TF_CONFIG", flush=True)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except (ValueError, RuntimeError, tf.errors.OpError) as error:
            raise UserError(f"TF_CONFIG: {str(error).splitlines()[0]}") from None
    config = tf.config
    found = config.list_logical_devices("GPU") or config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in found])


def skip_proxy():
    """Have TensorFlow call the machines themselves, where `https_proxy` is set, too."""
    lists = cluster_and_task()[0].values()
    hosts = {address.rpartition(":")[0] for addresses in lists for address in addresses}
    os.environ["no_grpc_proxy"] = ",".join(hosts)  # noqa: SIM112  # gRPC's own name


def scope(devices):
    """Where models and optimizers are to be made: `--devices all` makes one a device."""
    several = devices == "all" and strategy().num_replicas_in_sync > 1
    return strategy().scope() if several else nullcontext()


def machines():
    """How many machines TF_CONFIG names; 1 where it is not set.

    Raises:
        UserError: it cannot be understood.
    """
    cluster, _ = cluster_and_task()
    return sum(map(len, cluster.values())) or 1


def cluster_and_task():
    """The parts of TF_CONFIG: {"worker": [address, ...]} and {"type": ..., "index": ...}.

    Raises:
        UserError: see `machines`.
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster, task = dict(config.get("cluster", {})), dict(config.get("task", {}))
        if all(isinstance(addresses, list) for addresses in cluster.values()):
            return cluster, task
    except (ValueError, TypeError, AttributeError):
        pass
    raise UserError(
        'TF_CONFIG must be like {"cluster": {"worker": ["10.0.0.1:2222", '
        '"10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
    )


def is_chief():
    """Whether this process is the machine of TF_CONFIG that writes."""
    cluster, task = cluster_and_task()
    first = {"type": "chief" if "chief" in cluster else "worker", "index": 0}
    return machines() == 1 or task == first


def as_worker(options):
    """Have a machine that is not the chief say nothing, and write where nobody looks.

    It goes through all that the chief goes through, its pictures and scores as well: so
    every machine takes the same decisions, and waits for the others in the steps alone.
    The run that it resumes is the chief's, or a copy of it.
    """
    print("this machine learns with the chief, which alone writes", flush=True)
    folder = tempfile.mkdtemp(prefix="gan-")
    atexit.register(rmtree, folder, ignore_errors=True)
    if options.resume:
        for name in ("options.json", "events.csv", *FILES):
            if (path := Path(options.resume).expanduser() / name).exists():
                copy(path, folder)
        options.resume = folder
    else:
        options.run_dir = folder
    options.track = "none"
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115  # to the end
