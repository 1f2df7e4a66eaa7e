"""Give every test its own folder, no network, and a seed."""

import os
import signal

import pytest

from common.devices import suppressed_stderr

NOWHERE = "http://127.0.0.1:9"  # a closed proxy: downloads fail at once

# A background job ignores Ctrl-C, and so would the scripts that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # bit for bit is promised on the CPU


def pytest_configure(config):
    """Start Keras with the CPU as two logical devices, of which one is used.

    Not in the controller process of xdist: the workers wait for it.
    """
    if config.getoption("numprocesses", None):
        return
    with suppressed_stderr():
        import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        devices = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, devices)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Run each test in an empty folder, without data or network, with a fixed seed."""
    import keras

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GAN_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("https_proxy", NOWHERE)
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def shared_classifiers(tmp_path_factory, monkeypatch):
    """Set a KERAS_HOME that all workers share: its classifiers are trained once."""
    folder = tmp_path_factory.getbasetemp().parent / "shared_keras"
    monkeypatch.setenv("KERAS_HOME", str(folder))
