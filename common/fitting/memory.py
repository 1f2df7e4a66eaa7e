"""Check before the first step whether it fits into memory."""

import math
from pathlib import Path

import psutil

from common.basics.errors import UserError
from common.layers.cpu_layers import on_cpu
from common.sampling import all_layers

OWN_GROUPS = Path("/proc/self/cgroup")
CGROUPS = {  # files of a container's memory limit and use; name of its caches; folder
    "": ("memory.max", "memory.current", "inactive_file", "/sys/fs/cgroup"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
               "/sys/fs/cgroup/memory"),
}  # fmt: skip


def check(g_model, d_model, n_batch):
    """Raise a UserError if a step of `n_batch` images cannot fit into free memory.

    Args:
        g_model, d_model: the models.
        n_batch: images of a step.
    """
    if not on_cpu():
        return  # a GPU has its own memory
    free = free_bytes()
    bytes_per_image, fixed_bytes = bytes_of_step(g_model, d_model)
    if fixed_bytes + n_batch * bytes_per_image <= free:
        return
    gib = 2**30
    # Half of the memory, as the estimate is a lower bound.
    fits = int((free / 2 - fixed_bytes) // bytes_per_image)
    advice = "smaller models, or close other programs"
    if fits >= 2:
        advice = f"at most --batch-size {2 ** int(math.log2(fits))}"
    raise UserError(
        f"--batch-size {n_batch}: a step takes at least "
        f"{(fixed_bytes + n_batch * bytes_per_image) / gib:.1f} GiB of memory, and "
        f"{free / gib:.1f} GiB are free: choose {advice}"
    )


def bytes_of_step(g_model, d_model):
    """Return lower bounds of a step's memory: bytes per image, and bytes of the models.

    G's update keeps the output of every layer of both models for its gradient. Each
    weight has a gradient and Adam's two moments.
    """
    layers = [*all_layers(g_model), *all_layers(d_model)]
    bytes_per_image = sum(
        math.prod(n or 1 for n in layer.output.shape[1:])
        * (2 if "16" in layer.compute_dtype else 4)
        for layer in layers
    )
    weights = sum(math.prod(w.shape) for w in (*g_model.weights, *d_model.weights))
    return bytes_per_image, 4 * 4 * weights


def free_bytes():
    """Return the bytes that this process can still allocate, in a container its limit."""
    free = psutil.virtual_memory().available
    for folder, limit, used, cached in groups():
        try:
            limit, used, stat = (
                (folder / name).read_text() for name in (limit, used, "memory.stat")
            )
            caches = dict(line.split() for line in stat.splitlines())[cached]
            free = min(free, int(limit) - int(used) + int(caches))
        except (OSError, ValueError, KeyError):  # no such file, or "max"
            continue
    return free


def groups():
    """Yield the folders of this process's control groups, with the names of their files.

    Inner groups come first. Only Linux has them.
    """
    lines = OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.exists() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers in CGROUPS:
            *names, root = CGROUPS[controllers]
            inner = Path(root, path.lstrip("/"))
            for folder in (inner, *inner.parents):
                if folder.is_relative_to(root):
                    yield folder, *names
