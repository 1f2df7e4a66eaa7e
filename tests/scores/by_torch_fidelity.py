"""Compute FID, KID and IS of made feature matrices by torch-fidelity, as a JSON table.

It needs NumPy and torch-fidelity alone. To write the table that the tests compare with:

    python tests/scores/by_torch_fidelity.py > tests/scores/torch_fidelity.json
"""

import json
import platform

import numpy as np

CASES = [  # of a seed, images, features, and what is added to the second set
    {"seed": 0, "n": 200, "d": 16, "shift": 0.1},
    {"seed": 1, "n": 600, "d": 64, "shift": 0.5},
    {"seed": 2, "n": 1000, "d": 256, "shift": 0.05},
    {"seed": 3, "n": 2500, "d": 2048, "shift": 0.02},  # the features of Inception
]
SPLITS = 10  # of IS


def make_features(seed, n, d, shift):
    """Return correlated, partly zero features as after a ReLU, and logits.

    RandomState gives the same numbers in all versions of NumPy.

    Args:
        seed, n, d: int; n divides by SPLITS.
        shift: float, added to what the second set is made of.

    Returns:
        two float64 (n, d); logits float64 (n, 100).
    """
    rng = np.random.RandomState(seed)
    mix = rng.standard_normal((d, d)) / np.sqrt(d)
    a, b = (rng.standard_normal((n, d)) + x for x in (0, shift))
    first, second = (np.maximum(x @ mix + 0.3, 0) for x in (a, b))
    return first, 1.05 * second, 3 * rng.standard_normal((n, 100))


def scores_of(case):
    """Return FID, KID of one subset of all rows, mean and deviation of IS, as a dict."""
    import torch
    from torch_fidelity import metric_fid, metric_isc, metric_kid

    *features, logits = map(torch.from_numpy, make_features(**case))
    statistics = [metric_fid.fid_features_to_statistics(x) for x in features]
    fid = metric_fid.fid_statistics_to_metric(*statistics, False)
    one_subset = {"kid_subsets": 1, "kid_subset_size": case["n"], "verbose": False}
    kid = metric_kid.kid_features_to_metric(*features, **one_subset)
    score = metric_isc.isc_features_to_metric(logits, SPLITS, shuffle=False)
    return {
        "fid": fid[metric_fid.KEY_METRIC_FID],
        "kid": kid[metric_kid.KEY_METRIC_KID_MEAN],
        "is_mean": score[metric_isc.KEY_METRIC_ISC_MEAN],
        "is_deviation": score[metric_isc.KEY_METRIC_ISC_STD],
    }


def main():
    """Print the table."""
    import torch
    import torch_fidelity

    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torch_fidelity": torch_fidelity.__version__,
    }
    rows = [{**case, **scores_of(case)} for case in CASES]
    print(json.dumps({"versions": versions, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
