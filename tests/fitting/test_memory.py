"""Training that does not fit into memory is rejected before it begins."""

from pathlib import Path

import keras
from helpers import refused

from common.fitting import memory
from mnist_gan import define_discriminator, define_generator
from mnist_gan.train import main


def test_a_batch_that_cannot_fit_is_refused_with_one_that_does(capsys, monkeypatch):
    Path("mine").mkdir()
    before = sorted(Path().iterdir())
    monkeypatch.setattr(memory, "free_bytes", lambda: 700 * 2**20)
    words = ["--data", "digits", "--batch-size"]
    for run in ([], ["--run-dir", "new"], ["--run-dir", "mine"]):
        message = refused(capsys, main, *words, 1000, *run)
        assert "at most --batch-size 256" in message and "GiB are free" in message
        assert sorted(Path().iterdir()) == before
    memory.check(*tutorial_models(), 256)
    monkeypatch.setattr(memory, "free_bytes", lambda: 2**20)
    assert "smaller models" in refused(capsys, main, *words, 2)


def test_what_a_step_takes_grows_as_the_layers_outputs():
    an_image, always = memory.bytes_of_step(*tutorial_models())
    outputs = 3 * 7 * 7 * 128 + 2 * 14 * 14 * 128 + 2 * 28 * 28 * 128 + 28 * 28
    outputs += 3 * 14 * 14 * 64 + 3 * 7 * 7 * 64 + 7 * 7 * 64 + 1
    assert an_image == 4 * outputs
    assert always == 16 * (1_164_289 + 40_705)
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert 0.5 * an_image <= memory.bytes_of_step(*tutorial_models())[0] < 0.51 * an_image


def tutorial_models():
    return (
        define_generator.define_generator(100),
        define_discriminator.define_discriminator(),
    )


def test_a_container_has_the_memory_that_its_limit_leaves(tmp_path, monkeypatch):
    """Its own limit, and those of the groups around it."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    names = memory.CGROUPS[""][:-1]
    monkeypatch.setattr(memory, "CGROUPS", {"": (*names, str(tmp_path))})
    monkeypatch.setattr(memory, "CGROUP_LIST", tmp_path / "own")
    (tmp_path / "own").write_text("3:cpu,cpuacct:/other\n0::/outer/inner\n")
    for folder in (inner, inner.parent):
        (folder / "memory.max").write_text(str(3 * 2**20))
        (folder / "memory.current").write_text(str(2 * 2**20))
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {2**19}\n")
        assert memory.free_bytes() == 1.5 * 2**20
        (folder / "memory.max").write_text("max\n")
        assert memory.free_bytes() > 2**28
