"""What every test gets: a folder of its own, no network, and a seed."""

import os
import signal

import pytest

from common.devices import quiet_start

NOWHERE = "http://127.0.0.1:9"  # a proxy that refuses: downloads fail at once

# A background job ignores Ctrl-C, and so would the scripts that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # bit for bit is promised on the CPU


def pytest_configure(config):
    """Start Keras, with the CPU as two devices of which one works.

    Not in the process that only hands tests out to others, which wait for it.
    """
    if config.getoption("numprocesses", None):
        return
    with quiet_start():
        import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, halves)


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, without data or network, from a fixed seed."""
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
    """A KERAS_HOME that tests share, on any worker: its classifiers are trained once."""
    folder = tmp_path_factory.getbasetemp().parent / "shared_keras"
    monkeypatch.setenv("KERAS_HOME", str(folder))
