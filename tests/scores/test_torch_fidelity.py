"""FID, KID and IS against those of torch-fidelity, on equal features."""

import json
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL

import numpy as np
import pytest
from by_torch_fidelity import CASES, SPLITS, make_features
from helpers import slow

from benchmarks.contenders import OTHER_PYTHON
from common.scores import metrics

HERE = Path(__file__).parent
TABLE = json.loads((HERE / "torch_fidelity.json").read_text())  # made by torch-fidelity
PYTHONS = (OTHER_PYTHON, Path(sys.executable))


def ours(case):
    first, second, logits = make_features(**case)
    powers = np.exp(logits)
    probabilities = (powers / powers.sum(1, keepdims=True)).astype("float32")
    mean, deviation = metrics.split_classifier_score(probabilities, SPLITS)
    return {
        "fid": metrics.frechet_distance(first, second),
        "kid": metrics.squared_mmd(first, second),
        "is_mean": mean,
        "is_deviation": deviation,
    }


@pytest.mark.parametrize("row", [*TABLE["rows"][:-1], slow(TABLE["rows"][-1])])
def test_our_scores_are_those_of_the_table(row):
    case = {name: row[name] for name in CASES[0]}
    assert case in CASES
    assert {**case, **ours(case)} == pytest.approx(row, rel=1e-5)


def test_kid_is_the_mean_of_this_estimate():
    first, second, _ = make_features(**CASES[1])
    value, _ = metrics.kernel_distance(first, second, np.random.default_rng(0))
    assert value == pytest.approx(TABLE["rows"][1]["kid"], rel=0.05)


@pytest.mark.slow
def test_the_table_is_what_torch_fidelity_computes():
    for python in PYTHONS:
        words = [python, "-c", "import torch_fidelity"]
        if python.exists() and not subprocess.call(words, stderr=DEVNULL):
            break
    else:
        pytest.skip(
            "torch-fidelity is not installed: `make bench` makes benchmarks/.venv"
        )
    code = (
        "import json; from by_torch_fidelity import CASES, scores_of; "
        "print(json.dumps([scores_of(case) for case in CASES[:-1]]))"  # the last: minutes
    )
    words = [python, "-c", code]
    answer = subprocess.run(words, cwd=HERE, capture_output=True, text=True, check=True)
    for row, expected in zip(json.loads(answer.stdout), TABLE["rows"][:-1], strict=True):
        assert row == pytest.approx({name: expected[name] for name in row}, rel=1e-8)
