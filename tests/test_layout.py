"""The layout: few files at the top of `common/`, imports one way, short test files."""

import ast
import re
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = tuple(sorted(path.name for path in ROOT.glob("*_gan")))
ORDER = (  # of the imports: a part may import what stands before it
    *("basics", "safety", "sampling", "devices", "runs", "plotting", "data"),
    *("architectures", "layers", "objectives", "updates", "gan"),
    *("checkpoints", "scores", "comparing", "exploring", "options", "fitting"),
    *("training", "compare", "generate", "evaluate", "explore", *FOLDERS),
)
MOST_FILES = 12  # at the top of common/
MOST_OF_GAN = 6  # modules of ours that `import common.gan` loads
MOST_LINES = 170  # of the step
MOST_OF_TESTS = 400  # lines of a file of tests/


def modules(root=ROOT):
    """The modules of the shipped packages: name -> Path."""
    paths = (p for name in ("common", *FOLDERS) for p in (root / name).rglob("*.py"))
    return {
        ".".join(p.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): p
        for p in paths
    }


def imports_of(path, known):
    """The modules of ours that a file imports, inside functions included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def graph(root=ROOT):
    """Module -> the set of modules of ours that it imports."""
    known = modules(root)
    return {
        name: {x for x in imports_of(path, known) if x in known} - {name}
        for name, path in known.items()
    }


def part_of(module):
    """The part of ORDER that a module belongs to; `common` itself comes before all."""
    name = module.removeprefix("common.")
    return name if name in ORDER or module == "common" else name.split(".")[0]


def rank(module):
    part = part_of(module)
    assert part == "common" or part in ORDER, f"{module} has no place in ORDER"
    return -1 if part == "common" else ORDER.index(part)


def is_upward(module, other):
    """Whether an import goes against ORDER, or from one dataset folder to another."""
    parts = {part_of(module), part_of(other)}
    return rank(other) > rank(module) or (len(parts) == 2 and parts <= set(FOLDERS))


def upward(imports):
    """The imports that no module may have."""
    pairs = ((module, other) for module, others in imports.items() for other in others)
    return [pair for pair in pairs if is_upward(*pair)]


def loaded_by(module, imports):
    """All modules of ours that an import of one loads."""
    found, left = set(), [module]
    while left:
        new = imports[left.pop()] - found
        found |= new
        left += new
    return found


def test_few_files_stand_at_the_top():
    assert len(list((ROOT / "common").glob("*.py"))) <= MOST_FILES


def test_every_package_says_what_it_serves_and_stands_in_the_map():
    text = (ROOT / "common" / "README.md").read_text()
    for path in {path.parent for path in (ROOT / "common").rglob("*.py")}:
        assert ast.get_docstring(ast.parse((path / "__init__.py").read_text())), path
    for path in (ROOT / "common").iterdir():
        if (path / "__init__.py").exists():
            assert ast.get_docstring(ast.parse((path / "__init__.py").read_text()))
            assert f"`{path.name}" in text
        elif path.suffix == ".py" and path.stem != "__init__":
            assert f"`{path.name}`" in text


def test_imports_go_one_way():
    assert upward(graph()) == []


def test_there_is_no_cycle_of_imports():
    TopologicalSorter(graph()).prepare()  # raises a CycleError


def test_the_step_is_short_and_stands_on_few_modules():
    lines = (ROOT / "common" / "gan.py").read_text().splitlines()
    assert len(lines) <= MOST_LINES
    assert len(loaded_by("common.gan", graph())) <= MOST_OF_GAN


def test_no_file_of_the_tests_is_long():
    paths = list((ROOT / "tests").rglob("*.py"))
    assert len(paths) > 50
    lengths = ((path, len(path.read_text().splitlines())) for path in paths)
    assert [pair for pair in lengths if pair[1] > MOST_OF_TESTS] == []


def test_no_test_file_imports_another():
    """What they share is in modules of helpers; two names alike would hide each other."""
    paths = list((ROOT / "tests").rglob("test_*.py"))
    names = [path.stem for path in paths]
    assert len(names) == len(set(names))
    for path in paths:
        assert not set(imports_of(path, set())) & set(names), path


DOCUMENTS = (  # records of runs and inputs may name files that are none
    *("README.md", "Makefile", "common/README.md", "toy_gan/README.md"),
    *("celeba_gan/README.md", "benchmarks/README.md", "docs/hostile_files.md"),
)


@pytest.mark.parametrize("file", DOCUMENTS)
def test_files_that_documents_name_exist(file):
    text = (ROOT / file).read_text()
    for name in set(re.findall(r"\b(?:common|tests|\w+_gan)/[\w/]+\.py\b", text)):
        assert (ROOT / name).exists(), name


def test_the_rules_notice_what_breaks_them():
    imports = graph()
    imports["common.basics.errors"] = {"common.gan"}
    assert ("common.basics.errors", "common.gan") in upward(imports)
    with pytest.raises(ValueError, match="cycle"):
        TopologicalSorter(imports).prepare()
    assert len(loaded_by("common.gan", {**imports, "common.updates": set(imports)})) > 6


RIDGE = """
from keras import ops


def d_loss(labels, scores):
    return ops.mean(ops.square(scores - 3 * labels), axis=-1)


g_loss = d_loss
"""
ROW = """
    "ridge": Objective("ridge", head="score", threshold=1.5, logs=ACCURACIES),
}
OPTIONS"""


def copy_shipped(folder, *names):
    """Copy packages of the repository into a folder."""
    for name in names:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)


def add_row(path, end, row):
    """Put a row before the end of a table in a file."""
    text = path.read_text()
    assert text.count(end) == 1
    path.write_text(text.replace(end, row))


@pytest.mark.slow
def test_a_new_objective_is_one_file_and_one_row(tmp_path):
    copy_shipped(tmp_path, "common", "toy_gan")
    objectives = tmp_path / "common" / "objectives"
    (objectives / "ridge.py").write_text(RIDGE)
    add_row(objectives / "table.py", "\n}\nOPTIONS", ROW)
    words = ["--dry-run", "--objective", "ridge", "--run-dir", "run"]
    script = [sys.executable, tmp_path / "toy_gan" / "train_points.py", *words]
    answer = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    head = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    assert head == "epoch,step,d_loss,g_loss,acc_real,acc_fake,acc_adv"


NEW_FOLDER = {
    "__init__": "",
    "load_data": """
import numpy as np

from common.data.datasets import Images

DATA = ("bars",)


def load_images(data="bars", split="train"):
    rng = np.random.default_rng(split == "test")
    pixels, labels = np.zeros((200, 16, 16, 1), "uint8"), np.arange(200) % 2
    for image, label, place in zip(pixels, labels, rng.integers(1, 12, 200)):
        (image if label else image.swapaxes(0, 1))[place : place + 3] = 255
    return Images(pixels, labels, data, "drawn", classes=("standing", "lying"))
""",
    "define_discriminator": """
def define_discriminator(in_shape=(16, 16, 1)):
    from keras import Sequential, layers

    model = Sequential([layers.Input(in_shape), layers.Flatten()], name="discriminator")
    model.add(layers.Dense(1, activation="sigmoid", dtype="float32"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model
""",
    "define_generator": """
def define_generator(latent_dim):
    from keras import Sequential, layers

    model = Sequential([layers.Input((latent_dim,))], name="generator")
    model.add(layers.Dense(256, activation="sigmoid"))
    model.add(layers.Reshape((16, 16, 1)))
    return model
""",
    "define_gan": """
def define_gan(g_model, d_model):
    from keras import Sequential

    d_model.trainable = False
    model = Sequential([g_model, d_model], name="gan")
    model.compile("adam", "binary_crossentropy")
    return model
""",
    "train": '''
"""Train on bars."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bars_gan.define_discriminator import define_discriminator
from bars_gan.define_gan import define_gan
from bars_gan.define_generator import define_generator
from bars_gan.load_data import DATA, load_images
from common.architectures import architectures
from common.basics import cli
from common.fitting.build import define_models, scaled_for
from common.options.training_options import Script, training_options
from common.training import prepare, summarize_performance, run_training

SHAPE = (16, 16, 1)
TUTORIAL = dict(epochs=2, batch_size=16, d_batches="mixed", latent_dim=8, save_every=1)
ARCHITECTURES = {
    "tutorial": (define_generator, define_discriminator, define_gan),
    **architectures(SHAPE),
}


SCRIPT = Script("bars_gan/train.py", __doc__, DATA, TUTORIAL, {}, ARCHITECTURES)


@cli.command
def main(argv=None):
    options = training_options(argv, SCRIPT)
    images = load_images(options.data).first(options.limit)
    architecture = ARCHITECTURES[options.architecture]
    device = prepare(options, images, architecture)
    models = define_models(options, *architecture, SHAPE, images.classes)
    dataset = scaled_for(models[0], images, options.conditional)
    run_training(
        SCRIPT, options, images, device, models, dataset, summarize_performance
    )


if __name__ == "__main__":
    main()
''',
}
SOURCE = """
    "bars_gan": Source("bars_gan.load_data", (16, 16, 1), ("bars",)),
}
DATA"""


@pytest.mark.slow
def test_a_new_dataset_folder_is_its_files_and_one_row(tmp_path):
    """Every command works on what it trains, and nothing else of `common/` changes."""

    def run(script, *words):
        command = [sys.executable, tmp_path / script, *words]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert answer.returncode == 0, f"{script}: {answer.stderr}"
        return answer.stdout

    copy_shipped(tmp_path, "common")
    (tmp_path / "bars_gan").mkdir()
    for name, text in NEW_FOLDER.items():
        (tmp_path / "bars_gan" / f"{name}.py").write_text(text.lstrip())
    add_row(tmp_path / "common" / "data" / "sources.py", "\n}\nDATA", SOURCE)
    train, few = "bars_gan/train.py", ("-n", "50", "--repeats", "1")
    run(train, "--dry-run", "--run-dir", "one", "--conditional")
    run(train, "--dry-run", "--run-dir", "two", "--architecture", "dcgan")
    assert "bars" in run("common/evaluate.py", "one", *few)  # found by the folder's name
    assert (tmp_path / "one" / "metrics.jsonl").exists()
    model = "two/generator_model_001.h5"
    run("common/evaluate.py", model, "--data", "bars", "--run-dir", "three", *few)
    run("common/compare.py", "one", "two")
    run("common/explore.py", "diversity", model, "-n", "50")
    run("common/generate.py", model)
