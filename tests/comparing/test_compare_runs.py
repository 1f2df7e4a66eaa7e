"""`common/compare.py`: tables and plots of run folders, and invalid input."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import refused, run_script
from matplotlib.figure import Figure
from PIL import Image

from common.compare import NOT_HYPERPARAMETERS, main
from common.comparing import plots
from common.comparing.read import read_runs
from common.comparing.tables import different_settings, legend, score_text
from toy_gan import train_points

OUT = Path("runs/compare/0001")
PROTOCOL = {
    **{"n": 100, "n_real": 50, "split": "train", "seed": 1, "repeats": 3},
    **{"features": "mnist-classifier", "features_hash": "ab12"},
}
ACCURACIES = {"acc_real": 0.7, "acc_fake": 0.6, "acc_adv": 0.4}
BCE = {"d_loss": 0.6, "g_loss": 0.9, **ACCURACIES}
SCORES = {"d_loss": -300, "g_loss": 200, "score_real": 80, "score_fake": -20}


def make_run(name, columns=BCE, epochs=2, rows=4, data="mnist", picture=True, **options):
    """Create a run folder: `rows` rows per epoch, all columns constant."""
    run = Path(name)
    run.mkdir(parents=True)
    record = {
        "script": "mnist_gan/train.py",
        "options": {
            **{"epochs": epochs, "batch_size": 32, "objective": "bce", "seed": 1},
            **{"augment": False, "width": None, "run_dir": name, "resume": None},
            **options,
        },
        "data": {"name": data, "fingerprint": f"print of {data}"},
        "device": "device: CPU, 2 cores",
        "versions": {"keras": "3.15.1"},
        "commit": "a080d31",
        "started": f"when {name} did",
    }
    (run / "options.json").write_text(json.dumps(record))
    lines = [",".join(["epoch", "step", *columns])]
    for epoch in range(1, epochs + 1):
        for step in range(10, 10 * rows + 1, 10):
            lines.append(",".join(map(str, [epoch, step, *columns.values()])))
    (run / "history.csv").write_text("\n".join(lines) + "\n")
    times = [f"{epoch},90.00,2026-01-01T00:00:00" for epoch in range(1, epochs + 1)]
    (run / "times.csv").write_text("\n".join(["epoch,seconds,ended", *times, ""]))
    if picture:
        Image.new("RGB", (20, 20), "red").save(run / f"generated_plot_e{epochs:03d}.png")
    return run


def score(run, *lines, **protocol):
    """Write `metrics.jsonl`; lines are (epoch, scores)."""
    entries = [
        {"epoch": epoch, "scores": scores, "protocol": {**PROTOCOL, **protocol}}
        for epoch, scores in lines
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))


def fd(mean, std=0.5):
    return {"fd": {"mean": mean, "std": std}}


def compared(capsys, *folders):
    """Compare; return the printed text, and its tables: name of a row -> cells."""
    main([str(folder) for folder in folders])
    printed = capsys.readouterr().out
    cells = [line[1:-1].split("|") for line in printed.splitlines() if "|" in line]
    return printed, {name.strip(): [c.strip() for c in row] for name, *row in cells}


def test_only_options_that_differ_are_shown(capsys):
    make_run("a")
    make_run("b", objective="hinge", augment=True, width=0.25, data="digits")
    printed, rows = compared(capsys, "a", "b")
    assert rows["--objective"] == ["bce", "hinge"]
    assert rows["--augment"] == ["no", "yes"]
    assert rows["--width"] == ["-", "0.25"]
    assert rows["data"] == ["mnist", "digits"]
    assert rows["data's fingerprint"] == ["print of mnist", "print of digits"]
    for same in ("batch", "epochs |", "run-dir", "resume", "started", "keras", "commit"):
        assert same not in printed
    assert "the objectives are different" in printed
    saved = (OUT / "comparison.md").read_text()
    assert printed.split("\n\nsaved")[0] in saved and "(curves.png)" in saved


def test_device_versions_and_commit_are_shown_where_they_differ(capsys):
    make_run("a")
    path = make_run("b") / "options.json"
    record = json.loads(path.read_text())
    record |= {"device": "device: GPU", "versions": {"keras": "3.16|0"}, "commit": None}
    path.write_text(json.dumps(record))
    printed, rows = compared(capsys, "a", "b")
    assert rows["device"] == ["CPU, 2 cores", "GPU"]
    assert "3.16\\|0" in printed  # a bar of Markdown would be a new cell
    assert rows["commit"] == ["a080d31", "-"]
    assert "the objectives are different" not in printed


def test_equal_runs_of_equal_names_are_distinguished_by_their_folders(capsys):
    printed, rows = compared(capsys, make_run("x/0001"), make_run("y/0001"))
    assert "No differences." in printed
    assert rows[""] == ["x/0001", "y/0001"]


def test_epochs_minutes_and_last_losses(capsys):
    make_run("a", {"d1": 0.2, "d2": 0.6, "g_loss": 0.9})
    stopped = make_run("b")
    with (stopped / "history.csv").open("a") as file:
        file.write("3,10,0.1,0.5,1,1,1\n3,20,0.3,0.7,1,1,1\n3,30,0.")
    path = stopped / "options.json"
    path.write_text(path.read_text().replace('"epochs": 2', '"epochs": 9'))
    _, rows = compared(capsys, "a", "b")
    assert rows["epochs done"] == ["2", "2 of 9"]
    assert rows["minutes of training"] == ["3.0", "3.0"]
    assert rows["D's loss, mean of the last epoch"] == ["0.4", "0.2"]
    assert rows["G's loss, mean of the last epoch"] == ["0.9", "0.6"]


def test_scores_are_the_last_line_of_the_highest_epoch(capsys):
    a, b, c = make_run("a"), make_run("b"), make_run("the c")
    score(a, (2, fd(9)), (2, fd(7.31, 0.12) | {"own": 3}), (1, fd(5)))
    score(b, (2, {"fd": {"mean": None, "std": None}, "recall": None}))
    printed, rows = compared(capsys, a, b, c)
    assert rows["FD (digit classifier) (less is better)"] == [
        "7.31 ± 0.12",
        "not computed",
        "-",
    ]
    assert rows["recall (more is better)"] == ["-", "not computed", "-"]
    assert rows["own"] == ["3", "-", "-"]
    assert rows["epoch scored"] == ["2", "2", "-"]
    assert "the c has no scores: run `python common/evaluate.py 'the c'`" in printed
    assert "have the same protocol: n 100, n_real 50, split train" in printed
    assert "cannot be compared" not in printed


@pytest.mark.parametrize(
    ("mean_std", "text"),
    [
        ((7.3, 0.1), "7.30 ± 0.10"),
        ((0.00123, 0.00021), "0.00123 ± 0.00021"),
        ((284.4, 31), "284 ± 31"),
        ((7.3, None), "7.3"),
        ((7.3, 0.0), "7.3 ± 0"),
    ],
)
def test_a_score_has_the_digits_that_its_deviation_leaves(mean_std, text):
    assert score_text(mean_std) == text


def test_other_protocols_are_printed_and_not_plotted_together(capsys):
    a, b, c = make_run("a"), make_run("b"), make_run("c", data="digits")
    for run, n in ((a, 100), (b, 100), (c, 30)):
        score(run, (1, fd(9)), (2, fd(8)), n=n)
    printed, rows = compared(capsys, a, b, c)
    note = "**The scores cannot be compared**: n is 100 (a, b) and 30 (c); data is"
    assert note in printed and "the same protocol" not in printed
    assert rows["epoch scored"] == ["-", "-", "2"]  # of the last table
    assert "| n = 100 per set, digit classifier; ±: samplings" in printed
    assert "| n = 30 per set, digit classifier; ±: samplings" in printed
    title, distances = plots.comparable_distances(read_runs([a, b, c]))
    assert title == "FD (digit classifier)\nn = 100"
    assert list(distances) == [0, 1]
    assert distances[0] == {1: (9, 0.5), 2: (8, 0.5)}
    assert plots.comparable_distances(read_runs([a, c])) == (None, {})


def test_lines_of_one_protocol_are_preferred(capsys):
    """Not the last lines, and not an incomplete line."""
    a, b = make_run("a"), make_run("b")
    score(a, (1, fd(9)), (2, fd(8)), n=100)
    of_100 = (a / "metrics.jsonl").read_text()
    score(a, (2, fd(50)), n=30)
    of_30 = (a / "metrics.jsonl").read_text()
    (a / "metrics.jsonl").write_text(of_100 + of_30 + of_30[:20])
    score(b, (2, fd(7)), n=100)
    printed, _ = compared(capsys, a, b)
    assert "the same protocol: n 100" in printed and "cannot be compared" not in printed
    assert "8.00 ± 0.50 | 7.00 ± 0.50" in printed


def test_the_kernel_distance_is_drawn_where_there_is_no_frechet_distance():
    runs = [make_run("a"), make_run("b")]
    kd = {"fd": None, "kd": {"mean": 0.01, "std": None}}
    for run in runs:
        score(run, (1, kd), (2, kd))
    title, distances = plots.comparable_distances(read_runs(runs))
    assert title.startswith("KD (digit classifier)\n")
    assert distances[1] == {1: (0.01, None), 2: (0.01, None)}


def test_scores_of_earlier_versions_are_read_with_the_keys_of_their_features(capsys):
    """Before, all of them were called fid, kid and inception_score."""
    a, b, inception = make_run("a"), make_run("b"), make_run("inception")
    before = {"fid": 2.5, "kid": 0.1, "kid_error": 0.2, "inception_score": 9, "recall": 1}
    score(a, (2, before))
    score(b, (2, fd(7)))
    score(inception, (2, before), features="inception-2015", features_hash="cd34")
    lines = [run.score_lines[0].scores for run in read_runs([a, b, inception])]
    assert list(lines[0]) == ["fd", "kd", "kd_error", "classifier_score", "recall"]
    assert lines[0]["fd"] == (2.5, None) and list(lines[2]) == list(before)
    printed, rows = compared(capsys, a, b, inception)
    assert rows["FD (digit classifier) (less is better)"] == ["2.5", "7.00 ± 0.50", "-"]
    assert rows["FID (less is better)"] == ["-", "-", "2.5"]
    assert rows["standard error of KID"] == ["-", "-", "0.2"]
    assert "| n = 100 per set, Inception; ±" in printed
    assert plots.comparable_distances(read_runs([a, b, inception])) == (None, {})


@pytest.fixture
def axes_of(monkeypatch):
    """Return a function that saves a plot and returns its axes."""
    saved, save = [], Figure.savefig

    def savefig(figure, *words, **keywords):
        saved.append(figure.axes)
        save(figure, *words, **keywords)

    monkeypatch.setattr(Figure, "savefig", savefig)

    def draw(save_picture, *words):
        save_picture(*words)
        return saved.pop()

    return draw


@pytest.fixture
def curves_of(axes_of):
    def draw(*folders):
        runs = read_runs(folders)
        return axes_of(plots.save_curves, runs, folders, Path("curves.png"))

    return draw


def strong(axis):
    """Return the smoothed curves of a panel, without those of the legend."""
    return [
        line for line in axis.lines if line.get_alpha() is None and len(line.get_xdata())
    ]


def test_curves_have_a_panel_for_each_kind_of_column(curves_of):
    for name in ("a", "b"):
        score(make_run(name), (1, fd(9)), (2, fd(7)))
    make_run("critic", SCORES)
    d_loss, g_loss, shares, scores, distance = curves_of("a", "b", "critic")
    panels = [len(strong(axis)) for axis in (d_loss, g_loss, shares, scores)]
    assert panels == [3, 3, 4, 2]
    assert len(distance.containers) == 2 and distance.get_ylabel().startswith("FD")
    colours = [line.get_color() for line in strong(d_loss)]
    assert len(set(colours)) == 3 and strong(scores)[0].get_color() == colours[2]
    with Image.open("curves.png") as picture:
        picture.load()


def test_a_loss_of_another_size_does_not_crush_the_others(curves_of):
    make_run("a"), make_run("b", BCE | {"g_loss": 1.5}), make_run("critic", SCORES)
    assert curves_of("a", "critic")[0].get_yscale() == "symlog"
    assert curves_of("a", "b")[0].get_yscale() == "linear"


def test_shares_stay_linear_and_a_single_row_is_a_dot(curves_of):
    make_run("a")
    make_run("b", BCE | {"acc_real": 0, "acc_fake": 0}, epochs=1, rows=1)
    _, g_loss, shares = curves_of("a", "b")
    assert shares.get_yscale() == "linear" and shares.get_ylim()[0] > -0.1
    assert [line.get_marker() for line in strong(g_loss)] == ["None", "o"]


def test_single_values_far_off_and_nan_do_not_crush_the_curves(curves_of):
    make_run("a")
    rows = (make_run("b", rows=20) / "history.csv").read_text().splitlines()
    rows[9], rows[15] = "1,90,50000,1e9,0.5,0.5,0.5", "1,150,nan,inf,0.5,0.5,0.5"
    Path("b/history.csv").write_text("\n".join(rows) + "\n")
    losses = curves_of("a", "b")[:2]
    for axis in losses:
        assert axis.get_yscale() == "linear" and axis.get_ylim()[1] < 2
        assert all(np.isfinite(line.get_ydata()).all() for line in strong(axis))


def test_names_alone_where_what_differs_is_long():
    runs = read_runs([make_run("a"), make_run("b", objective="hinge", augment=True)])
    assert legend(runs, different_settings(runs), NOT_HYPERPARAMETERS) == [
        "a: objective bce",
        "b: objective hinge, augment",
    ]
    runs = read_runs([make_run("c"), make_run("d", architecture="x" * 60)])
    assert legend(runs, different_settings(runs), NOT_HYPERPARAMETERS) == ["c", "d"]
    runs = read_runs([make_run("e"), make_run("f", epochs=3)])  # not what G became
    assert legend(runs, different_settings(runs), NOT_HYPERPARAMETERS) == ["e", "f"]


def test_grids_are_the_last_pictures_with_their_epochs(axes_of):
    a = make_run("a", epochs=999)
    Image.new("RGB", (20, 20), "blue").save(a / "generated_plot_e1000.png")
    runs = read_runs([a, make_run("b"), make_run("c", picture=False)])
    axes = axes_of(plots.save_grids, runs, Path("grids.png"))
    titles = [axis.get_title() for axis in axes]
    assert titles == ["a, epoch 1000", "b, epoch 2", "c: no picture yet"]
    assert [len(axis.images) for axis in axes] == [1, 1, 0]
    assert (axes[0].images[0].get_array()[0, 0] == (0, 0, 255)).all()
    with Image.open("grids.png") as picture:
        picture.load()


def test_results_are_never_overwritten(capsys):
    make_run("a"), make_run("b")
    compared(capsys, "a", "b")
    compared(capsys, "a", "b")
    names = {"comparison.md", "curves.png", "grids.png"}
    for folder in (OUT, OUT.with_name("0002")):
        assert {path.name for path in folder.iterdir()} == names
    assert "is not empty" in refused(capsys, main, "a", "b", "--run-dir", OUT)


LINE = '{"epoch": 1, "scores": {}, "protocol": {}}\n'
BAD_WORDS = {
    "no run": ([], "name more"),
    "one run": (["a"], "name more"),
    "the same twice": (["a", "b", "./a"], "./a was given twice"),
    "no run folder": (["a", "runs"], "runs is not a run folder"),
    "nowhere": (["a", "nope"], "nope is not a run folder"),
    "no history": (["a", "early"], "early has no history"),
    "no rows": (["a", "header"], "header has no history"),
    "a damaged history": (["a", "history"], "history/history.csv, line 3: expected"),
    "another history": (["a", "other"], "other/history.csv has no column"),
    "damaged times": (["a", "times"], "times/times.csv, line 2: expected"),
    "a cut line": (["a", "cut"], "cut/metrics.jsonl, line 2: expected"),
    "a line of no scores": (["a", "empty"], "empty/metrics.jsonl, line 1: expected"),
    "a score in words": (["a", "words"], "words/metrics.jsonl, line 1: expected"),
}


def make_broken_runs():
    for name in ("a", "b"):
        make_run(name)
    (make_run("early") / "history.csv").unlink()
    for name, file, text in (
        ("header", "history.csv", "epoch,step,d_loss,g_loss\n"),
        ("history", "history.csv", "epoch,step,g_loss\n1,10,0.5\n1,2x,0.5\n"),
        ("other", "history.csv", "epoch,step,loss\n1,10,0.5\n"),
        ("times", "times.csv", "epoch,seconds,ended\n1,2\n"),
        ("cut", "metrics.jsonl", f'{LINE}{{"epoch": 2, "sco\n{LINE}'),
        ("empty", "metrics.jsonl", "{}\n"),
        ("words", "metrics.jsonl", LINE.replace("{},", '{"fid": {"mean": "7"}},')),
    ):
        (make_run(name) / file).write_text(text)


@pytest.mark.parametrize("case", BAD_WORDS)
def test_bad_input_gets_one_line_and_leaves_nothing(capsys, case):
    make_broken_runs()
    Path("runs").mkdir()
    words, expected = BAD_WORDS[case]
    before = sorted(Path().rglob("*"))
    assert expected in refused(capsys, main, *words)
    assert sorted(Path().rglob("*")) == before


def test_help_answers_without_keras():
    answer = run_script("common/compare.py", "--help")
    assert answer.returncode == 0 and "RUN RUN..." in answer.stdout


@pytest.mark.slow
def test_a_run_as_training_leaves_it(capsys):
    train_points.main(["--dry-run", "--seed", "1", "--run-dir", "real"])
    capsys.readouterr()
    make_run("b")
    printed, rows = compared(capsys, "real", "b")
    assert rows["epochs done"] == ["1", "2"] and rows["--batch-size"][1] == "32"
    assert "real has no scores" in printed
