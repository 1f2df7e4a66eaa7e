"""`common/generate.py`: images of saved generators, and invalid input."""

from pathlib import Path

import numpy as np
import pytest
from helpers import refused
from PIL import Image
from small_gans import quick_models

from common import checkpoints, plotting
from common.generate import main
from common.sampling import generate_images

RUN = Path("runs/mnist_gan/0001")
MODEL = "generator_model_003.h5"


@pytest.fixture
def saved():
    """Save a generator with latent_dim 10 and its D in a run folder."""
    RUN.mkdir(parents=True)
    g_model, d_model, _ = quick_models(10)
    checkpoints.save_models(RUN, 3, g_model, d_model)
    return g_model, d_model


def grid_of(images, columns):
    plotting.save_grid(images, Path("expected.png"), columns)
    return Path("expected.png").read_bytes()


def test_grid_is_saved_beside_the_model_and_never_overwritten(saved, capsys):
    main([MODEL, "--seed", "4"])
    main([MODEL, "--seed", "4", "-n", "9"])
    first, second = sorted(RUN.glob("*.png"))
    assert str(first) in capsys.readouterr().out
    z = np.random.default_rng(4).standard_normal((25, 10)).astype("float32")
    images = generate_images(saved[0], z)
    assert first.read_bytes() == grid_of(images, 5)
    assert second.read_bytes() == grid_of(images[:9], 3)


def test_newest_run_that_has_the_name_is_taken(saved, capsys):
    newer = RUN.parent / "0002"
    newer.mkdir()
    checkpoints.save_models(newer, 3, *quick_models(10)[:2])
    main([MODEL])
    assert f"using {newer / MODEL}" in capsys.readouterr().out


def test_constant_vector_gives_the_single_image(saved):
    main([MODEL, "--vector", "0.0", "--out", "zero.png"])
    image = generate_images(saved[0], np.zeros((1, 10), "float32"))
    assert Path("zero.png").read_bytes() == grid_of(image, 1)


def test_a_tilde_is_the_home_folder_also_behind_an_equals_sign(saved, monkeypatch):
    monkeypatch.setenv("HOME", str(Path("home").absolute()))
    Path("home").mkdir()
    main([MODEL, "--out=~/g.png", "--images=~/each", "-n", "2"])
    assert sorted(p.name for p in Path("home").iterdir()) == ["each", "g.png"]
    assert not Path("~").exists()


def test_latent_vectors_from_a_file_and_single_images(saved):
    z = np.random.default_rng(0).standard_normal((3, 10))
    np.save("z.npy", z)
    main([MODEL, "--latent", "z.npy", "--images", "singles", "--out", "grid.png"])
    images = generate_images(saved[0], z.astype("float32"))
    files = sorted(Path("singles").iterdir())
    assert [f.name for f in files] == ["0000.png", "0001.png", "0002.png"]
    for file, image in zip(files, images, strict=True):
        pixels = np.asarray(Image.open(file))
        np.testing.assert_allclose(pixels, image[..., 0] * 255, atol=0.51)


def test_captions_are_the_discriminators_outputs(saved, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        plotting,
        "save_captioned_grid",
        lambda images, captions, *others: seen.update(captions=captions),
    )
    main(
        [MODEL, "--seed", "4", "-n", "4", "--discriminator", "discriminator_model_003.h5"]
    )
    z = np.random.default_rng(4).standard_normal((4, 10)).astype("float32")
    outputs = saved[1].predict(generate_images(saved[0], z), verbose=0)
    assert seen["captions"] == [f"{p:.2f}" for p in outputs[:, 0]]


def test_without_a_model_the_models_are_listed(saved, capsys):
    main([])
    assert str(RUN / MODEL) in capsys.readouterr().out


def test_show_without_a_display_prints_the_path(saved, capsys, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    main([MODEL, "--show", "--out", "grid.png"])
    assert "see grid.png" in capsys.readouterr().out


BAD_WORDS = {
    "unknown name": (["nope.h5"], "nope.h5"),
    "unknown path": (["somewhere/nope.h5"], "somewhere/nope.h5"),
    "a discriminator": (["discriminator_model_003.h5"], "is a discriminator"),
    "not a model": (["z.npy"], "neither an .h5"),
    "no images": ([MODEL, "-n", "0"], "at least 1"),
    "vectors that are not there": ([MODEL, "--latent", "nope.npy"], "nope.npy"),
    "vectors of another length": ([MODEL, "--latent", "z.npy"], "(3, 7)"),
    "vectors that are text": ([MODEL, "--latent", "text.npy"], "text.npy"),
    "vectors that are no array": ([MODEL, "--latent", "note.npy"], "note.npy"),
    "a vector in words": ([MODEL, "--vector", "big"], "--vector"),
    "a vector without end": ([MODEL, "--vector", "nan"], "--vector"),
    "two kinds of z": ([MODEL, "--vector", "1", "--latent", "a.npy"], "not allowed"),
    "a grid that is there": ([MODEL, "--out", "there.png"], "there.png"),
    "a grid that is no png": ([MODEL, "--out", "grid.jpg"], ".png"),
    "a grid nowhere": ([MODEL, "--out", "no/folder/grid.png"], "no/folder"),
    "a folder that is there": ([MODEL, "--images", "runs"], "runs"),
    "a generator as D": ([MODEL, "--discriminator", MODEL], "not a discriminator"),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_bad_input_gets_one_message_and_leaves_nothing(saved, capsys, case):
    words, expected = BAD_WORDS[case]
    np.save("z.npy", np.zeros((3, 7)))
    np.save("text.npy", np.array(["a"]))
    Path("note.npy").write_text("hello")
    Path("there.png").touch()
    before = sorted(Path().rglob("*"))
    assert expected in refused(capsys, main, *words)
    assert sorted(Path().rglob("*")) == before


def test_without_any_run_the_message_names_train(capsys):
    assert "train" in refused(capsys, main)
