"""Files of any content: each reader gives something sound, or a UserError, no more.

Contents are random bytes, and whole files that were cut, changed or added to. The
examples are the same every time.
"""

import json
import pickle
import tempfile
import tracemalloc
from pathlib import Path

import bad_files
import bad_models
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from common.basics.errors import UserError
from common.comparing import read as compared
from common.data import cifar10, mnist
from common.data.attributes import read_attributes
from common.fitting.resume import keep_rows_until
from common.runs import checks, record, state
from common.runs.tables import read_columns
from common.safety import arrays

MOST = 2**26  # bytes that a reader may take for a file of some kilobytes
set_hypothesis_home_dir(Path(tempfile.gettempdir(), "hypothesis"))
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, max_examples=60,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
settings.load_profile("same")

CSV = bad_files.csv(3).encode()
NPZ = bad_files.saved(x_train=bad_files.GREY[:2], y_train=np.arange(2))
IDX = bad_files.idx((2, 28, 28), 1568)
BATCH = bad_files.batch(rows=2)
FACES = bad_files.FACES.encode()
HISTORY = b"epoch,step,d_loss,g_loss\n1,10,0.5,0.7\n1,20,0.5,0.7\n2,10,0.4,0.8\n"
SCORES = b'{"epoch": 1, "scores": {"fd": {"mean": 3.0, "std": 0.1}}, "protocol": {}}\n'
OPTIONS = json.dumps(
    {"script": "mnist_gan/train.py", "options": {"epochs": 3, "data": "digits"},
     "data": {"fingerprint": "0", "name": "digits", "source": "here", "shape": [1]}}
).encode()  # fmt: skip


@st.composite
def changed(draw, whole):
    """This content, of which some places were cut, replaced, or added to."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        kind = draw(st.sampled_from(("cut", "flip", "insert", "remove", "repeat")))
        if kind == "cut":
            del content[at:]
        elif kind == "flip" and at < len(content):
            content[at] = draw(st.integers(0, 255))
        elif kind == "insert":
            content[at:at] = draw(st.binary(max_size=8))
        elif kind == "remove":
            del content[at : at + draw(st.integers(1, 100))]
        else:
            content[at:at] = content[at : at + draw(st.integers(1, 100))]
    return bytes(content)


def contents(whole):
    return st.one_of(st.binary(max_size=200), changed(whole), changed(whole[:300]))


def bounded(function, *arguments):
    """Return what a reader returns, or None after an error; limit its memory and time."""
    tracemalloc.start()
    try:
        return function(*arguments)
    except UserError as error:
        assert str(error)
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MOST
        assert not Path("code_ran").exists()


@pytest.mark.parametrize(
    "name, whole",
    [("set.npz", NPZ), ("set.csv", CSV), ("set/train-images-idx3-ubyte", IDX),
     ("set/train-labels-idx1-ubyte", bad_files.idx((2,), 2))],
)  # fmt: skip
@given(st.data())
def test_sets_of_grey_images(name, whole, data):
    bad_files.write("set/train-images-idx3-ubyte", IDX)
    bad_files.write(name, data.draw(contents(whole)))
    images = bounded(mnist.load_images, str(Path(name.split("/")[0]).absolute()))
    if images is not None:
        assert images.pixels.shape[1:] == (28, 28, 1) and len(images.pixels) > 0
        assert images.pixels.dtype == np.uint8
        assert images.labels is None or len(images.labels) == len(images.pixels)


def test_what_is_changed_can_be_read():
    """So the changes above are of sets that would be read."""
    for name, whole in (("a.npz", NPZ), ("a.csv", CSV)):
        bad_files.write(name, whole)
        assert len(mnist.load_images(name).pixels) > 1
    assert len(cifar10.read_batch(BATCH, Path("batch"))[0]) == 2


@given(contents(BATCH))
@example(pickle.dumps({b"data": bad_files.Hostile(), b"labels": [1]}))
@example(bad_files.MEMO)
@example(bad_files.batch(labels=bad_files.laughs(60)))
@example(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x00")  # bytes of a length that no file has
@example(b"\x80\x05\x96" + (2**40).to_bytes(8, "little"))
def test_batches_of_cifar10(content):
    read = bounded(cifar10.read_batch, content, Path("data_batch_1"))
    if read is not None:
        pixels, labels = read
        assert pixels.shape == (len(labels), 3072) and pixels.dtype == np.uint8
        assert labels.dtype == int and 0 <= labels.min() <= labels.max() < 10


@given(contents(bad_files.tar("data_batch_1", 100)))
def test_archives_of_cifar10(content):
    bad_files.write("cifar.tar.gz", content)
    assert bounded(cifar10.load_images, str(Path("cifar.tar.gz").absolute())) is None


@given(contents(FACES))
@example(b"2\n\n\nb")
@example(b"1\nA\n1.png " + b"1" * 5000)
def test_lists_of_attributes(content):
    bad_files.write("list.txt", content)
    read = bounded(read_attributes, "list.txt", ["1.png"])
    if read is not None:
        titles, rows_of = read
        rows = rows_of(["1.png", "1.png"])
        assert rows.shape == (2, len(titles)) and set(np.unique(rows)) <= {-1, 1}


@given(contents(OPTIONS))
@example(b"[" * 10**5)
@example(b'{"script": 1, "data": {"fingerprint": ""}, "options": {"epochs": 1}}')
def test_options_json(content):
    bad_files.write("run/options.json", content)
    found = bounded(record.read_options, "run")
    if found is not None:
        assert isinstance(found["script"], str) and "epochs" in found["options"]
        assert record.trained_on("run")["data"]["fingerprint"] is not None


words = st.text(st.characters(codec="utf-8"), max_size=5)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**6), st.floats(), words,
    st.lists(st.integers(), max_size=2), st.just({}), st.just(10**30),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(bad_models.options())), values, max_size=4))
def test_recorded_options(odd):
    """The record of a run's images is validated like options, or rejected."""
    from common.options.training_options import training_options
    from mnist_gan.train import SCRIPT

    bad_models.a_run(**odd)
    options = bounded(training_options, ["--resume", "run"], SCRIPT)
    if options is not None:
        assert options.epochs >= 1 and options.batch_size % 2 == 0
        assert isinstance(options.learning_rate, float | int | None)
        assert options.objective in ("bce", "minimax", "lsgan", "hinge", "r3gan")


@given(contents(HISTORY))
@example(b"epoch,epoch\n1,2\n")
@example(b"epoch\n" + b"9" * 5000 + b"\n")
@example(b"epoch\n" + b"0" * 5000 + b"1\n")
@example(b'"epoch\n1\n')
@example(b"\n\n")
def test_history_csv(content):
    path = Path(bad_files.write("run/history.csv", content))
    columns = bounded(read_columns, path)
    if columns is not None:
        assert len({len(column) for column in columns.values()}) <= 1
        assert all(column.dtype == float for column in columns.values())
    try:
        checks.check_tables("run")
    except UserError:
        return
    bounded(keep_rows_until, 1, path)
    for row in path.read_text().splitlines()[1:]:
        assert int(row.split(",")[0]) <= 1


@given(contents(SCORES))
@example(bad_models.scores(scores={"fd": 10**400}).encode())
@example(b"[" * 10**5 + b"\n")
def test_metrics_jsonl(content):
    path = Path(bad_files.write("run/metrics.jsonl", content))
    for line in bounded(compared.read_score_lines, path, "0") or []:
        assert isinstance(line.epoch, int)
        assert all(s is None or isinstance(s[0], float) for s in line.scores.values())


@given(contents(bad_files.saved(epoch=np.array(1), a=np.zeros(3))))
def test_state_npz(content):
    bad_files.write("run/state.npz", content)
    bounded(state.find_state, "run")


@given(contents(bad_files.header((3, 5)) + bytes(15)))
def test_points_npy(content):
    path = Path(bad_files.write("p.npy", content))

    def read():
        with path.open("rb") as file:
            arrays.check_header(file, len(content))
        return np.load(path, allow_pickle=False)

    try:
        vectors = bounded(read)
    except ValueError:  # which generate.py reports
        return
    assert len(vectors.tobytes()) <= len(content)
