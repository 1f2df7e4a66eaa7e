"""`--device all`: two devices, or two processes, train as one device does."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import ROOT, refused, slow
from training_runs import assert_same_results, wait_for

from common.basics.errors import UserError
from common.data.batches import RealBatches
from common.data.datasets import Scaled
from common.fitting import strategy
from common.fitting.build import define_models, gan_for
from common.fitting.distributed import fit_of, shift_random_states
from common.objectives import wgan_gp
from common.options import cluster
from common.options.training_options import training_options
from common.runs.state import random_states, state_variables
from mnist_gan.train import SCRIPT, main

SHAPE, LATENT, HALF = (4, 4, 1), 3, 8
QUICK = ["--data", "digits", "--preset", "quick", "--batch-size", "8", "--seed", "5"]
ALL = ["--device", "all"]


def define_generator(latent_dim):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(8, activation="tanh"),
            layers.Dense(16, activation="sigmoid"),
            layers.Reshape(SHAPE),
        ]
    )


def define_discriminator(in_shape):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input(in_shape),
            layers.Flatten(),
            layers.Dense(8, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="sgd")
    return model


def define_gan(g_model, d_model):
    d_model.trainable = False
    model = keras.Sequential([g_model, d_model])
    model.compile(loss="binary_crossentropy", optimizer="sgd")
    return model


def tiny_gan(*words):
    """Return a GAN of tiny models whose updates are their gradients."""
    words = ["--optimizer", "sgd", "--learning-rate", "1", "--latent-dim", LATENT, *words]
    options = training_options([str(word) for word in words], SCRIPT)
    keras.utils.set_random_seed(2)
    trio = define_generator, define_discriminator, define_gan
    classes = ("a", "b", "c") if options.conditional else ()
    return gan_for(options, *define_models(options, *trio, SHAPE, classes))


def fix_latent_vectors(gan):
    """Let a GAN use the same latent vectors for any number of devices."""
    table = np.random.default_rng(4).normal(size=(2, HALF, LATENT)).astype("float32")

    def latent_vectors(n):
        context = tf.distribute.get_replica_context()
        part = HALF // context.num_replicas_in_sync
        start = context.replica_id_in_sync_group * part
        return tf.reshape(tf.constant(table)[:, start : start + part], (-1, LATENT))[:n]

    gan.latent_vectors = latent_vectors


def learn(gan, steps=1, epochs=1):
    """Train a few steps on random images; return the logs of the last epoch."""
    rng = np.random.default_rng(3)
    images = rng.random((64, *SHAPE), "float32")
    labels = rng.integers(0, 3, (64, 1)).astype("int32")
    conditional = hasattr(gan, "wrong_labels")
    dataset = Scaled(images, lambda x: x, labels if conditional else None)
    logs = {}
    last = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, x: logs.update(x))
    batches = RealBatches(dataset, HALF * gan.critic_steps, seed=1)
    fit_of(gan)(batches, epochs=epochs, initial_epoch=0, steps_per_epoch=steps,
                callbacks=[last], verbose=0, shuffle=False)  # fmt: skip
    return logs


def weights(gan):
    return [w.numpy() for w in (*gan.g_model.weights, *gan.d_model.weights)]


GENTLY = ["--learning-rate", "0.1", "--penalty", "0.1", "--critic-steps", "2"]
CASES = {
    "bce": [],
    "d_batches": ["--d-batches", "separate"],
    "wgan": ["--objective", "wgan"],
    "wgan-gp": ["--objective", "wgan-gp", *GENTLY],
    "ebgan": ["--objective", "ebgan"],
    "began": ["--objective", "began"],
    "r3gan": ["--objective", "r3gan"],
    "conditional": ["--conditional"],
    "classify": ["--conditional", "--condition", "classify"],
    "conditional r3gan": ["--conditional", "--objective", "r3gan"],
    "conditional wgan-gp": ["--conditional", "--objective", "wgan-gp", *GENTLY],
}


@pytest.mark.parametrize("case", [g if g == "bce" else slow(g) for g in CASES])
def test_two_devices_have_the_gradients_of_one(case, monkeypatch):
    half = lambda shape, seed: keras.ops.full(shape, 0.5)  # noqa: E731
    monkeypatch.setattr(wgan_gp.keras.random, "uniform", half)
    after, logs = [], []  # of one device and of two
    for words in ([], ALL):
        gan = tiny_gan(*CASES[case], "--batch-size", 2 * HALF, *words)
        fix_latent_vectors(gan)
        before = weights(gan)
        logs.append(learn(gan))
        after.append(weights(gan))
    for one, two in zip(*after, strict=True):
        np.testing.assert_allclose(two, one, atol=1e-6)
    moved = [np.abs(now - was).max() for now, was in zip(after[1], before, strict=True)]
    assert moved[0] > 0 and max(moved[len(gan.g_model.weights) :]) > 0
    assert logs[1] == pytest.approx(logs[0], abs=1e-6)


def copies(variable):
    """The values of a variable on every device."""
    return [copy.numpy() for copy in variable.value.values]


def test_replicas_draw_apart_and_are_equal_afterwards():
    gan = tiny_gan("--label-noise", "0.2", *ALL)

    @tf.function
    def sample():
        shift_random_states(gan, keras.ops.add)
        z = gan.latent_vectors(4)
        shift_random_states(gan, keras.ops.subtract)
        return z

    before = [state.numpy() for state in random_states(gan)]
    samples = [gan.distribute_strategy.run(sample).values for _ in range(2)]
    assert len(np.unique(np.concatenate([np.ravel(samples)]))) == 2 * 2 * 4 * LATENT
    assert [state.numpy()[0] for state in random_states(gan)] == [b[0] for b in before]
    assert len(before) == 2  # of the latent vectors and of the label noise


def trained_run(words, name):
    main(
        [*QUICK, "--steps-per-epoch", "2", "--save-every", "1", *words, "--run-dir", name]
    )
    return Path(name)


@pytest.mark.slow
def test_after_an_epoch_all_replicas_have_one_state(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "common.fitting.callbacks.save_state", lambda gan, *_: seen.append(gan)
    )
    trained_run([*ALL, "--epochs", "1"], "run")  # BatchNormalization in G
    for variable in state_variables(seen[-1]):
        one, two = copies(variable)
        assert np.array_equal(one, two), variable.path


@pytest.mark.slow
def test_a_training_on_two_devices_is_resumed_bit_for_bit():
    whole = trained_run([*ALL, "--epochs", "2", "--ema", "0.9"], "whole")
    parts = trained_run([*ALL, "--epochs", "1", "--ema", "0.9"], "parts")
    main(["--resume", "parts", "--epochs", "2"])
    assert_same_results(whole, parts, 2)


@pytest.mark.slow
def test_with_one_device_all_is_that_one(monkeypatch, capsys):
    monkeypatch.setattr(strategy, "tf_strategy", tf.distribute.get_strategy)
    main(["--dry-run", "--preset", "quick", *ALL])
    assert "only one device found" in capsys.readouterr().out


def test_a_batch_that_devices_cannot_share_is_refused(capsys):
    assert "a multiple of 4" in refused(capsys, main, *QUICK, *ALL, "--batch-size", 6)


def test_other_backends_are_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(UserError, match="KERAS_BACKEND=torch"):
        strategy.start(Namespace(device="all"))


def tf_config(i, *ports):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}})


def test_several_machines_need_the_same_seed(monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", tf_config(0, 1, 2))
    assert "needs --seed: set the same" in refused(capsys, main, "--dry-run", *ALL)


def cluster_of(task='{"type": "worker", "index": 0}', **kinds):
    return f'{{"cluster": {json.dumps(kinds)}, "task": {task}}}'


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "3",
        '{"cluster": 3}',
        '{"clusters": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        cluster_of(worker=3),
        cluster_of(worker=[1, 2]),
        cluster_of(worker={"a:1": 0, "b:1": 1}),
        cluster_of(worker=["a", "b:1"]),
        cluster_of(worker=["a:0", "b:1"]),
        cluster_of(worker=["a:1", "b:65536"]),
        cluster_of(worker=["a:1", "a:1"]),
        cluster_of(worker=["a:1"], ps=["b:1"]),
        cluster_of(worker=["a:1"], chief=["b:1", "c:1"]),
        cluster_of('{"type": "worker", "index": 2}', worker=["a:1", "b:1"]),
        cluster_of('{"type": "worker", "index": -1}', worker=["a:1", "b:1"]),
        cluster_of('{"type": "worker", "index": "one"}', worker=["a:1", "b:1"]),
        cluster_of('{"type": "worker", "index": 1e999}', worker=["a:1", "b:1"]),
        cluster_of('{"type": "chief", "index": 0}', worker=["a:1", "b:1"]),
    ],
)
def test_a_wrong_tf_config_is_refused(monkeypatch, capsys, text):
    monkeypatch.setenv("TF_CONFIG", text)
    assert "TF_CONFIG is not valid" in refused(capsys, main, "--dry-run", *ALL)


def test_only_the_chief_writes(monkeypatch):
    assert strategy.is_chief()
    for i, chief in ((0, True), (1, False)):
        monkeypatch.setenv("TF_CONFIG", tf_config(i, 1, 2))
        assert strategy.is_chief() == chief
    cluster = {"chief": ["a:1"], "worker": ["b:1"]}
    for kind in cluster:
        task = {"type": kind, "index": 0}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
        assert strategy.is_chief() == (kind == "chief")


@pytest.mark.parametrize("index", [0, '"0"', '0, "trial": "1"'])
def test_the_chief_is_known_however_its_task_is_written(monkeypatch, index):
    task = f'{{"type": "worker", "index": {index}}}'
    monkeypatch.setenv("TF_CONFIG", cluster_of(task, worker=["a:1", "b:1"]))
    assert strategy.is_chief() and cluster.machines() == 2


def test_a_tf_config_that_is_not_used_is_told(monkeypatch):
    assert strategy.start(Namespace(device="auto")) == ""
    monkeypatch.setenv("TF_CONFIG", "any")
    assert "not used without --device all" in strategy.start(Namespace(device="auto"))


def two_processes(*words, second=None):
    """Start two trainings of one run on this machine; return them, the chief first.

    Args:
        words: the options of both.
        second: those of the second, if they are others.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    script = [sys.executable, str(ROOT / "mnist_gan" / "train.py"), *QUICK, *ALL]
    return [
        subprocess.Popen(
            [*script, *(second or words if i else words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TF_CONFIG": tf_config(i, *ports)},
        )
        for i in range(2)
    ]  # fmt: skip


@pytest.mark.slow
def test_two_processes_learn_what_two_devices_learn():
    words = ["--epochs", "2", "--steps-per-epoch", "2", "--save-every", "1"]
    processes = two_processes(*words)
    printed = [process.communicate(timeout=200) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], printed
    assert "2 devices of 2 machines" in printed[0][0] and "done" in printed[0][0]
    assert "only the chief" in printed[1][0] and "results in" not in printed[1][0]
    (run,) = Path("runs/mnist_gan").iterdir()
    devices = trained_run([*ALL, "--epochs", "2"], "devices")
    assert {path.name for path in run.iterdir()} == {p.name for p in devices.iterdir()}
    assert_same_results(run, devices, 2)


@pytest.mark.slow
@pytest.mark.parametrize("lost", [1, 0])
def test_a_lost_machine_ends_the_run_with_one_sentence_and_its_state(lost):
    words = ["--epochs", "10000", "--steps-per-epoch", "3", "--save-every", "10000"]
    processes = two_processes(*words)
    run = Path("runs/mnist_gan/0001")
    wait_for(run / "times.csv", processes[0])
    while (run / "times.csv").read_text().count("\n") < 3:  # the names and two epochs
        time.sleep(0.1)
    processes[lost].kill()
    _, complaint = processes[1 - lost].communicate(timeout=60)
    processes[lost].communicate()
    assert processes[1 - lost].returncode == 3, complaint
    assert complaint.startswith("error: another machine of TF_CONFIG stopped: ")
    assert complaint.count("\n") == 1
    with np.load(run / "state.npz") as state:
        epoch = int(state["epoch"])
    assert epoch > 0
    main(["--resume", str(run), "--epochs", str(epoch + 1)])


@pytest.mark.slow
def test_machines_that_would_train_something_else_are_refused():
    """Another rate, and a copy of the run from before its last epoch."""
    words = ["--epochs", "2", "--steps-per-epoch", "1", "--save-every", "1"]
    assert_refused(two_processes(*words, second=[*words, "--ema", "0.9"]), "options")
    assert not Path("runs").exists()
    run = trained_run([*words, "--epochs", "1"], "old")
    shutil.copytree(run, "copy")
    main(["--resume", str(run), "--epochs", "2"])
    again = ["--resume", str(run), "--epochs", "3"]
    stale = ["--resume", "copy", "--epochs", "3"]
    assert_refused(two_processes(*again, second=stale), "state to resume")


def assert_refused(processes, what):
    messages = [process.communicate(timeout=100)[1] for process in processes]
    assert [process.returncode for process in processes] == [2, 2], messages
    for complaint in messages:
        assert f"the machines of TF_CONFIG differ in their {what}: " in complaint
        assert complaint.count("\n") == 1


@pytest.mark.slow
def test_several_machines_are_stopped_by_sigterm():
    """TensorFlow sets its own handler for it."""
    words = ["--epochs", "10000", "--steps-per-epoch", "3", "--save-every", "10000"]
    processes = two_processes(*words)
    wait_for(Path("runs/mnist_gan/0001/times.csv"), processes[0])
    processes[0].terminate()
    printed = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [143, 3], printed
    assert "interrupted: resume with --resume" in printed[0][0]
