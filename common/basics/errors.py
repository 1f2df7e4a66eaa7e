"""The errors that a user is meant to read, and how any error is printed."""

import errno
import re
from contextlib import contextmanager


class UserError(Exception):
    """What the user got wrong, the value seen and how to mend it, in one sentence."""


class MachineError(UserError):
    """The same where the machine is at fault, such as a full disk."""


FAULTS = {  # of the machine, and what to do about them
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)"),
    errno.ENOMEM: "close other programs",
    errno.EPIPE: "let it go to what reads to its end, such as a file",
    errno.EIO: "the disk may be broken",
}
LONGEST = 1000  # characters of a sentence that is still read


def ran_out(error):
    """Whether memory ran out: of Python and NumPy, of TensorFlow, or of PyTorch."""
    names = ("ResourceExhaustedError", "OutOfMemoryError")  # which are not imported here
    return isinstance(error, MemoryError) or type(error).__name__ in names


@contextmanager
def as_user_error(what, mend="download or copy it again"):
    """Inside, an error of any kind becomes a UserError: what is wrong, why, what to do.

    A UserError stays as it is, and so does the error when memory runs out.
    """
    try:
        yield
    except Exception as error:  # libraries that read files raise a dozen kinds
        if isinstance(error, UserError) or ran_out(error):
            raise
        why = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0]
        raise UserError(f"{what}: {why}; {mend}") from None


def is_alone(error):
    """Whether TensorFlow says that another machine of TF_CONFIG does not answer."""
    return type(error).__name__ == "UnavailableError"


def exit_code(error):
    """Return 2 where the user can mend an error, 3 where its cause is the machine's.

    And None for all others, which are faults of this code: they keep their traceback.
    """
    if isinstance(error, MachineError) or ran_out(error) or is_alone(error):
        return 3
    if not isinstance(error, (UserError, OSError)):
        return None
    while error is not None:
        if isinstance(error, OSError) and error.errno in FAULTS:
            return 3
        error = error.__context__
    return 2


def one_sentence(error):
    """What to print of an error: one line, whatever names and files brought into it."""
    text = str(error)
    if ran_out(error):  # TensorFlow's and PyTorch's texts are tracebacks
        what = f" ({text})" if text and isinstance(error, MemoryError) else ""
        text = f"memory ran out{what}: choose less, or a larger machine"
    elif is_alone(error):
        text = (
            "another machine of TF_CONFIG is gone: see what it said, and start all anew, "
            "with --resume where the chief has a run folder, which keeps whole epochs"
        )
    elif isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        mend = FAULTS.get(error.errno)
        mend = f"{mend}; what was saved stays" if mend else "name another, or mend it"
        text = f"{place}{error.strerror}; {mend}"
    text = re.sub(r"\S{400,}", lambda word: f"{word[0][:150]}...{word[0][-100:]}", text)
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 3 :]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
