"""The code speaks the language of the field: what cannot be searched for has a reason."""

import io
import re
import tokenize

import pytest
from helpers import ROOT

SHIPPED = ("common", "toy_gan", "mnist_gan", "cifar10_gan", "celeba_gan", "benchmarks")
WORDS = {  # pattern -> what the field says
    r"latent points?|points?": "latent vector, z",
    r"(the|a|this|narrow|quick|dense|tutorials'?) pairs?|pairs? of models": "models",
    r"games?|players?|play(s|ed|ing)?": "training",
    r"drawer|(G|generator|it|models?) draws?|draws? (n|images|digits|faces)": "sample",
    r"told|tells?|telling": "printed, reported, class-conditional",
    r"surely|so sure": "confident (p > 0.9)",
    r"(?<!negative )slopes?": "gradient norm",
    r"running mean of (its|G)|mean of G's|averages of G": "EMA of G's weights",
    r"merged|halves": "mixed batch, separate batches",
    r"guards?|watched|symptoms?": "collapse detector",
    r"quiet (machine|cores)|beside other work": "idle machine, under load",
    r"reads? as|read right": "classified as",
    r"films?": "video",
    r"strangers?": "untrusted",
    r"alone in|pass over|opinions|unsure": "exclusive_lock, skip_steps",
    r"judges?|judged|verdicts?": "scorer, D's output",
    r"replicas?": "strategy, devices",
    r"(go|goes|going|gone|went) on": "resume, continue",
    r"anew": "restart, again",
    r"mend(s|ed)?": "fix",
    r"says?|said|saying": "print, report",
    r"ask(s|ed|ing)? for|as asked|asked": "request",
    r"sentences?": "error message",
    r"but for|(by|in) turns|of (its|their) own|as well": "except, alternating, also",
    r"taken for real|called? (real|fake)": "classified as real",
    r"refus(e|ed|es|al|als)": "rejected, not allowed",
}
PATTERN = re.compile("|".join(rf"\b(?:{word})\b" for word in WORDS), re.I)
TUTORIAL = "generate latent points"  # a function of the tutorials keeps its name
RIGHT = {  # file or folder -> words that are meant there
    "toy_gan/": ("point", "points"),  # of the plane
    "common/fitting/distributed.py": ("replica", "replicas"),  # of TensorFlow's API
    "common/fitting/strategy.py": ("replicas",),
    "common/updates.py": ("replicas",),
    "common/layers/conditional.py": ("point", "verdict"),  # layers of saved models
    "mnist_gan/conditional_dense.py": ("point",),
    "common/basics/cli.py": ("halves", "verdict"),  # options of before
    "common/safety/archives.py": ("tell",),  # of a file
    "common/exploring/project.py": ("latent point", "point"),  # point.npy
    "benchmarks/summary.py": ("verdict",),  # a key of results.json
}


def words_of(text):
    """Yield (line, text) of comments, strings and names, in words with spaces between."""
    kinds = {tokenize.COMMENT, tokenize.STRING, tokenize.NAME}
    kinds.add(getattr(tokenize, "FSTRING_MIDDLE", tokenize.NAME))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in kinds:
            text = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s_]+", " ", token.string)
            yield token.start[0], text.replace(TUTORIAL, "")


def private_words(path, text):
    """Return the private words in a file, as "path:line: word"."""
    right = {w for place, words in RIGHT.items() if path.startswith(place) for w in words}
    return [
        f"{path}:{line}: {found[0]}"
        for line, words in words_of(text)
        for found in PATTERN.finditer(words)
        if found[0].lower() not in right
    ]


def test_no_private_word_is_left():
    found = []
    for folder in SHIPPED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if ".venv" not in path.parts:
                name = path.relative_to(ROOT).as_posix()
                found += private_words(name, path.read_text())
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "# a game of two\n",
        'x = "the pair"\n',
        "latent_points = 1\n",
        'f"{x} told"\n',
        "N_POINTS = 1\n",
        '"""It goes\non."""\n',
        "class PairOfModels: pass\n",
    ],
)
def test_private_words_are_found(text):
    assert len(private_words("common/x.py", text)) == 1


def test_what_help_cites_is_in_the_references():
    from common.options.table import OPTIONS

    texts = " ".join(row.help for row in OPTIONS.values())
    cited = re.findall(r"[A-Z]\w+(?: & [A-Z]\w+| et al\.) \d{4}", texts)
    known = (ROOT / "docs" / "references.md").read_text()
    assert (
        len(cited) > 10 and [work for work in cited if f"| {work} |" not in known] == []
    )
