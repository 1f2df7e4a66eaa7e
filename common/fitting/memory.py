"""Check, before training, whether a step fits into memory."""

import contextlib
import math
from pathlib import Path

import psutil

from common.basics.errors import UserError
from common.layers.cpu_layers import on_cpu
from common.sampling import all_layers

CGROUP_LIST = Path("/proc/self/cgroup")  # control groups of this process
# Controllers -> files of a control group's memory limit and memory in use, the entry of
# memory.stat for caches that can be freed, and the root folder.
CGROUPS = {
    "": ("memory.max", "memory.current", "inactive_file", "/sys/fs/cgroup"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
               "/sys/fs/cgroup/memory"),
}  # fmt: skip


def check(g_model, d_model, n_batch):
    """Raise a UserError if a step of `n_batch` images cannot fit into free memory.

    Args:
        g_model, d_model: the models.
        n_batch: images of D's update, half of them real.
    """
    if not on_cpu():
        return  # a GPU has its own memory
    free = free_bytes()
    bytes_per_image, fixed_bytes = bytes_of_step(g_model, d_model)
    needed = fixed_bytes + n_batch * bytes_per_image
    if needed <= free:
        return
    # Half of the memory, because the needed bytes are a lower bound.
    n_fitting = int((free / 2 - fixed_bytes) // bytes_per_image)
    advice = "smaller models, or close other programs"
    if n_fitting >= 2:
        advice = f"at most --batch-size {2 ** int(math.log2(n_fitting))}"
    raise UserError(
        f"--batch-size {n_batch}: a step takes at least {needed / 2**30:.1f} GiB of "
        f"memory, and {free / 2**30:.1f} GiB are free: choose {advice}"
    )


def bytes_of_step(g_model, d_model):
    """Return lower bounds of a step's memory: bytes per image, and bytes of the models.

    G's update stores the output of every layer of both models for its gradient. Each
    weight has a gradient and two moments of Adam.
    """
    bytes_per_image = sum(
        math.prod(n or 1 for n in layer.output.shape[1:])
        * (2 if "16" in layer.compute_dtype else 4)
        for layer in (*all_layers(g_model), *all_layers(d_model))
    )
    n_weights = g_model.count_params() + d_model.count_params()
    return bytes_per_image, 4 * 4 * n_weights  # 4 numbers of 4 bytes


def free_bytes():
    """Return the bytes that this process can still allocate, by its container's limit."""
    free = psutil.virtual_memory().available
    for folder, limit, used, cached in control_groups():
        # No such file, or "max"
        with contextlib.suppress(OSError, ValueError, KeyError):
            limit, used = (int((folder / name).read_text()) for name in (limit, used))
            stat = (folder / "memory.stat").read_text()
            caches = dict(line.split() for line in stat.splitlines())[cached]
            free = min(free, limit - used + int(caches))
    return free


def control_groups():
    """Yield the folders of this process's control groups, and file names of `CGROUPS`.

    Inner groups come first. Only Linux has control groups.
    """
    lines = CGROUP_LIST.read_text().splitlines() if CGROUP_LIST.exists() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers in CGROUPS:
            *names, root = CGROUPS[controllers]
            group = Path(root, path.lstrip("/"))
            for folder in (group, *group.parents):
                if folder.is_relative_to(root):
                    yield folder, *names
