"""`common/explore.py` on generators with known units, built by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import make_quick, refused, run_script, slow
from keras import layers
from known_generators import (
    MODEL,
    conditional,
    explore,
    files,
    paint,
    random_generator,
    save,
    shapes_generator,
)
from PIL import Image

from common import checkpoints
from common.data.mnist import load_images
from common.explore import COMMANDS, main
from common.exploring import arithmetic, interpolate, traverse
from common.exploring.geometry import sefa_directions
from common.exploring.subject import Subject
from mnist_gan import quick


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("keras")


@pytest.fixture
def classifier(monkeypatch, cache):
    """Use a classifier of the small digits, trained once for all of these tests."""
    monkeypatch.setenv("KERAS_HOME", str(cache))
    make_quick(monkeypatch)


@pytest.mark.parametrize(
    ("command", "made"),
    [
        slow("interpolate", ["grid.png", "loop.gif", "loop.mp4", "steps.png"]),
        slow("arithmetic", ["contact_sheet.png", "seeds.png"]),
        ("traverse", ["traverse.png"]),
        slow("truncation", ["truncation.png"]),
        slow("dissect", ["switched.png", "units.csv", "units.png"]),
    ],
)
def test_a_command_needs_nothing_but_the_model(command, made, capsys):
    """Without real images; the results are saved beside the model."""
    words = ["--masks", paint()] if command == "dissect" else []
    explore(command, save(shapes_generator()), *words)
    assert files(f"generator_model_001_{command}") == made
    for name in made:
        if name.endswith(("png", "gif")):
            with Image.open(f"generator_model_001_{command}/{name}") as picture:
                picture.load()
                assert picture.width > 100 and len(picture.convert("L").getcolors()) > 1
    explore(command, MODEL, *words)  # nothing is overwritten
    again, first = (Path(f"generator_model_001_{command}{end}") for end in ("_2", ""))
    for name in made:
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


def test_a_jump_stands_out_from_its_neighbours():
    hill = 1 + 9 * np.exp(-(((np.arange(60) - 20) / 8) ** 2))
    assert "at 34% of the path; sum" in interpolate.describe(hill)
    hill[45] = 20
    assert "at 76% of the path, a jump" in interpolate.describe(hill)


def test_an_interrupted_command_leaves_nothing(monkeypatch):
    def stop(*words, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(arithmetic, "save_captioned_grid", stop)
    save(shapes_generator())
    with pytest.raises(SystemExit) as code:
        explore("arithmetic", MODEL)
    assert code.value.code == 130 and files(".") == [str(MODEL)]


def test_directions_of_weights_are_of_the_first_layer(capsys):
    """Two coordinates of z have an effect: they are the first two directions."""
    explore("traverse", save(shapes_generator()), "--of", "weights", "-n", "3")
    printed = capsys.readouterr().out.splitlines()
    shares = [line.split()[2] for line in printed if line.startswith(">direction")]
    assert shares == ["62%", "38%", "0%"]  # of 16 and of 10 pixels
    assert printed[-2].startswith(">20 random directions")


def test_of_a_layer_with_its_activation_the_weights_count_alone():
    model = random_generator(4)  # tanh stands in its first layer
    subject = Subject(save(model))
    options = type("", (), {"label": None})
    directions, shares = traverse.of_weights(subject, options)
    expected = sefa_directions(model.layers[0].get_weights()[0])
    np.testing.assert_allclose(directions, expected[0], atol=1e-4)
    np.testing.assert_allclose(shares, expected[1], atol=1e-5)


def test_of_classes_the_weights_are_those_of_this_class():
    model = conditional(4)
    codes = next(x for x in model.layers if isinstance(x, layers.Embedding))
    codes.set_weights([np.float32([[1, 1, 1, 1], [9, 1, 1, 1], [1, 1, 1, 9]])])
    subject = Subject(save(model))
    for label, number in (("1", 0), ("2", 3)):
        directions, _ = traverse.of_weights(subject, type("", (), {"label": label}))
        assert np.abs(directions[0]).argmax() == number


@pytest.mark.slow
def test_the_classes_at_both_ends_are_those_of_the_options():
    subject = Subject(save(conditional()))
    generate, codes = interpolate.generator_from_embeddings(subject, ["2", "0"], 2)
    vectors = np.stack([subject.latent_vector(3), subject.latent_vector(8)])
    expected = subject.generate(vectors, np.array([2, 0]))
    np.testing.assert_allclose(generate(vectors, codes), expected, atol=1e-6)
    explore("interpolate", MODEL, "--seeds", 3, 8, "--labels", 2, 0)


def test_picks_give_a_minus_b_plus_c(monkeypatch, capsys):
    """A bright square and a faint bar, less a faint square, plus a bright bar."""
    subject = Subject(save(shapes_generator()))
    vectors = subject.latent_vectors(64, 0)
    by_square, by_bar = (np.argsort(vectors[:, i]) for i in (0, 1))
    a, b, c = by_square[-3:], by_square[:3], by_bar[-3:]
    saved, save_rows = [], arithmetic.save_rows
    monkeypatch.setattr(
        arithmetic, "save_rows", lambda *words: saved.append(words) or save_rows(*words)
    )
    explore("arithmetic", MODEL, "--a", *a, "--b", *b, "--c", *c)
    assert "arithmetic.png" in files("generator_model_001_arithmetic")
    z = vectors[a].mean(axis=0) - vectors[b].mean(axis=0) + vectors[c].mean(axis=0)
    expected = subject.generate(z[np.newaxis])[0]
    np.testing.assert_allclose(saved[0][0][-1][0], expected, atol=1e-6)
    explore("arithmetic", MODEL)
    assert "choose images" in capsys.readouterr().out


@pytest.mark.slow
def test_an_image_of_the_generator_finds_its_way_back(capsys):
    path = save(random_generator())
    subject = Subject(path)
    image = subject.generate(subject.latent_vectors(1, 99))[0, ..., 0]
    Image.fromarray(subject.to_bytes(image)).save("target.png")
    explore("project", path, "target.png", "--steps", 300, "--restarts", 4)
    printed = capsys.readouterr().out
    best = float(printed.split("best error ")[1].split(",")[0])
    by_chance = float(printed.split("mean error ")[1].split(",")[0])
    assert best < 0.01 < 0.1 < by_chance  # 8-bit rounding is 0.002
    folder = Path("generator_model_001_project")
    assert files(folder) == ["errors.png", "point.npy", "projection.png"]
    again = subject.generate(np.load(folder / "point.npy"))[0, ..., 0]
    assert np.sqrt(np.mean((again - image) ** 2)) < 0.01


def test_a_real_image_is_found_by_its_number_and_class(capsys):
    words = ["--data", "digits", "--steps", 20, "--restarts", 3]
    explore("project", save(conditional()), 5, *words, "--label", 1)
    assert "--latent point.npy --label 1" in capsys.readouterr().out


@pytest.mark.slow
def test_psi_buys_certainty_with_variety(capsys, classifier):
    words = ["--data", "digits", "--psi", 0.1, 1, "-n", 60]
    explore("truncation", save(random_generator()), *words)
    printed = capsys.readouterr().out
    shares = [int(line.split()[3].strip("%,")) for line in printed.splitlines()
              if line.startswith(">psi")]  # fmt: skip
    assert shares[0] < shares[1] / 2 and printed.count("confidence") == 2


@pytest.mark.slow
def test_a_collapsed_generator_has_twins(capsys, classifier):
    """All generated images are near-duplicates, and 1% of the real images."""
    same = random_generator()
    same.layers[1].kernel.assign(1e-3 * same.layers[1].kernel)
    explore("diversity", save(same), "--data", "digits", "-n", 100)
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith(">")]
    assert len(lines) == 2 and all("100% of 100 generated" in line for line in lines)
    assert files("generator_model_001_diversity") == ["distances.png", "pairs.png"]


@pytest.mark.slow
def test_the_file_names_its_images_and_classifier(capsys, classifier, monkeypatch):
    """A model file as `train.py` saves it, without other files."""
    make_quick(monkeypatch)
    record = {
        "script": "mnist_gan/train.py",
        "options": {"data": "digits", "epochs": 1},
        "data": load_images("digits").describe(),
    }
    run = Path("run")
    run.mkdir()
    (run / "options.json").write_text(json.dumps(record))
    checkpoints.save_models(run, 1, shapes_generator(), quick.define_discriminator())
    (run / "options.json").unlink()
    explore("dissect", run / MODEL, "-n", 20, "--units", 0)
    assert "confidence" in capsys.readouterr().out
    assert "classes.png" in files(run / "generator_model_001_dissect")
    header = (run / "generator_model_001_dissect/units.csv").read_text().splitlines()[0]
    assert "evidence of 9" in header
    explore("interpolate", run / MODEL)
    assert "straight, features" in capsys.readouterr().out
    explore("project", run / MODEL, 3, "--steps", 10)


WRONG = [
    (["interpolate", MODEL, "--seeds", 3], "at least 2 seeds"),
    (["interpolate", MODEL, "--labels", 1], "--conditional"),
    (["interpolate", "conditional.h5", "--labels", 1, 2], "3 seeds, got 2"),
    (["interpolate", "conditional.h5", "--labels", 7], "no such class"),
    (["traverse", MODEL, "--label", 1], "--conditional"),
    (["traverse", MODEL, "--reach", 0], "above 0"),
    (["arithmetic", MODEL, "--a", 1, "--b", 2], "give all three"),
    (["arithmetic", MODEL, "--a", 64, "--b", 2, "--c", 3], "at most 63"),
    (["dissect", MODEL, "--layer", "nose"], "shapes (14, 14, 3)"),
    (["dissect", MODEL, "--units", 3], "shapes has units 0 to 2"),
    (["dissect", MODEL, "--concept", "soul"], "choose one of stroke"),
    (["dissect", MODEL, "--concept", "hole", "--run-dir", "empty"], "by chance"),
    (["dissect", MODEL, "--concept", "hole"], "twice the IoU by chance"),
    (["dissect", MODEL, "--masks", "."], "no .png files"),
    (["dissect", MODEL, "--masks", "black"], "is black"),
    (["dissect", "dense.h5"], "no layer with feature maps"),
    (["project", MODEL, "nowhere.png"], "there is no such file"),
    (["project", MODEL, 3], "set --data"),
    (["project", MODEL, 297, "--data", "digits"], "from 0 to 296"),
    (["diversity", MODEL], "set --data"),
    (["diversity", MODEL, "--data", "cifar-10"], "was not found"),
    (["diversity", MODEL, "-n", 10], "at least 50"),
    (["truncation", MODEL, "--psi", "x"], "finite number"),
    (["truncation", "nothing.h5"], "nothing.h5"),
    (["truncation", "discriminator.h5"], "is a discriminator"),
    (["truncation"], "MODEL"),
    (["dream", MODEL], "dream"),
    ([], "no COMMAND"),
    (["interpolate", "one.h5", "--seeds", 1, 4], "are opposite"),
    (["traverse", "nan.h5", "--of", "weights"], "NaN"),
    (["interpolate", "nan.h5"], "NaN"),
    (["dissect", "nan.h5"], "NaN"),
    (["project", "nan.h5", "black/0.png"], "NaN"),
    (["traverse", MODEL, "--run-dir", "black"], "not an empty folder"),
    (["traverse", MODEL, "--run-dir", "black/0.png/x"], "cannot create"),
]


def test_invalid_options_are_answered_in_one_line_and_leave_nothing(capsys):
    save(shapes_generator())
    save(conditional(), "conditional.h5")
    save(random_generator(), "dense.h5")
    save(quick.define_discriminator(), "discriminator.h5")
    Path("black").mkdir()
    Image.fromarray(np.zeros((8, 8), "uint8")).save("black/0.png")
    save(random_generator(1), "one.h5")
    broken = conditional()
    broken.set_weights([np.nan * w for w in broken.get_weights()])
    save(broken, "nan.h5")
    Path("empty").mkdir()
    before = files(".")
    for words, message in WRONG:
        assert message in refused(capsys, main, *words), words
        assert files(".") == before, words


@pytest.mark.slow
def test_it_runs_by_its_path_and_each_help_names_what_to_look_for(capsys):
    save(shapes_generator())
    answer = run_script("common/explore.py", "traverse", MODEL, "--seed", "4")
    assert answer.returncode == 0 and "saved traverse.png" in answer.stdout
    assert not answer.stderr
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        printed = capsys.readouterr().out
        assert stop.value.code == 0 and "20" in printed
        assert "look for" in printed or "looks" in printed, command
