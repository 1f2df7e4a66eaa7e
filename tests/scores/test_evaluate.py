"""`common/evaluate.py`: scores of models, runs and pictures."""

import time
from pathlib import Path

import numpy as np
import pytest
from evaluated import (
    FEW,
    FIRST,
    OTHER_RUNS,
    SECOND,
    choosing,
    lines,
    of_classes,
    save,
    score,
)
from helpers import make_quick
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common.data.mnist import load_images
from common.runs.state import find_state
from common.scores import scorer as scorer_module
from common.scores.best import save_curves
from common.scores.features import choose_features
from common.scores.memorization import detect_memorization
from common.scores.references import load_reference
from common.scores.scorer import Scorer
from mnist_gan import train

pytestmark = pytest.mark.usefixtures("one_classifier")


def test_the_line_of_a_model_holds_the_protocol(run, capsys, place):
    words = [run / FIRST, "-n", "100", "--repeats", "2"]
    score(*words)
    output = capsys.readouterr().out
    (line,) = lines()
    assert (line["epoch"], line["model"]) == (1, FIRST)
    fd = line["scores"]["fd"]
    assert f"{fd['mean']:.2f} +- {fd['std']:.2f}" in output
    head = "n = 100 per set, mine classifier; +-: 2 samplings of the same generator"
    assert f"\n{head}\n" in output and f"| {head} " in output
    assert line["floor"]["what"] == "test against train, n = 100"
    assert line["ceiling"]["what"] == "untrained generator"
    floor, ceiling = line["floor"]["scores"], line["ceiling"]["scores"]
    assert set(line["scores"]) - {"copies"} == set(floor) == set(ceiling)
    assert floor["fd"] < fd["mean"] and floor["kd"] < line["scores"]["kd"]["mean"]
    assert line["date"] == time.strftime("%Y-%m-%d") and "commit" in line
    train, test = load_reference(str(place / "mine.npz"), (28, 28, 1))
    features = choose_features("classifier", train, test)
    assert line["protocol"] == {
        "data": "mine", "fingerprint": train.describe()["fingerprint"],
        "split": "train", "n": 100, "n_real": 100, "features": "mine-classifier",
        "features_hash": features.digest, "accuracy": features.accuracy,
        "resize": "none", "quantisation": "uint8", "seed": 0, "repeats": 2,
    }  # fmt: skip
    with Image.open(run / "nearest_e001.png") as picture:
        picture.load()


@pytest.mark.slow
def test_a_seed_repeats_the_scores_and_real_images_are_seen_once(run, monkeypatch):
    words = [run / SECOND, *FEW]
    score(*words)
    seen, look = [], scorer_module.extract_all

    def extract(features, pixels, picks=None):
        seen.append(picks)
        return look(features, pixels, picks)

    monkeypatch.setattr(scorer_module, "extract_all", extract)
    score(*words)
    assert len(seen) == 2 and not any(picks is not None for picks in seen)
    score(*words, "--seed", "1")
    one, again, other = lines()
    assert [look["protocol"].pop("seed") for look in (one, other)] == [0, 1]
    again["protocol"].pop("seed")
    assert one["protocol"] == other["protocol"]
    assert one == again
    assert one["scores"]["fd"] != other["scores"]["fd"]
    assert one["floor"] == other["floor"] and one["ceiling"] == other["ceiling"]


def test_all_of_a_run_are_scored_and_the_best_is_named(run, capsys):
    score(run, *FEW)
    output = capsys.readouterr().out
    first, second = lines()
    assert (first["epoch"], second["epoch"]) == (1, 2)
    assert second["scores"]["fd"]["mean"] < first["scores"]["fd"]["mean"] / 5
    assert first["scores"]["recall"]["mean"] < 0.2 < second["scores"]["recall"]["mean"]
    assert f"best by FD (mine classifier): {SECOND}\n" in output
    assert "TRAINING IMAGES" not in output
    with Image.open(run / "scores.png") as picture:
        picture.load()


def test_a_generator_of_training_images_is_flagged(data, capsys):
    save(choosing(load_images(data).pixels), "copies.h5")
    score("copies.h5", "--data", data, "-n", "400", "--repeats", "1")
    output = capsys.readouterr().out
    assert "MEMORIZED TRAINING IMAGES: in pixels, 100.0% of the generated" in output
    (line,) = lines(OTHER_RUNS / "0001")
    assert all(found["flagged"] for found in line["memorisation"].values())
    assert set(line["memorisation"]) == {"pixels", "features"}
    copies = line["scores"]["copies"]
    assert copies["mean"] == 1 and 0 < copies["std"] < 0.25
    assert line["scores"]["precision"]["mean"] > 0.9 and line["epoch"] is None


@pytest.mark.slow
def test_a_snapshot_of_nan_does_not_end_the_scoring(run, capsys):
    broken = choosing(np.zeros((3, 28, 28), np.uint8))
    broken.set_weights([w * np.nan for w in broken.get_weights()])
    save(broken, run / "generator_model_000.h5")
    score(run, *FEW)
    output = capsys.readouterr().out
    assert "generator_model_000.h5 is not scored: the generator outputs" in output
    assert f"best by FD (mine classifier): {SECOND}\n" in output and len(lines()) == 2


@pytest.mark.slow
def test_class_accuracy(data):
    train = load_images(data)
    means = np.stack([train.pixels[train.labels == k].mean(0) for k in range(10)])
    save(of_classes(means), "right.h5")
    save(of_classes(np.roll(means, 1, axis=0)), "wrong.h5")
    found = []
    for name in ("right.h5", "wrong.h5"):
        score(name, "--data", data, *FEW, "--run-dir", name[:-3])
        found.append(lines(Path(name[:-3]))[0]["scores"])
    right, wrong = (f["agreement"]["mean"] for f in found)
    assert right > 0.8 and wrong < 0.2
    assert found[0]["classes_seen"]["mean"] >= 9


def test_classes_are_as_frequent_as_in_the_real_images(data):
    """Test images in the order of their classes, as from subfolders."""
    train = load_images(data)
    train = train._replace(labels=np.repeat([0, 1], [675, 225]))
    scorer = Scorer(train, None, None, 400)
    _, labels = scorer.sample(of_classes(train.pixels[:10]), 0)
    assert np.bincount(labels) == pytest.approx([300, 100], abs=25)


@pytest.mark.slow
def test_exported_images_get_the_scores_of_their_generator(run, data):
    score(run / SECOND, *FEW, "--export", "singles")
    score("--images", "singles", "--data", data, "-n", "100")
    (model,), (images,) = lines(), lines(OTHER_RUNS / "0001")
    other, scored = images["scores"], model["scores"]
    for name in ("fd", "precision", "recall", "density", "coverage", "copies"):
        assert other[name]["mean"] == pytest.approx(scored[name]["mean"], abs=1e-6)
    spread = other["kd_error"]["mean"] + scored["kd_error"]["mean"]
    assert abs(other["kd"]["mean"] - scored["kd"]["mean"]) < 2 * spread  # other subsets
    assert images["model"] == "singles" and images["epoch"] is None
    assert images["protocol"]["resize"] == "none"
    assert images["ceiling"]["what"] == "uniform noise"


def test_pictures_sorted_by_class_are_sampled_from_all_of_them(data):
    train = load_images(data)
    for label in range(10):
        folder = Path("sorted", str(label))
        folder.mkdir(parents=True)
        for i, image in enumerate(train.pixels[train.labels == label][:30, ..., 0]):
            Image.fromarray(image).save(folder / f"{i}.png")
    score("--images", "sorted", "--data", data, "-n", "100")
    (line,) = lines(OTHER_RUNS / "0001")
    assert line["scores"]["classes_seen"]["mean"] == 10
    assert line["scores"]["classifier_score_split"]["mean"] > 2


@pytest.mark.slow
def test_pictures_of_another_size_are_resized_and_the_protocol_has_it(data, place):
    fresh = np.load(place / "fresh.npy")[:30]
    for folder, side in (("same", 28), ("large.v2", 56)):
        Path(folder).mkdir()
        for i, pixels in enumerate(fresh):
            Image.fromarray(pixels).resize((side, side)).save(f"{folder}/{i}.png")
        score("--images", folder, "--data", data)
    small, large = (lines(OTHER_RUNS / f"000{i}")[0] for i in (1, 2))
    assert (small["protocol"]["n"], large["protocol"]["n"]) == (30, 30)
    assert large["protocol"]["resize"].startswith("(56, 56, 1) to (28, 28, 1) by Lanczos")
    assert large["scores"]["fd"] is None  # 30 images are fewer than the 64 features
    assert large["scores"]["kd"]["mean"] == pytest.approx(
        small["scores"]["kd"]["mean"], abs=0.5
    )


def scorer_of(path, n, split="train"):
    train, test = load_reference(str(path), (28, 28, 1))
    return Scorer(train, test, choose_features("classifier", train, test), n, split)


@pytest.mark.slow
def test_the_floor_is_of_held_out_images_or_else_of_two_parts(place):
    mine = place / "mine.npz"
    for scorer, text in (
        (scorer_of(mine, 300), "test against train, n = 300"),
        (scorer_of(mine, None), "two parts of train, n = 450"),
        (scorer_of(mine, 10_000, "test"), "train against test, n = 300"),
    ):
        output, found = scorer.real_baseline.values()
        assert output == text and text.endswith(f"n = {scorer.n}")
        assert abs(found["kd"]) < 5 * found["kd_error"]
        assert found["density"] == pytest.approx(1, abs=0.2)


def test_real_images_that_are_too_few_for_two_sets_of_n_are_not_scored(run, capsys):
    score(run / SECOND, "-n", "800", "--repeats", "1")
    (line,) = lines()
    assert line["protocol"]["n"] == 800 and line["floor"]["scores"] == {}
    output = capsys.readouterr().out
    assert "real images: not scored, too few for two sets of 800; -n 450 is" in output


def test_without_held_out_images_no_copies_are_counted(place):
    scorer = scorer_of(place / "mine.npz", 100)
    scorer.test = None
    found, neighbours = detect_memorization(scorer, scorer.train.pixels[5:15])
    assert found == {} and set(neighbours) == {"pixels", "features"}
    for distances, rows in neighbours.values():  # each finds itself first
        np.testing.assert_array_equal(rows[:, 0], [5, 6])
        assert distances[:, 0].max() < 1e-3 and rows.shape == (2, 3)


def test_fresh_images_are_not_flagged(place):
    scorer, fresh = scorer_of(place / "mine.npz", 100), np.load(place / "fresh.npy")
    found, _ = detect_memorization(scorer, fresh[..., np.newaxis])
    assert not any(space["flagged"] for space in found.values())


def test_a_run_whose_scores_are_missing_or_below_0_is_plotted():
    """A kernel distance of images as good as real ones is below 0 half of the time."""
    low, none = ({"mean": -0.1, "std": None}, None)
    shares = {name: {"mean": 1, "std": 0.1} for name in
              ("precision", "recall", "density", "coverage")}  # fmt: skip
    for fd, floor in ((none, -0.1), ({"mean": 1, "std": 1}, None)):
        records = [
            {"epoch": i, "model": f"{i}.h5", "scores": {"fd": fd, "kd": low, **shares},
             "protocol": {"n": 100, "features": "mnist-classifier"}}
            for i in (1, 2)
        ]  # fmt: skip
        save_curves(records, {"fd": floor, "kd": -0.1}, Path("scores.png"))
        with Image.open("scores.png") as picture:
            picture.load()


def test_ctrl_c_leaves_whole_lines(run, monkeypatch):
    sample = Scorer.sample

    def interrupted(scorer, g_model, seed):
        if g_model.input_shape[1] == 30:  # of the second model
            raise KeyboardInterrupt
        return sample(scorer, g_model, seed)

    monkeypatch.setattr(Scorer, "sample", interrupted)
    with pytest.raises(SystemExit) as stop:
        score(run, *FEW)
    assert stop.value.code == 130
    assert [line["model"] for line in lines()] == [FIRST]
    monkeypatch.undo()


@pytest.mark.slow
def test_scores_while_training_change_nothing_in_it(data, monkeypatch):
    make_quick(monkeypatch)
    words = ["--data", data, "--preset", "quick", "--epochs", "2", "--seed", "1"]
    words += ["--steps-per-epoch", "2", "--batch-size", "16"]
    train.main([*words, "--run-dir", "without"])
    train.main([*words, "--run-dir", "with", "--evaluate-every", "2"])
    (line,) = lines(Path("with"))
    assert line["epoch"] == 2 and line["protocol"]["n"] == 450
    assert line["scores"]["fd"]["mean"] > 2 * line["floor"]["scores"]["fd"]
    assert "score/fd" in EventAccumulator("with/tensorboard").Reload().Tags()["tensors"]
    assert not Path("without/metrics.jsonl").exists()
    states = [find_state(run)[1].variables for run in ("with", "without")]
    assert all(map(np.array_equal, *states))
