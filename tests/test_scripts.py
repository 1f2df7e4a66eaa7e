"""Every script, run alone by its path from a foreign working directory."""

import shutil
from pathlib import Path

import pytest
from conftest import run_script
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
    "common/devices.py": ([], ["GFLOP/s"], []),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_runs_alone(script):
    words, expected, pictures = SCRIPTS[script]
    answer = run_script(script, *words)
    assert answer.returncode == 0, answer.stderr
    for text in expected:
        assert text in answer.stdout
    for name in pictures:
        with Image.open(RUN / name) as picture:
            picture.load()
    assert "Traceback" not in answer.stderr and "oneDNN" not in answer.stderr


def test_generate_runs_where_the_runs_are():
    run_script("mnist_gan/train.py", "--dry-run")
    answer = run_script("common/generate.py", "generator_model_001.h5")
    assert answer.returncode == 0, answer.stderr
    assert f"using {RUN / 'generator_model_001.h5'}" in answer.stdout


def test_error_is_one_line_and_exit_code_2():
    answer = run_script("mnist_gan/train.py", "--batch-size", "3")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1 and "even" in answer.stderr


def test_every_script_is_tested():
    root = Path(__file__).resolve().parents[1]
    found = {
        str(path.relative_to(root))
        for folder in ("mnist_gan", "common")
        for path in (root / folder).glob("*.py")
        if "\nif __name__ == " in path.read_text()
    }
    assert found == {*SCRIPTS, "common/generate.py"}
