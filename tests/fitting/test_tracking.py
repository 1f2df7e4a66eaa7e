"""What TensorBoard and Comet show of a run, read back with their own functions."""

import json
import sys
import zipfile
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import refused
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from common import devices
from common.checkpoints import load_model
from common.data.mnist import scikit_learn_digits
from common.fitting import comet, diagnostics, tracking
from common.fitting.build import scaled_for
from common.fitting.collapse import CollapseDetector
from common.layers.ema import without_loss_scaling
from common.options import track
from mnist_gan.train import main

TINY = ["--data", "digits", "--preset", "quick", "--batch-size", "8", "--seed", "5",
        "--ema", "0"]  # fmt: skip
STEPS = ["--steps-per-epoch", "3", "--save-every", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two epochs, resumed after the first, on TensorBoard and Comet."""
    folder = tmp_path_factory.mktemp("runs") / "tracked"
    words = [*TINY, *STEPS, "--epochs", "1", "--run-dir", str(folder)]

    def score(detector, epoch, logs):
        logs["score/fd"] = 9.0 - epoch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CollapseDetector, "on_epoch_end", score)
        main([*words, "--track", "comet-offline"])
        main(["--resume", str(folder), "--epochs", "2"])
    return folder


def events(run):
    board = EventAccumulator(str(run / "tensorboard"), {"tensors": 0})
    board.Reload()
    return board


def scalars(run, tag):
    """step -> number."""
    found = events(run).Tensors(tag)
    return {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in found}


def test_each_epoch_of_a_resumed_run_is_a_step_of_every_tag(run):
    board = events(run)
    wanted = {
        *("loss/d_loss", "loss/g_loss"),
        *("output/acc_real", "output/acc_fake", "output/acc_adv"),
        *("learning_rate/d", "learning_rate/g", "gradient_norm/d", "gradient_norm/g"),
        *("machine/steps_per_second", "machine/memory_mib", "machine/cpu_percent"),
        *("output_of_d/real", "output_of_d/fake", "grid", "score/fd"),
    }
    assert wanted <= set(board.Tags()["tensors"])
    for tag in wanted:
        assert [event.step for event in board.Tensors(tag)] == [1, 2], tag


def test_the_numbers_are_those_of_the_training(run):
    rows = (run / "history.csv").read_text().splitlines()
    column = rows[0].split(",").index("d_loss")
    for (step, value), row in zip(
        scalars(run, "loss/d_loss").items(), rows[1:], strict=True
    ):
        assert row.startswith(f"{step},3,")
        assert value == pytest.approx(float(row.split(",")[column]), abs=1e-4)
    assert scalars(run, "learning_rate/g")[2] == pytest.approx(0.0015)
    assert all(0 < norm < 100 for norm in scalars(run, "gradient_norm/g").values())
    assert scalars(run, "machine/memory_mib")[2] > 100
    assert scalars(run, "machine/steps_per_second")[2] > 0


def test_histograms_are_of_what_d_says_of_the_same_images(run):
    g_model, d_model = (
        load_model(run / f"{kind}_model_002.h5")
        for kind in ("generator", "discriminator")
    )
    gan = SimpleNamespace(g_model=g_model, d_model=d_model)
    dataset = scaled_for(g_model, scikit_learn_digits("train"))
    expected = diagnostics.outputs_of_d(gan, dataset, 30, seed=5)
    for kind, outputs in expected.items():
        event = events(run).Tensors(f"output_of_d/{kind}")[-1]
        left, right, counts = tf.make_ndarray(event.tensor_proto).T
        assert counts.sum() == len(outputs) == 30
        assert left[0] == pytest.approx(outputs.min(), abs=1e-5)
        assert right[-1] == pytest.approx(outputs.max(), abs=1e-5)
        assert outputs.dtype == "float32" and outputs.shape == (30, 1)


def test_the_timeline_of_pictures_is_the_grids(run):
    for event in events(run).Tensors("grid"):
        _, _, png = tf.make_ndarray(event.tensor_proto)
        with Image.open(BytesIO(png)) as shown:
            assert shown.format == "PNG"
            file = run / f"generated_plot_e{event.step:03d}.png"
            with Image.open(file) as grid:
                assert np.array_equal(np.asarray(shown), np.asarray(grid.convert("RGB")))


def test_options_are_hyperparameters(run):
    tag = metadata.SESSION_START_INFO_TAG
    content = events(run).SummaryMetadata(tag).plugin_data.content
    info = metadata.parse_session_start_info_plugin_data(content)
    assert info.group_name == f"{run.parent.name}/{run.name}"
    found = info.hparams
    assert found["objective"].string_value == "bce"
    assert found["batch_size"].number_value == 8
    assert found["conditional"].WhichOneof("kind") == "bool_value"
    assert found["data"].string_value == "digits"
    assert "margin" not in found and "run_dir" not in found


def test_scores_of_a_finished_run_are_added(run, tmp_path):
    before = sorted((run / "tensorboard").iterdir())
    assert scalars(run, "score/fd") == {1: 9, 2: 8}
    tracking.log_scores(run, 2, {"kd": 7.5})
    assert scalars(run, "score/kd") == {2: 7.5}
    assert len(sorted((run / "tensorboard").iterdir())) == len(before) + 1
    assert set(scalars(run, "loss/d_loss")) == {1, 2}


@pytest.mark.slow
def test_tracking_changes_no_bit_of_a_training(run, tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "tracked", lambda *words: nullcontext([]))
    main([*TINY, *STEPS, "--epochs", "2", "--run-dir", "alone"])
    assert not Path("alone/tensorboard").exists()
    with np.load(run / "state.npz") as one, np.load("alone/state.npz") as other:
        assert len(one.files) == len(other.files)
        for name, same in zip(one.files, other.files, strict=True):
            if not name.startswith("python"):  # which names the trackers' files
                assert np.array_equal(one[name], other[same]), name
    assert (run / "history.csv").read_text() == Path("alone/history.csv").read_text()


def test_the_norm_is_that_of_all_gradients_without_the_scaling_of_losses():
    weights = [keras.Variable([[1.0], [1.0]]), keras.Variable([1.0, 1.0])]
    optimizer = keras.optimizers.SGD(0.5)
    scaling = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
    scaling.build(weights)
    norm = diagnostics.mean_norm_of_gradients(without_loss_scaling(scaling))
    twice = tf.IndexedSlices(tf.constant([[8.0], [16.0]]), [0, 0], [2, 1])
    scaling.apply([twice, tf.constant([0.0, 32.0])], weights)
    assert float(norm.result()) == pytest.approx(5)  # 3 and 4
    np.testing.assert_allclose(weights[1], [1, -1])
    scaling.apply([tf.constant([[np.inf], [0.0]]), tf.constant([0.0, 0.0])], weights)
    assert float(norm.result()) == pytest.approx(5)  # that step was skipped


def test_the_load_of_a_gpu(monkeypatch):
    process = SimpleNamespace(
        memory_info=lambda: SimpleNamespace(rss=2**21), cpu_percent=lambda: 150.0
    )
    cpu = {"machine/memory_mib": 2, "machine/cpu_percent": 150}
    for line, gpu in {
        "81 MiB, 3 %": {"machine/gpu_memory_mib": 81, "machine/gpu_percent": 3},
        "81 MiB, [N/A]": {"machine/gpu_memory_mib": 81},
    }.items():
        monkeypatch.setattr(devices, "nvidia_smi", lambda field, line=line: [line] * 2)
        assert diagnostics.machine_load(process) == {**cpu, **gpu}
    monkeypatch.setattr(devices, "nvidia_smi", lambda field: [])
    assert diagnostics.machine_load(process) == cpu


def archives(run):
    """The messages of Comet's archives, oldest first, and the names in each archive."""
    for path in sorted((run / "comet").glob("*/*.zip")):
        with zipfile.ZipFile(path) as archive:
            lines = archive.read("messages.json").decode().splitlines()
            yield [json.loads(line) for line in lines], archive.namelist()


def of_type(messages, kind):
    return [m["payload"] for m in messages if m["type"] == kind]


def test_comet_gets_options_metrics_and_pictures(run):
    both = list(archives(run))
    assert len(both) == 2  # of the start, and of the resumed run
    for epoch, (messages, names) in enumerate(both, start=1):
        parameters = {
            p["param"]["paramName"]: p["param"]["paramValue"]
            for p in of_type(messages, "parameter_msg")
        }
        assert parameters["objective"] == "bce" and parameters["batch_size"] == 8
        metrics = [m["metric"] for m in of_type(messages, "metric_msg")]
        shown = {m["metricName"]: m for m in metrics}
        assert {"d_loss", "g_loss", "acc_real", "score/fd"} <= set(shown)
        assert shown["d_loss"]["step"] == shown["d_loss"]["epoch"] == epoch
        assert scalars(run, "loss/d_loss")[epoch] == pytest.approx(
            shown["d_loss"]["metricValue"]
        )
        (picture,) = of_type(messages, "file_upload")
        assert picture["additional_params"]["step"] == epoch
        assert picture["file_path"] in names


def test_comet_logs_nothing_by_itself(run):
    for messages, _ in archives(run):
        others = {other["key"] for other in of_type(messages, "log_other")}
        assert others == {"offline_experiment", "Name"}
        sources = {p["param"]["source"] for p in of_type(messages, "parameter_msg")}
        assert sources == {"manual", "auto-logged"}


def test_comet_goes_on_with_the_same_experiment(run):
    names = {path.name.partition("-")[0] for path in (run / "comet").glob("*/*.zip")}
    assert names == {(run / "comet" / "experiment").read_text()}


def test_an_interrupt_loses_nothing(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        tracking.tracked(tmp_path, None, 0, "comet-offline"),
    ):
        picture = Image.new("RGB", (4, 4), "red")
        picture.save(tmp_path / "generated_plot_e007.png")
        raise KeyboardInterrupt
    (event,) = events(tmp_path).Tensors("grid")
    assert event.step == 7
    ((messages, _),) = archives(tmp_path)
    (upload,) = of_type(messages, "file_upload")
    assert upload["additional_params"]["step"] == 7


def nothing_is_left(capsys, *words):
    message = refused(capsys, main, *words)
    assert not Path("runs").exists()
    return message


def test_without_package_or_key_one_sentence(capsys, monkeypatch, run):
    monkeypatch.delenv("COMET_API_KEY", raising=False)
    monkeypatch.setenv("COMET_CONFIG", "no-such-file")
    words = ["--dry-run", "--track", "comet"]
    assert "COMET_API_KEY" in nothing_is_left(capsys, *words)
    monkeypatch.setitem(sys.modules, "comet_ml", None)
    assert "requirements-comet.txt" in nothing_is_left(capsys, *words)
    words = ["--resume", run, "--track", "comet-offline"]
    assert "requirements-comet.txt" in nothing_is_left(capsys, *words)


def test_a_comet_out_of_reach_is_told(tmp_path, monkeypatch):
    def fail(**words):
        raise ConnectionError("refused")

    monkeypatch.setattr(track.import_comet(), "start", fail)
    with pytest.raises(comet.UserError, match=r"network and API key.*--resume"):
        comet.start(tmp_path, "comet")
