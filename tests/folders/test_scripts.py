"""Every script, run alone by its path from a foreign working directory."""

import shutil
from pathlib import Path

import pytest
from helpers import ROOT, make_quick, run_here, run_script, slow
from PIL import Image

RUN = Path("runs/mnist_gan/0001")
PLOTS = [] if shutil.which("dot") is None else ["plot"]
SCRIPTS = {
    "mnist_gan/load_data.py": (
        ["--data", "digits"],
        ["(1500, 28, 28, 1)", "(297, 28, 28, 1)"],
        ["real_samples.png"],
    ),
    "mnist_gan/define_discriminator.py": (
        [],
        ["Total params: 40,705"],
        ["discriminator_plot.png"] if PLOTS else [],
    ),
    "mnist_gan/train_discriminator.py": (
        ["--data", "digits", "--seed", "1"],
        [">100 real=100% fake=100%"],
        ["real_and_random.png"],
    ),
    "mnist_gan/define_generator.py": (
        [],
        ["Total params: 1,164,289"],
        ["untrained_samples.png"] + (["generator_plot.png"] if PLOTS else []),
    ),
    "mnist_gan/define_gan.py": (
        [],
        ["1,204,994", "1,164,289", "40,705", "of G 0.000000", "of D 0.000000"],
        ["gan_plot.png"] if PLOTS else [],
    ),
    "mnist_gan/train.py": (["--dry-run"], ["done"], ["generated_plot_e001.png"]),
    "mnist_gan/conditional_dense.py": (
        [],
        ["538,625", "584,592", "the class is an input of both"],
        ["gan_plot.png"] if PLOTS else [],
    ),
    "mnist_gan/dense_story.py": (
        ["--data", "digits", "--steps", "500", "--seed", "1"],
        ["3. the same, and 100 random numbers: classified as", "per pixel 0.000"],
        ["dense_1.png", "dense_2.png", "dense_3.png"],
    ),
    "common/devices.py": ([], ["GFLOP/s"], []),
    "cifar10_gan/load_data.py": (
        ["--data", "synthetic"],
        ["(2000, 32, 32, 3)", "(500, 32, 32, 3)", "float32 from -"],
        ["real_samples.png"],
    ),
    "cifar10_gan/define_discriminator.py": (
        [],
        ["Total params: 522,497"],
        ["discriminator_plot.png"] if PLOTS else [],
    ),
    "cifar10_gan/train_discriminator.py": (
        ["--data", "synthetic", "--seed", "1"],
        [">20 real=100% fake=100%"],
        ["real_and_random.png"],
    ),
    "cifar10_gan/define_generator.py": (
        [],
        ["Total params: 1,466,115"],
        ["untrained_samples.png"] + (["generator_plot.png"] if PLOTS else []),
    ),
    "cifar10_gan/define_gan.py": (
        [],
        ["1,988,612", "1,466,115", "522,497", "of G 0.000000", "of D 0.000000"],
        ["gan_plot.png"] if PLOTS else [],
    ),
    "celeba_gan/load_data.py": (
        ["--data", "synthetic", "--size", "32"],
        ["(2000, 32, 32, 3)", "images/s"],
        ["real_samples.png"],
    ),
    "celeba_gan/define_discriminator.py": (
        ["--size", "128"],
        ["64x64x64 -> 32x32x128"],
        ["discriminator_plot.png"] if PLOTS else [],
    ),
    "celeba_gan/train_discriminator.py": (
        ["--data", "synthetic", "--seed", "1", "--size", "32"],
        [">20 real="],
        ["real_and_random.png"],
    ),
    "celeba_gan/define_generator.py": (
        ["--size", "32"],
        ["(None, 32, 32, 3)"],
        ["untrained_samples.png"] + (["generator_plot.png"] if PLOTS else []),
    ),
    "celeba_gan/define_gan.py": (
        [],
        ["of G 0.000000", "of D 0.000000"],
        ["gan_plot.png"] if PLOTS else [],
    ),
    "toy_gan/train_1010.py": (
        ["--seed", "1"],
        ["D alone", ">10000 G generates", "result: a valid 1010"],
        ["1010.png"],
    ),
    "toy_gan/train_points.py": (
        ["--dry-run"],
        [">epoch 1: ", "of 8 modes", "done"],
        ["generated_plot_e001.png", "loss_curves.png", "training.gif"],
    ),
    "toy_gan/divergences.py": (
        [],
        ["Notice: KL is not symmetric", "shift 3.0"],
        ["divergences.png"],
    ),
    "toy_gan/instability.py": (
        [],
        ["simultaneous, penalty", "Notice:"],
        ["instability.png"],
    ),
    "celeba_gan/compare_memory.py": (
        ["--size", "32"],
        ["| dense          | 2       |", "| conv           | 128     |", "conv / dense"],
        ["memory.png"],
    ),
}
ALONE = {  # in a new process; the others run in this one, which is faster
    "mnist_gan/train.py",
    "common/devices.py",
    "celeba_gan/compare_memory.py",
}


ELSEWHERE = {  # run by their paths in test_generate, test_pack, test_colour, test_compare
    "common/generate.py",
    "common/compare.py",  # in test_compare_runs
    "common/scores/classifier.py",  # in test_features
    "common/evaluate.py",  # in test_evaluate
    "common/explore.py",  # in test_explore
    "celeba_gan/pack_hdf5.py",
    "celeba_gan/train.py",
    "cifar10_gan/train.py",
    "mnist_gan/compare.py",  # in test_compare
}
LONG = {
    "mnist_gan/train.py",
    "common/devices.py",
    "celeba_gan/define_gan.py",
    "cifar10_gan/define_gan.py",
    "toy_gan/divergences.py",
    "toy_gan/train_points.py",
    "mnist_gan/conditional_dense.py",
    "mnist_gan/train_discriminator.py",
    "celeba_gan/load_data.py",
    "celeba_gan/train_discriminator.py",
    "cifar10_gan/train_discriminator.py",
    "celeba_gan/compare_memory.py",
    "mnist_gan/dense_story.py",
    "toy_gan/train_1010.py",
}


@pytest.mark.parametrize(
    "script",
    [slow(script) if script in LONG else script for script in SCRIPTS],
)
def test_script_runs_alone(script, monkeypatch, capsys):
    words, expected, pictures = SCRIPTS[script]
    make_quick(monkeypatch)
    if script in ALONE:
        answer = run_script(script, *words)
        assert answer.returncode == 0, answer.stderr
        printed, complaints = answer.stdout, answer.stderr
    else:
        printed, complaints = run_here(script, words, monkeypatch, capsys)
    for text in expected:
        assert text in printed
    for name in pictures:
        with Image.open(Path("runs", script.split("/")[0], "0001", name)) as picture:
            picture.load()
    assert "Traceback" not in complaints and "oneDNN" not in complaints


@pytest.mark.slow
def test_generate_runs_where_the_runs_are():
    run_script("mnist_gan/train.py", "--dry-run", "--preset", "quick")
    answer = run_script("common/generate.py", "generator_model_001.h5")
    assert answer.returncode == 0, answer.stderr
    assert f"using {RUN / 'generator_model_001.h5'}" in answer.stdout


def test_error_is_one_line_and_exit_code_2():
    answer = run_script("mnist_gan/train.py", "--batch-size", "3")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1 and "even" in answer.stderr


def test_every_script_is_tested():
    found = {
        str(path.relative_to(ROOT))
        for folder in ("mnist_gan", "cifar10_gan", "celeba_gan", "toy_gan", "common")
        for path in (ROOT / folder).rglob("*.py")
        if "\nif __name__ == " in path.read_text()
    }
    assert found == {*SCRIPTS, *ELSEWHERE}
