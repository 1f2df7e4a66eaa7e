"""Devices: choice, messages, and suppressed output."""

import importlib
import os
import sys

import keras
import pytest
from helpers import refused, run_script

import common
from common import devices
from common.basics.errors import UserError


@pytest.mark.parametrize(
    "device, visible, expected",
    [
        ("cpu", None, "-1"),
        ("gpu", None, "0"),
        ("gpu:1", None, "1"),
        ("gpu", "4,5", "4"),
        ("gpu:1", "4,5", "5"),
        ("gpu:2", "4,5", "-1"),
    ],
)
def test_a_gpu_is_picked_among_the_visible_ones(monkeypatch, device, visible, expected):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices.cuda_visible_devices(device) == expected


@pytest.mark.parametrize("device", ["tpu", "gpu:x", "gpu:-1", "cpu:1", ""])
def test_other_names_are_an_error(device):
    with pytest.raises(UserError, match="--device"):
        devices.cuda_visible_devices(device)


@pytest.mark.parametrize(
    "precision, policy",
    [
        ("float32", "float32"),
        ("bfloat16", "mixed_bfloat16"),
        ("float16", "mixed_float16"),
    ],
)
def test_precision_becomes_the_policy_and_is_printed(precision, policy):
    assert f"precision: {precision}" in devices.set_up("auto", precision)
    assert keras.config.dtype_policy().name == policy


def test_auto_precision_is_bfloat16_only_where_it_is_fast():
    keras.config.set_image_data_format("channels_first")  # as a keras.json may set
    output = devices.set_up("auto", "auto")
    assert keras.config.image_data_format() == "channels_last"
    fast = bool(devices.visible_gpus()) or devices.cpu_computes_bfloat16()
    assert output.endswith("bfloat16" if fast else "float32")


def test_without_a_gpu_requesting_one_is_an_error(capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    if devices.visible_gpus():
        pytest.skip("this machine has a GPU, already in use by this process")
    assert "this GPU was not found" in refused(capsys, devices.main, "--device", "gpu")


def test_onednn_is_on_unless_the_user_switches_it_off(monkeypatch):
    name = "TF_ENABLE_ONEDNN_OPTS"
    monkeypatch.setattr(os, "environ", {})
    importlib.reload(common)
    assert os.environ == {name: "1"}
    os.environ[name] = "0"
    importlib.reload(common)
    assert os.environ == {name: "0"}


def test_whether_onednn_is_on_is_printed():
    assert devices.onednn() in ("on", "off")
    assert f"cores, oneDNN {devices.onednn()};" in devices.set_up("cpu")
    output = run_script("common/devices.py", TF_ENABLE_ONEDNN_OPTS="0").stdout
    assert "cores, oneDNN off; precision" in output


def test_noise_of_a_start_is_suppressed_and_shown_when_it_fails(capfd):
    with devices.suppressed_stderr():
        os.write(2, b"noise\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), devices.suppressed_stderr():
        os.write(2, b"reason\n")
        raise ImportError
    assert capfd.readouterr().err == "reason\n"
    print("errors are shown again", file=sys.stderr)
    assert "again" in capfd.readouterr().err


def test_keras_starts_without_scikit_learn_which_is_there_afterwards(monkeypatch):
    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    with devices.suppressed_stderr(), pytest.raises(ImportError):
        import sklearn
    import sklearn

    assert sklearn.__version__
