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
FOLDERS = ("toy_gan", "mnist_gan", "cifar10_gan", "celeba_gan")
ORDER = (  # of the imports: a part may import what stands before it
    *("basics", "safety", "sampling", "devices", "runs", "plotting", "data"),
    *("architectures", "objectives.table", "layers", "objectives", "updates", "gan"),
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


@pytest.mark.slow
def test_a_new_objective_is_one_file_and_one_row(tmp_path):
    for name in ("common", "toy_gan"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    objectives = tmp_path / "common" / "objectives"
    (objectives / "ridge.py").write_text(RIDGE)
    table = (objectives / "table.py").read_text()
    assert table.count("\n}\nOPTIONS") == 1
    (objectives / "table.py").write_text(table.replace("\n}\nOPTIONS", ROW))
    words = ["--dry-run", "--objective", "ridge", "--run-dir", "run"]
    script = [sys.executable, tmp_path / "toy_gan" / "train_points.py", *words]
    answer = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    head = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    assert head == "epoch,step,d_loss,g_loss,acc_real,acc_fake,acc_adv"
