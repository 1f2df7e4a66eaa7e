"""Training in colour: CIFAR-10, CelebA, somebody's own pictures, as their user does."""

import csv
import json
import multiprocessing
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from draw_landscapes import draw_folder
from helpers import refused, run_here
from PIL import Image

from celeba_gan import load_data as celeba_data
from celeba_gan import train_discriminator as celeba_solo
from celeba_gan.compare_memory import measure
from celeba_gan.train import ARCHITECTURES
from celeba_gan.train import main as celeba
from cifar10_gan import load_data as cifar10_data
from cifar10_gan import train_discriminator as cifar10_solo
from cifar10_gan.train import main as cifar10
from common import training
from common.checkpoints import load_generator, load_model
from common.data import datasets
from common.generate import main as generate
from mnist_gan.train import main as mnist

TINY = ["--batch-size", "8", "--steps-per-epoch", "2", "--seed", "5"]
SMALL = ["--size", "32", "--architecture", "narrow"]
MAINS = {"mnist_gan": mnist, "cifar10_gan": cifar10, "celeba_gan": celeba}
FOLDERS = ["cifar10_gan", "celeba_gan"]


def run_of(folder):
    return Path("runs") / folder / "0001"


def weights(run, epoch):
    kinds = ("generator", "discriminator")
    models = [load_model(run / f"{kind}_model_{epoch:03d}.h5") for kind in kinds]
    return np.concatenate([w.numpy().ravel() for m in models for w in m.weights])


def rows(run):
    return list(csv.DictReader((run / "history.csv").open()))


@pytest.mark.slow
def test_dry_run_trains_on_shapes_and_says_so(monkeypatch, capsys, folder="cifar10_gan"):
    printed, _ = run_here(f"{folder}/train.py", ["--dry-run"], monkeypatch, capsys)
    run = run_of(folder)
    assert "NOT PHOTOGRAPHS" in printed and "shapes" in printed
    record = json.loads((run / "options.json").read_text())
    assert record["options"]["d_batches"] == "separate"
    assert record["data"]["name"] == "synthetic"
    (row,) = rows(run)
    assert list(row)[2:] == ["d1", "d2", "g_loss", "acc_real", "acc_fake", "acc_adv"]
    with Image.open(run / "generated_plot_e001.png") as grid:
        colours = np.asarray(grid.convert("RGB"))
    assert (colours[0] == 255).all()  # white paper between the images
    assert abs(colours[4:-4].mean() - 127) < 40  # grey, as of an untrained G, rescaled
    _, latent_dim, made = load_generator(run / "generator_model_001.h5")
    assert (latent_dim, made) == (100, (-1, 1))


@pytest.mark.slow
def test_the_best_preset_of_photographs_keeps_ds_slope_small():
    words = ["--data", "synthetic", "--batch-size", "8", "--epochs", "1", "--seed", "5"]
    cifar10(["--preset", "best", *words, "--steps-per-epoch", "30"])
    run = run_of("cifar10_gan")
    g_model, latent_dim, made = load_generator(run / "generator_model_001.h5")
    assert (len(g_model.inputs), latent_dim, made) == (2, 64, (-1, 1))
    d_model = load_model(run / "discriminator_model_001.h5")
    models = [d_model, *(x for x in d_model.layers if isinstance(x, keras.Model))]
    kernels = [
        layer.layer.kernel.numpy()
        for model in models
        for layer in model.layers
        if isinstance(layer, keras.layers.SpectralNormalization)
    ]
    norms = [np.linalg.norm(k.reshape(-1, k.shape[-1]), 2) for k in kernels]
    assert len(norms) >= 3 and norms == pytest.approx([1] * len(norms), abs=0.1)


@pytest.mark.slow
def test_the_best_preset_of_faces_scores_pairs():
    celeba(["--dry-run", "--preset", "best"])
    (row,) = rows(run_of("celeba_gan"))
    assert list(row)[2:] == ["d_loss", "g_loss", "score_real", "score_fake"]
    options = json.loads((run_of("celeba_gan") / "options.json").read_text())["options"]
    assert (options["architecture"], options["penalty"]) == ("narrow", 0.1)
    generate([str(run_of("celeba_gan") / "generator_model_001.h5")])


@pytest.mark.slow
def test_halves_are_chosen_by_one_option():
    data = ["--data", "synthetic", *SMALL, "--epochs", "1", "--preset", "quick"]
    columns = {"mixed": {"d_loss"}, "separate": {"d1", "d2"}}
    for d_batches, expected in columns.items():
        celeba([*data, *TINY, "--d-batches", d_batches, "--run-dir", d_batches])
        (row,) = rows(Path(d_batches))
        assert {"d_loss", "d1", "d2"} & set(row) == expected
    assert not np.array_equal(weights(Path("mixed"), 1), weights(Path("separate"), 1))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["tutorial", "dense"])
def test_own_pictures_from_a_folder_to_a_grid(capsys, architecture):
    draw_folder("photos", 66)
    Path("photos", "notes.txt").write_text("no picture")
    words = ["--data", "photos", "--size", "32", "--architecture", architecture]
    celeba([*words, *TINY, "--epochs", "1"])
    printed = capsys.readouterr().out
    assert "66 images of photos" in printed and "notes.txt" in printed
    run = run_of("celeba_gan")
    with Image.open(run / "generated_plot_e001.png") as grid:
        grid.load()
    generate([str(run / "generator_model_001.h5"), "--vector", "0.75"])
    with Image.open(run / "generated_by_generator_model_001.png") as one:
        assert one.mode == "RGB"


@pytest.mark.slow
def test_grey_pictures_train_a_model_of_one_channel():
    Path("scans").mkdir()
    for i in range(64):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 50), dtype=np.uint8)
        Image.fromarray(pixels).convert("RGB").save(f"scans/{i}.png")
    celeba(["--data", "scans", *SMALL, *TINY, "--epochs", "1"])
    g_model, _, _ = load_generator(run_of("celeba_gan") / "generator_model_001.h5")
    assert g_model.output_shape == (None, 32, 32, 1)


def test_grey_pictures_are_shown_as_they_are(monkeypatch, capsys):
    Path("scans").mkdir()
    for i in range(64):
        Image.new("L", (40, 40), 230).save(f"scans/{i}.png")
    monkeypatch.setattr(celeba_data, "measure_loader", lambda dataset: 1)
    monkeypatch.setattr(celeba_data, "measure_training", lambda dataset: 1)
    celeba_data.main(["--data", "scans", "--size", "32"])
    with Image.open(run_of("celeba_gan") / "real_samples.png") as grid:
        assert np.asarray(grid)[grid.height // 2, grid.width // 2].tolist() == [230] * 3


@pytest.mark.slow
def test_training_inside_the_folder_of_pictures_never_learns_from_its_own(monkeypatch):
    draw_folder("photos", 64)
    monkeypatch.chdir("photos")
    words = ["--data", ".", *SMALL, *TINY, "--save-every", "1"]
    celeba([*words, "--epochs", "1"])
    celeba(["--resume", str(run_of("celeba_gan")), "--epochs", "2"])
    celeba([*words, "--epochs", "1"])
    record = json.loads(Path("runs/celeba_gan/0002/options.json").read_text())
    assert record["data"]["shape"][0] == 64


@pytest.mark.slow
def test_a_run_goes_on_when_its_pictures_were_moved():
    draw_folder("photos", 64)
    celeba(["--data", "photos", *SMALL, *TINY, "--epochs", "1"])
    Path("photos").rename("moved")
    resume = ["--resume", str(run_of("celeba_gan")), "--epochs", "2"]
    celeba([*resume, "--data", "moved"])
    assert {row["epoch"] for row in rows(run_of("celeba_gan"))} == {"1", "2"}


@pytest.mark.slow
def test_a_damaged_file_in_the_cache_is_told_and_can_be_deleted(capsys):
    draw_folder("photos", 64)
    celeba_data.load_images("photos", 32)
    (cached,) = Path("keras/datasets/packed").iterdir()
    cached.write_bytes(cached.read_bytes()[:5000])
    words = ["--data", "photos", *SMALL, *TINY, "--epochs", "1"]
    assert "delete it: the next run packs" in refused(capsys, celeba, *words)
    cached.unlink()
    celeba(words)


def test_too_few_pictures_leave_no_file_in_the_cache(capsys):
    draw_folder("few", 63)
    Path("few", "notes.txt").touch()
    assert "at least 64" in refused(capsys, celeba, "--data", "few")
    assert not list(Path("keras").rglob("*.hdf5"))


@pytest.mark.parametrize("module", [cifar10_solo, celeba_solo])
def test_random_pixels_have_the_range_of_the_images(monkeypatch, module):
    seen = {}
    monkeypatch.setattr(
        module.steps, "train_discriminator", lambda *words, **range_: seen.update(range_)
    )
    module.train_discriminator(None, None)
    assert seen == {"low": -1, "high": 1}


@pytest.mark.slow
def test_memory_is_measured_of_what_is_trained():
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        found = fresh.apply(measure, ("dense", 32, 2))
    define_g, define_d, _ = ARCHITECTURES["dense"]
    models = define_g(100, (32, 32, 3)), define_d((32, 32, 3))
    n_bytes = 4 * sum(model.count_params() for model in models)
    assert found["parameters"] == pytest.approx(n_bytes / 2**20)
    # Weights, their gradients and Adam's two means are all in memory at once.
    assert found["peak"] > 3 * n_bytes / 2**20


@pytest.mark.slow
def test_an_epoch_of_few_images_has_steps_enough(monkeypatch):
    assert training.MIN_STEPS == 100
    monkeypatch.setattr(training, "MIN_STEPS", 40)  # more than 64 images in twos
    draw_folder("photos", 64)
    words = ["--data", "photos", *SMALL, "--batch-size", "2", "--epochs", "1"]
    celeba([*words, "--seed", "1"])
    assert rows(run_of("celeba_gan"))[-1]["step"] == "40"


BAD = {
    "no such size": (["--size", "65"], "65"),
    "crop 0": (["--crop", "0"], "above 0"),
    "crop beyond the picture": (["--crop", "1.5"], "at most 1"),
    "unknown architecture": (["--architecture", "huge"], "huge"),
    "unknown d_batches": (["--d-batches", "third"], "third"),
    "no CelebA": ([], "mmlab.ie.cuhk.edu.hk"),
    "no CelebA, by name": (["--data", "celeba"], "with --data"),
    "no such folder": (["--data", "nowhere"], "nowhere"),
    "an empty name": (["--data", ""], "is empty: add a value"),
    "quota page with a mark": (["--data", "marked.zip"], "web page"),
    "too few": (["--data", "few"], "at least 64"),
    "quota page": (["--data", "page.zip"], "web page"),
    "a model": (["--data", "text.hdf5"], "HDF5"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_and_sources_get_one_sentence(capsys, case):
    words, expected = BAD[case]
    draw_folder("few", 3)
    Path("page.zip").write_text("<!DOCTYPE html><html>Quota exceeded</html>")
    Path("marked.zip").write_text("\ufeff<!-- quota --> <HTML></HTML>")
    Path("text.hdf5").write_text("no HDF5")
    assert expected in refused(capsys, celeba, *words)
    assert not Path("runs").exists()


@pytest.mark.slow
def test_a_packed_file_of_another_size_is_refused(capsys):
    from common.data.packing import pack

    draw_folder("photos", 64)
    pack(Path("photos"), Path("photos.hdf5"), size=32)
    assert "--size 32" in refused(capsys, celeba, "--data", "photos.hdf5")
    words = ["--data", "photos.hdf5", "--crop", "0.5"]
    assert "leave --crop out" in refused(capsys, celeba, *words)
    celeba(["--data", "photos.hdf5", *SMALL, *TINY, "--epochs", "1"])


def test_celeba_is_taken_from_the_data_folder_with_its_usual_crop(monkeypatch):
    monkeypatch.setenv("GAN_DATA_DIR", "data")
    draw_folder(Path("data/celeba/img_align_celeba"), 64)
    folder = Path("data/celeba/img_align_celeba").absolute()
    images = celeba_data.load_images("auto", 32)
    assert images.name == "img_align_celeba" and images.pixels.shape == (64, 32, 32, 3)
    with h5py.File(images.source) as file:
        assert file.attrs["crop"] == 0.72
    by_path = celeba_data.load_images(str(folder), 32)
    assert by_path.source == images.source
    whole = celeba_data.load_images("auto", 32, crop=1.0)
    assert not np.array_equal(images.pixels, whole.pixels)


def test_no_cifar10_is_told_before_anything_is_made(capsys):
    message = refused(capsys, cifar10)
    for way in ("GAN_DATA_DIR", "download", "--data synthetic"):
        assert way in message
    assert not Path("runs").exists()


@pytest.mark.parametrize("scale", [cifar10_data.scale, celeba_data.scale])
def test_colours_are_scaled_to_the_range_of_tanh(scale):
    scaled = scale(np.array([0, 51, 255], "uint8"))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, [-1, -0.6, 1], atol=1e-6)


def test_scaled_images_are_scaled_when_they_are_drawn():
    pixels = np.arange(12, dtype="uint8").reshape(3, 2, 2, 1)
    dataset = datasets.Scaled(pixels, cifar10_data.scale)
    assert len(dataset) == 3 and dataset.shape == (3, 2, 2, 1)
    np.testing.assert_array_equal(dataset[[2, 0]], cifar10_data.scale(pixels[[2, 0]]))
    np.testing.assert_array_equal(dataset.take([2])[[0]], dataset[[2]])
