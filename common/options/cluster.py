"""Validate TF_CONFIG, which names the machines of a distributed run (`--device all`)."""

import json
import os
import re
from itertools import chain

from common.basics.errors import UserError


def check(options):
    """Raise a UserError if options do not fit TF_CONFIG; see also `strategy.start`."""
    if options.device == "all" and machines() > 1 and options.seed is None:
        raise UserError(
            "--device all on several machines needs --seed: set the same --seed on each, "
            "so that all use the images in the same order"
        )


def machines():
    """Return the number of machines in TF_CONFIG; 1 where it is not set.

    Raises:
        UserError: TF_CONFIG is not valid.
    """
    cluster, _ = cluster_and_task()
    return sum(map(len, cluster.values())) or 1


def cluster_and_task():
    """Return the cluster and the task in TF_CONFIG.

    Returns:
        dict, {"worker": [address, ...]}; (type, index) of this machine.

    Raises:
        UserError: TF_CONFIG is not valid.
    """
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        if config == {}:
            return {}, ("worker", 0)
        cluster, task = config["cluster"], config["task"]
        addresses = list(chain(*cluster.values()))
        kind, index = task["type"], int(task["index"])
        ports = [int(re.fullmatch(r"[^\s:/]+:(\d+)", a).group(1)) for a in addresses]
        if (
            set(cluster) <= {"chief", "worker"}
            and all(isinstance(group, list) for group in cluster.values())
            and len(cluster.get("chief", [""])) == 1
            and 0 <= index < len(cluster[kind])
            and len(set(addresses)) == len(addresses)
            and all(0 < port < 2**16 for port in ports)
        ):
            return cluster, (kind, index)
    except Exception:  # other JSON values raise many kinds
        pass
    raise UserError(
        f"TF_CONFIG is not valid ({os.environ['TF_CONFIG'][:60]!r}): it "
        'must be like {"cluster": {"worker": ["10.0.0.1:2222", '
        '"10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}: each machine with '
        "its own address and index, only workers and at most one chief"
    )
