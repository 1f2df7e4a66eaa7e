"""Detect GPUs and set device and precision; as a command, list and time the devices."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from timeit import repeat

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli

HIDDEN = "-1"  # value of CUDA_VISIBLE_DEVICES that hides all GPUs
SIZE = 2048  # rows and columns of the timed matrices


def set_up(device="auto", precision="float32"):
    """Set the device and the precision; call it before Keras is first used.

    Args:
        device: "auto" (the first GPU, else the CPU), "cpu", "gpu", "gpu:1" or "all".
        precision: "float32", "bfloat16", "float16" (weights stay float32 in all), or
            "auto": bfloat16 if the processor has instructions for it, else float32.

    Returns:
        one line of text: the device found and the precision.

    Raises:
        UserError: there is no such device, or Keras cannot start.
    """
    if device not in ("auto", "all"):
        os.environ["CUDA_VISIBLE_DEVICES"] = cuda_name(device)
    try:
        with quiet_start():
            import keras
    except (ModuleNotFoundError, ValueError) as error:
        raise cli.UserError(
            f"Keras cannot start with its backend: {error}; correct what sets it: "
            "KERAS_BACKEND, keras.json in KERAS_HOME, or MPLBACKEND"
        ) from None
    gpus = visible_gpus()
    if device.startswith("gpu") and not gpus:
        raise cli.UserError(
            f"--device {device}: this GPU was not found; run `python common/devices.py` "
            "to list the devices"
        )
    if precision == "auto":
        precision = "bfloat16" if gpus or cpu_computes_bfloat16() else "float32"
    keras.config.set_dtype_policy(f"{'mixed_' * ('16' in precision)}{precision}")
    keras.config.set_image_data_format("channels_last")  # overrides keras.json
    return f"device: {gpus[0] if gpus else describe_cpu()}; precision: {precision}"


def cuda_name(device):
    """Return the value of CUDA_VISIBLE_DEVICES for "cpu", "gpu" or "gpu:1".

    Raises:
        UserError: it is another text.
    """
    kind, _, number = device.partition(":")
    if kind == "cpu" and not number:
        return HIDDEN
    if kind != "gpu" or not (number or "0").isdecimal() or len(number) > 9:
        raise cli.UserError(
            f"--device must be auto, cpu, gpu, gpu:N or all, not {device!r}"
        )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(n) for n in range(64)]
    return names[int(number or 0)] if int(number or 0) < len(names) else HIDDEN


@contextlib.contextmanager
def quiet_start():
    """Suppress stderr in the with block, where Keras is imported; show it on an error.

    TensorFlow's C++ code logs a missing GPU before any log level is set. Keras imports
    scikit-learn if it is installed, for wrappers that are unused here; without it the
    import is a quarter faster.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.modules.setdefault("sklearn", None)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, os.fdopen(os.dup(2), "wb") as terminal:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            terminal.write(held.read())
            raise
        finally:
            os.dup2(terminal.fileno(), 2)
            if sys.modules["sklearn"] is None:
                del sys.modules["sklearn"]


def visible_gpus():
    """Return a line of text per GPU of Keras's backend, and set memory growth on each."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        cuda = torch.cuda
        return [
            f"{cuda.get_device_name(i)}, {cuda.mem_get_info(i)[1] >> 20} MiB"
            for i in range(cuda.device_count())
        ]
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):  # already in use
            tf.config.experimental.set_memory_growth(gpu, True)
    memory = nvidia_smi("memory.total")  # TensorFlow has no API for it
    return [
        f"{tf.config.experimental.get_device_details(gpu)['device_name']}, "
        f"{memory[i] if i < len(memory) else 'memory unknown'}"
        for i, gpu in enumerate(gpus)
    ]


def nvidia_smi(field):
    """Return a field of `nvidia-smi --query-gpu` for each visible GPU, [] if it fails."""
    words = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader"]
    if visible := os.environ.get("CUDA_VISIBLE_DEVICES"):
        words += ["-i", visible]
    try:
        answer = subprocess.run(words, capture_output=True, text=True)
    except OSError:
        return []
    return answer.stdout.splitlines() if answer.returncode == 0 else []


def describe_cpu():
    """Return "CPU, 2 cores, oneDNN on", with the cores that this process may use."""
    n_cores = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    return f"CPU, {n_cores} cores" + (f", oneDNN {onednn()}" if onednn() else "")


def onednn():
    """Return whether TensorFlow uses oneDNN: "on" or "off"; None with other backends.

    `common/__init__.py` switches it on, unless TF_ENABLE_ONEDNN_OPTS is set.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return None
    from tensorflow.python.util import _pywrap_util_port

    return "on" if _pywrap_util_port.IsMklEnabled() else "off"


def cpu_computes_bfloat16():
    """Return whether the CPU has bfloat16 instructions; without them it is slower."""
    cpuinfo = Path("/proc/cpuinfo")  # of Linux
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def peak_bytes():
    """Return the peak memory (RSS) of this process so far, in bytes."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    status = Path("/proc/self/status")  # Linux: getrusage includes the parent
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def time_matrix_product(device):
    """Return the speed of a 2048 x 2048 float32 product on a device, in GFLOP/s."""
    import keras
    from keras import ops

    with keras.device(device):
        a = keras.random.normal((SIZE, SIZE))

        def multiply():
            ops.convert_to_numpy(ops.matmul(a, a)[0, 0])  # waits for the result

        return 2 * SIZE**3 / min(repeat(multiply, number=1)) / 1e9


@cli.command
def main(argv=None):
    """List the devices and time a matrix product on each of them."""
    parser = cli.Parser(__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu, gpu, gpu:N (auto)")
    options = parser.parse_args(argv)
    print(set_up(options.device))
    gpus = visible_gpus()
    names = {"cpu:0": describe_cpu(), **{f"gpu:{i}": gpu for i, gpu in enumerate(gpus)}}
    for device, name in names.items():
        print(f"{device}  {name}: {time_matrix_product(device):.0f} GFLOP/s in float32")
    if not gpus and (found := nvidia_smi("name")):
        print(
            f"The driver shows {', '.join(found)}, but Keras's backend cannot use it: "
            'install its CUDA libraries with pip install "tensorflow[and-cuda]"'
        )


if __name__ == "__main__":
    main()
