"""The rules of the code's size, names and imports; each notices what breaks it."""

import ast
from itertools import chain
from pathlib import Path

import pytest
from helpers import ROOT

from common.options.table import GROUPS
from common.runs import layout

FOLDERS = sorted(path.parent.name for path in ROOT.glob("*_gan/__init__.py"))
SHIPPED = ("common", *FOLDERS, "benchmarks")
MOST_LINES, MOST_OF_FUNCTION, MOST_PARAMETERS = 250, 50, 10
IMPORTS = ("from ", "import ")
MOST_ALIKE = 8  # lines in a row
HEAVY = {  # packages that take long to import
    *("keras", "tensorflow", "torch", "tensorboard", "comet_ml", "matplotlib"),
    *("sklearn", "scipy", "PIL", "h5py", "imageio", "psutil", "tqdm"),
}
RUN_FILES = {
    value
    for name, value in vars(layout).items()
    if name.isupper() and isinstance(value, str) and "." in value
}
PREFIXES = tuple(x.partition("{")[0] for x in RUN_FILES if "{" in x)


def sources(names=SHIPPED):
    """Return path -> text of the shipped files."""
    paths = chain.from_iterable((ROOT / name).rglob("*.py") for name in names)
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def functions_of(text):
    return [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]


def too_large(texts):
    """Return the files and functions that are longer, or take more, than allowed."""
    found = [p for p, text in texts.items() if len(text.splitlines()) > MOST_LINES]
    for path, text in texts.items():
        for function in functions_of(text):
            arguments = function.args
            n = len([*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs])
            n += (arguments.vararg is not None) + (arguments.kwarg is not None)
            lines = function.end_lineno - function.lineno + 1
            if n > MOST_PARAMETERS or lines > MOST_OF_FUNCTION:
                found.append(f"{path}: {function.name}")
    return found


def named_elsewhere(texts):
    """Return the files that write the name of a run's file as a literal of their own."""
    return [
        f"{path}: {node.value}"
        for path, text in texts.items()
        if path != "common/runs/layout.py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and " " not in str(node.value)
        if any(name in str(node.value) for name in (*RUN_FILES, *PREFIXES))
    ]


def imported(nodes, known):
    """Return the modules of these import statements, ours by their own names."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def needlessly_late(texts):
    """Return the imports inside functions of modules of ours that load nothing heavy."""
    known = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): text
        for path, text in texts.items()
    }
    top, late = {}, {}
    for name, text in known.items():
        tree = ast.parse(text)
        top[name] = imported(tree.body, known)
        inner = [node for node in ast.walk(tree) if node not in tree.body]
        late[name] = imported(inner, known)

    def is_heavy(name, seen=()):
        if name not in known:
            return name.split(".")[0] in HEAVY
        return any(is_heavy(x, (*seen, name)) for x in top[name] if x not in seen)

    return [
        f"{name}: {other}"
        for name, others in late.items()
        for other in others
        if other in known and not is_heavy(other)
    ]


def twice(texts):
    """Return pairs of files of which one repeats MOST_ALIKE lines of the other."""
    seen, found = {}, set()
    for path, text in texts.items():
        lines = [line.strip() for line in text.splitlines()]
        lines = [
            x for x in lines if len(x) > 3 and not x.startswith(("from ", "import "))
        ]
        for i in range(len(lines) - MOST_ALIKE + 1):
            run = tuple(lines[i : i + MOST_ALIKE])
            if seen.setdefault(run, (path, i)) != (path, i):
                found.add((path, seen[run][0]))
    return sorted(found)


def test_files_and_functions_are_short():
    assert too_large(sources()) == []


def test_files_of_a_run_are_named_in_one_place():
    assert named_elsewhere(sources()) == []


def test_own_modules_are_imported_at_the_top():
    assert needlessly_late(sources(("common", *FOLDERS))) == []


def test_nothing_in_common_stands_there_twice():
    assert twice(sources(["common"])) == []


def test_an_option_stands_in_one_row():
    rows = [row.name for rows in GROUPS.values() for row in rows]
    assert len(rows) == len(set(rows))
    options = [p for p in sources() if p.startswith("common/options/")]
    assert len(options) > 3
    for path in options:
        tree = ast.parse(Path(ROOT, path).read_text())
        assert imported(ast.walk(tree), {}).isdisjoint(HEAVY - {"comet_ml"})


@pytest.mark.parametrize(
    "rule, text",
    [
        (too_large, "x = 1\n" * 251),
        (too_large, "def f():\n" + "    x = 1\n" * 50),
        (too_large, "def f(a, b, c, d, e, f, g, h, *, i, j, k):\n    pass\n"),
        (named_elsewhere, 'path = run / "history.csv"\n'),
        (named_elsewhere, 'path = run / f"generator_model_{epoch}.h5"\n'),
        (twice, "".join(f"value = {i}\n" for i in range(8)) * 2),
        (needlessly_late, "def f():\n    from common.basics import errors\n"),
    ],
)
def test_the_rules_notice_what_breaks_them(rule, text):
    texts = {"common/basics/errors.py": "", "common/broken.py": text}
    assert len(rule(texts)) == 1
