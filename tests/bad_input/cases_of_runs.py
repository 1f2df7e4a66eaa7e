"""Damaged and hostile runs, to resume or to compare.

Name -> (script, function that makes them, words of the message).
"""

import os
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from bad_files import (
    ALONE,
    SIDE,
    STATE,
    TRAIN,
    data,
    header,
    named,
    saved,
    with_file,
    write,
    zipped,
)
from bad_models import HISTORY, a_run, compared, resume, scores

RUNS = {
    # Runs to resume
    "options.json of 0 bytes": (TRAIN, resume(""), "is not valid JSON, ''"),
    "a truncated options.json": (
        TRAIN, resume('{"script": "mnist_gan/tr'), "is not valid JSON"),
    "options.json that is a list": (TRAIN, resume("[1, 2]"), "found [1, 2]"),
    "a deeply nested options.json": (TRAIN, resume("[" * 10**5), "not valid", ALONE),
    "options.json that is not UTF-8": (
        TRAIN, resume(b"\xff\xfe"), "options.json cannot be read: 'utf-8'"),
    "options.json of 2 MB": (TRAIN, resume(" " * 2**21 + "{}"), "limit of 1.0 MiB"),
    "options.json without data": (TRAIN, resume(record={"data": {}}), "is missing"),
    "options.json whose script is a number": (
        TRAIN, resume(record={"script": 5}), "script is 5, expected type str"),
    "options.json of another script": (
        TRAIN, resume(record={"script": "cifar10_gan/train.py"}), "is a run of cifar10"),
    "options.json with a word for a number": (
        TRAIN, resume(words=(), epochs="ten"), "not 'ten'"),
    "options.json with batch_size 3": (TRAIN, resume(batch_size=3), "an even number"),
    "options.json with a list for a number": (TRAIN, resume(batch_size=[16]), "even"),
    "options.json with null for a number": (TRAIN, resume(latent_dim=None), "latent"),
    "options.json with a string for a number": (
        TRAIN, resume(learning_rate="0.1"), "'0.1', not a value"),
    "options.json with NaN": (TRAIN, resume(learning_rate=float("nan")), "finite"),
    "options.json with an unknown objective": (TRAIN, resume(objective="x"), "objective"),
    "options.json with an object for a flag": (TRAIN, resume(augment={}), "{}, not a"),
    "options.json with options that exclude each other": (
        TRAIN, resume(wrong_labels=True), "options.json: --wrong"),
    "options.json that records other images": (
        TRAIN, resume(record={"data": {"fingerprint": "0", "source": "elsewhere"}}),
        "came from elsewhere"),
    "another option than the run's": (
        TRAIN, resume(words=("--seed", "9")), "--seed 9 (the run's: 1)"),
    "a named pipe in place of metrics.jsonl": (
        TRAIN, lambda: [resume()(), os.mkfifo("run/metrics.jsonl")][0], "is a pipe"),
    "options.json with an unknown option": (
        TRAIN, resume(warmth=3), "unknown options, warmth"),
    "options.json of an older format": (
        TRAIN, resume(record={"format": 1, "commit": "f89383e"}),
        "has format 1, commit f89383e, and these scripts use 2"),
    "options.json of a newer format": (
        TRAIN, resume(record={"format": 3}), "has format 3, and these scripts use 2"),
    "options.json with a string as format": (
        TRAIN, resume(record={"format": "2"}), "format is '2', expected"),
    "fewer epochs than the run has finished": (
        TRAIN, resume(words=("--epochs", "1")), "run is finished, epochs: 1"),
    "a state.npz of 0 bytes": (TRAIN, resume(state=b""), "state.npz is damaged"),
    "a truncated state.npz": (TRAIN, resume(state=saved(epoch=1)[:80]), "is damaged"),
    "a state.npz that declares 10**12 numbers": (
        TRAIN, resume(state=zipped({"epoch.npy": header((10**12,))})), "it declares"),
    "a compressed state.npz": (
        TRAIN, resume(state=zipped({"epoch.npy": bytes(9999)}, zipfile.ZIP_DEFLATED)),
        "is compressed"),
    "history.csv with a word for a number": (
        TRAIN, resume(history=HISTORY + "1,2,x,0\n"), "with numbers, found '1,2,x,0'"),
    "history.csv with a row too short": (TRAIN, resume(history=HISTORY + "1,2\n"), "li"),
    "history.csv with an extremely long row": (
        TRAIN, resume(history=HISTORY + "9" * 200_000 + "\n"), "numbers, found"),
    "history.csv without epochs": (TRAIN, resume(history="a\n1\n"), "expected 'epoch,"),
    "history.csv without losses": (
        TRAIN, resume(history="epoch,step\n1,2\n"), "expected 'epoch,"),
    "history.csv without steps": (
        TRAIN, resume(history="epoch,g_loss\n1,2\n"), "expected 'epoch,"),
    "history.csv with quoted numbers": (
        TRAIN, resume(history=HISTORY + '"1",2,1,1\n'), "expected 'epoch,"),
    "events.csv with other columns": (
        TRAIN, resume(beside=("events.csv", "epoch,x\n1,2\n")), "expected 'epoch,"),
    "a folder in place of events.csv": (
        TRAIN, resume(beside=("events.csv/x", "")), "is a folder"),
    "a folder in place of a picture": (
        TRAIN, resume(beside=("generated_plot_e003.png/x", "")), "is a folder"),
    "a file in place of the folder tensorboard": (
        TRAIN, resume(beside=("tensorboard", "x")), "not a folder"),
    "a run folder with a link": (
        TRAIN, resume(link=".state.npz"), "is a link"),
    "options.json without a seed": (TRAIN, resume(seed=None), "--seed: must be a whole"),
    "a state.npz of strings": (
        TRAIN, resume(state=saved(**STATE, variable=np.array("x"))), "not numbers"),
    "a state.npz of epoch -5": (
        TRAIN, resume(state=saved(**{**STATE, "epoch": -5})), "not a whole number"),
    "a state.npz of epoch 1.5": (
        TRAIN, resume(state=saved(**{**STATE, "epoch": 1.5})), "not a whole number"),
    "a state.npz whose random state is out of range": (
        TRAIN, resume(state=saved(**{**STATE, "numpy 1": 10**9})), "generators"),
    "a state.npz with an incomplete random state": (
        TRAIN, resume(state=saved(**{**STATE, "numpy 0": np.zeros(3)})), "generators"),
    "history.csv with NaN as epoch": (
        TRAIN, resume(history=HISTORY + "nan,2,1,1\n"), "has nan, not a whole number"),
    # Runs to compare
    "a run without history": (SIDE, compared(history=""), "has no history"),
    "a run with a damaged history": (SIDE, compared(history="epoch\nx\n"), "found 'x'"),
    "a run without losses": (SIDE, compared(history="epoch\n1\n"), "has no column"),
    "a history with one loss of D missing": (
        SIDE, compared(history="epoch,step,g_loss,d1\n1,1,1,1\n"), "has no column d2"),
    "a history with an extremely long field": (
        SIDE, compared(history="epoch\n" + "1" * 200_000 + "\n"), "numbers, found"),
    "a damaged times.csv": (
        SIDE, compared("times.csv", "epoch,seconds\n1,x\n"), "line 2"),
    "metrics.jsonl that is not JSON": (
        SIDE, compared("metrics.jsonl", "fd 3\n"), "line 1"),
    "a deeply nested metrics.jsonl": (
        SIDE, compared("metrics.jsonl", "[" * 10**5 + "\n"), "line 1: expected"),
    "metrics.jsonl with a number that exceeds float64": (
        SIDE, compared("metrics.jsonl", scores(scores={"fd": 10**400})), "a JSON"),
    "metrics.jsonl with a string as score": (
        SIDE, compared("metrics.jsonl", scores(scores={"fd": "good"})), "a JSON object"),
    "a run folder that is a link to itself": (
        SIDE, lambda: [a_run("one"), Path("two").symlink_to("two"), ["one", "two"]][2],
        "not a run folder"),
    "a folder in place of history.csv": (
        SIDE, lambda: [compared()(), Path("two/history.csv").unlink(),
                       Path("two/history.csv").mkdir(), ["one", "two"]][3], "regular"),
    "a result folder that is not empty, to compare": (
        SIDE, lambda: [*compared()(), "--run-dir", "one"], "is not empty"),
    "a table with a damaged run, to resume": (
        "mnist_gan/compare.py",
        lambda: [write("t/bce/state.npz", b""), write("t/bce/options.json", ""),
                 ["objectives", "--only", "bce", *data("synthetic"), "--resume", "t"]][2],
        "options.json is not valid JSON"),
    "a file in place of the run folder": (
        "toy_gan/train_1010.py", with_file("r", "x", named("--run-dir")), "run folder"),
    "a run folder inside a file": (
        "toy_gan/divergences.py", with_file("r", "x", lambda x: ["--run-dir", "r/s"]),
        "cannot make the run folder"),
    "a run folder that is not empty": (
        "cifar10_gan/define_gan.py", with_file("r/x", "x", lambda x: ["--run-dir", "r"]),
        "is not empty"),
    "TF_CONFIG that is not JSON": (
        TRAIN, partial(str.split, "--device all --data synthetic"), "TF_CONFIG is not",
        {"settings": {"TF_CONFIG": "machines"}}),
}  # fmt: skip
