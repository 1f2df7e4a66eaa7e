"""FID, KID and Inception Score are said only of the features of Inception."""

import re
from collections import Counter

import pytest
from helpers import ROOT

WORD = re.compile(r"\bFID\b|\bKID\b|\bInception Scores?\b")
ALLOWED = {  # file -> [(pattern of the text that may have them, reason), ...]
    "common/scores/table.py": [
        (r'"(standard error of )?(FID|KID|Inception Score)\{\}', "titles with Inception"),
        (r"FID, KID and\s+Inception Score are those of Inception", "the rule"),
    ],
    "common/scores/metrics.py": [
        (r"With\s+the features of\s+Inception it is the (FID|KID)\.", "the rule"),
        (r"With Inception as classifier it is the Inception Score\.", "the rule"),
    ],
    "common/scores/inception.py": [(r"papers compute FID of", "of Inception")],
    "tests/scores/test_inception.py": [
        (r'"KID" in output and "Inception Score" in output', "with Inception"),
    ],
    "tests/scores/test_torch_fidelity.py": [(r"FID, KID and IS", "of torch-fidelity")],
    "tests/scores/by_torch_fidelity.py": [
        (r"FID, KID (and IS|of one subset)", "of torch-fidelity"),
    ],
    "tests/scores/test_table.py": [
        (r'\["FID", "KID", "Inception Score"\]', "titles with Inception"),
        (r'\("FID", "KID", "Inception Score"\)', "titles with Keras Inception"),
    ],
    "tests/comparing/test_compare_runs.py": [
        (r'\["FID \(less is better\)"\]', "of a run scored with Inception"),
        (r'\["standard error of KID"\]', "of a run scored with Inception"),
    ],
    "tests/test_score_names.py": [(r"(?s).*", "this test")],
    "README.md": [
        (r"FID only with the features of Inception", "the rule"),
    ],
    "docs/scores.md": [
        (r"FID, KID and\s+Inception Score are those of Inception", "the rule"),
        (r"\| FID, `fid` \|", "the column `with Inception`"),
        (r"\| KID, `kid`, `kid_error` \|", "the column `with Inception`"),
        (r"\| Inception Score, `inception_score` \|", "the column `with Inception`"),
        (r"FID \(Keras Inception\)", "of Keras's Inception"),
        (r"no others, are called FID, KID and Inception Score", "of the graph of 2015"),
        (r"FD and FID need more images", "a limit that both have"),
        (r"KD and KID have", "a limit that neither has"),
        (r"(?s)## The FID of papers.*?(?=\n## )", "a section on Inception's scores"),
    ],
    "docs/references.md": [
        (r"Frechet distance \(FID\)", "the name in the paper that is cited"),
        (r"kernel distance \(KID\)", "the name in the paper that is cited"),
        (r"classifier score \(Inception Score\)", "the name in the paper that is cited"),
    ],
    "CHANGELOG.md": [
        (r"FID, KID and Inception Score are those of\s+Inception", "the rule"),
        (r"\(FID and KID\s+with Inception\)", "of Inception"),
    ],
}
EVERYWHERE = [  # in any page
    (r"not comparable with a\s+published\s+FID", "what other works report"),
    (r"no published FID", "what other works report"),
    (r'"FID" in the picture is "FD \(', "a picture of an earlier version"),
]


def files():
    for pattern in ("*.md", "*.py"):
        for path in sorted(ROOT.rglob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            if not re.match(r"\.|runs/|benchmarks/(\.venv|work)/", name):
                yield name, path.read_text()


def misnamed(name, text, used=None):
    """Return the lines that name a score after Inception without a reason."""
    used = Counter() if used is None else used
    for pattern, _ in ALLOWED.get(name, []) + EVERYWHERE:
        text, n = re.subn(pattern, lambda x: "\n" * x[0].count("\n"), text, flags=re.I)
        used[name, pattern] += n
    lines = enumerate(text.splitlines(), 1)
    return [f"{name}:{i}: {line.strip()}" for i, line in lines if WORD.search(line)]


def test_scores_are_named_after_inception_with_a_reason_only():
    used, found = Counter(), []
    for name, text in files():
        found += misnamed(name, text, used)
    assert found == []
    rows = [(name, pattern) for name, rows in ALLOWED.items() for pattern, _ in rows]
    assert [
        row for row in rows if used[row] == 0
    ] == []  # an exception that is not needed


@pytest.mark.parametrize("text", ["| FID | 2.15 |", "a KID of 0.1", "# Inception Score"])
def test_misnamed_scores_are_found(text):
    assert len(misnamed("x.md", f"one\n{text}\n")) == 1
