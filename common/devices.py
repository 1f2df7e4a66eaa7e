"""Detect GPUs, set the device and the precision; as a command, list and time devices."""

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

NO_GPU = "-1"  # value of CUDA_VISIBLE_DEVICES that hides all GPUs
MATRIX_SIZE = 2048  # rows and columns of the multiplied matrices


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
        os.environ["CUDA_VISIBLE_DEVICES"] = cuda_visible_devices(device)
    try:
        with suppressed_stderr():
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


def cuda_visible_devices(device):
    """Return the value of CUDA_VISIBLE_DEVICES for "cpu", "gpu" or "gpu:1".

    Raises:
        UserError: the device has no such form.
    """
    kind, _, number = device.partition(":")
    if kind == "cpu" and not number:
        return NO_GPU
    if kind != "gpu" or not (number or "0").isdecimal() or len(number) > 9:
        raise cli.UserError(
            f"--device must be auto, cpu, gpu, gpu:N or all, not {device!r}"
        )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(n) for n in range(64)]
    index = int(number or 0)
    return names[index] if index < len(names) else NO_GPU


@contextlib.contextmanager
def suppressed_stderr():
    """Return a context for the import of Keras: stderr is shown only after an error.

    TensorFlow's C++ code logs a missing GPU before any log level is set. Keras imports
    scikit-learn if it is installed, for wrappers that are not used here; without it the
    import takes a quarter less time.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.modules.setdefault("sklearn", None)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as captured, os.fdopen(os.dup(2), "wb") as stderr:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except Exception:
            captured.seek(0)
            stderr.write(captured.read())
            raise
        finally:
            os.dup2(stderr.fileno(), 2)
            if sys.modules["sklearn"] is None:
                del sys.modules["sklearn"]


def visible_gpus():
    """Return "name, memory" of each GPU of Keras's backend; set its memory growth.

    Memory growth: TensorFlow allocates memory when it is needed, not all at the start.
    """
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
        with contextlib.suppress(RuntimeError):  # the GPU is already in use
            tf.config.experimental.set_memory_growth(gpu, True)
    memory = nvidia_smi("memory.total")  # TensorFlow has no API for it
    return [
        f"{tf.config.experimental.get_device_details(gpu)['device_name']}, "
        f"{memory[i] if i < len(memory) else 'memory unknown'}"
        for i, gpu in enumerate(gpus)
    ]


def nvidia_smi(field):
    """Return a field of `nvidia-smi --query-gpu` for each visible GPU, [] if it fails."""
    command = ["nvidia-smi", f"--query-gpu={field}", "--format=csv,noheader"]
    if visible := os.environ.get("CUDA_VISIBLE_DEVICES"):
        command += ["-i", visible]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return []
    return result.stdout.splitlines() if result.returncode == 0 else []


def describe_cpu():
    """Return "CPU, 2 cores, oneDNN on", with the cores that this process may use."""
    n_cores = os.cpu_count()
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    cores = "cores" if n_cores > 1 else "core"
    return f"CPU, {n_cores} {cores}" + (f", oneDNN {onednn()}" if onednn() else "")


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
    cpuinfo = Path("/proc/cpuinfo")  # Linux only
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def peak_bytes():
    """Return the peak memory (RSS) of this process so far, in bytes."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    status = Path("/proc/self/status")  # on Linux, getrusage includes the parent process
    if status.exists():
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: in bytes


def matrix_product_gflops(device):
    """Return the speed of a float32 matrix product on a Keras device, in GFLOP/s."""
    import keras
    from keras import ops

    with keras.device(device):
        a = keras.random.normal((MATRIX_SIZE, MATRIX_SIZE))

        def multiply():
            ops.convert_to_numpy(ops.matmul(a, a)[0, 0])  # waits for the result

        return 2 * MATRIX_SIZE**3 / min(repeat(multiply, number=1)) / 1e9


@cli.command
def main(argv=None):
    """List the devices and time a matrix product on each of them."""
    parser = cli.Parser(__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu, gpu, gpu:N (auto)")
    options = parser.parse_args(argv)
    print(set_up(options.device))
    gpus = visible_gpus()
    devices = {f"gpu:{i}": gpu for i, gpu in enumerate(gpus)}
    for device, name in {"cpu:0": describe_cpu(), **devices}.items():
        print(f"{device}  {name}: {matrix_product_gflops(device):.0f} GFLOP/s in float32")
    if not gpus and (names := nvidia_smi("name")):
        print(
            f"The driver shows {', '.join(names)}, but Keras's backend cannot use it: "
            'install its CUDA libraries with pip install "tensorflow[and-cuda]"'
        )


if __name__ == "__main__":
    main()
