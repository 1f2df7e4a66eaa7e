"""The step against one that was written apart from it: the numbers of `golden.npz`.

They are of commit 0092075, where D and G learned by Keras's own `train_step`.
"""

from pathlib import Path

import numpy as np
import pytest
from golden import KEPT, three_steps
from helpers import slow

GOLDEN = Path(__file__).with_name("golden.npz")


@pytest.mark.parametrize("name", [KEPT[0], KEPT[4], *map(slow, KEPT[1:4] + KEPT[5:])])
def test_three_steps_give_the_recorded_weights_and_logs(name):
    with np.load(GOLDEN) as golden:
        expected = {
            key.partition("|")[2]: golden[key]
            for key in golden.files
            if key.startswith(f"{name}|")
        }
    found = three_steps(name)
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], atol=1e-5, err_msg=key)
