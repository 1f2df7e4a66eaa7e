"""The machines of TF_CONFIG, for `--device all`."""

import json
import os
import re
from itertools import chain

from common.basics.errors import UserError


def check(options):
    """Refuse what needs no device to be refused, see `strategy.start`."""
    if options.device == "all" and machines() > 1 and options.seed is None:
        raise UserError(
            "--device all on several machines: give each the same --seed, so that all "
            "go through the images in the same order"
        )


def machines():
    """How many machines TF_CONFIG names; 1 where it is not set.

    Raises:
        UserError: it cannot be understood.
    """
    cluster, _ = cluster_and_task()
    return sum(map(len, cluster.values())) or 1


def cluster_and_task():
    """The parts of TF_CONFIG: {"worker": [address, ...]}, and the own (kind, index).

    Raises:
        UserError: see `machines`.
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
            and all(isinstance(some, list) for some in cluster.values())
            and len(cluster.get("chief", [""])) == 1
            and 0 <= index < len(cluster[kind])
            and len(set(addresses)) == len(addresses)
            and all(0 < port < 2**16 for port in ports)
        ):
            return cluster, (kind, index)
    except Exception:  # JSON of any other shape raises half a dozen kinds
        pass
    raise UserError(
        'TF_CONFIG must be like {"cluster": {"worker": ["10.0.0.1:2222", '
        '"10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}, where each machine '
        "has another address and is told its own index; only workers, and one chief"
    )
