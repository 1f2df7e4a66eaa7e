"""Define errors for the user, and the message and exit code of every error."""

import errno
import re
from contextlib import contextmanager


class UserError(Exception):
    """A wrong input. Its message is one line: what is wrong, the value, how to fix it."""


class MachineError(UserError):
    """A fault of the machine, such as a full disk, with the same kind of message."""


MACHINE_FAULTS = {  # error number -> how to fix it
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)"),
    errno.ENOMEM: "close other programs",
    errno.EPIPE: "write to a file, or to a program that reads to the end",
    errno.EIO: "the disk may be broken",
}
MAX_LENGTH = 1000  # characters of a message


def is_out_of_memory(error):
    """Return whether Python, NumPy, TensorFlow or PyTorch ran out of memory."""
    names = ("ResourceExhaustedError", "OutOfMemoryError")  # neither is imported here
    return isinstance(error, MemoryError) or type(error).__name__ in names


@contextmanager
def as_user_error(what, fix="download or copy it again"):
    """Convert any error inside this context to a UserError with a one-line message.

    A UserError and an out-of-memory error are raised unchanged.

    Args:
        what: what is wrong, with the value seen.
        fix: how to fix it.
    """
    try:
        yield
    except Exception as error:  # libraries that read files raise a dozen kinds
        if isinstance(error, UserError) or is_out_of_memory(error):
            raise
        name = "it is incomplete" if type(error) is EOFError else type(error).__name__
        text = getattr(error, "strerror", None) or str(error)
        reason = re.split("[.;] ", (text.splitlines() or [name])[0])[0].rstrip(".")
        raise UserError(f"{what}: {reason}; {fix}") from None


def is_lost_worker(error):
    """Return whether TensorFlow reports that a machine of TF_CONFIG is unavailable."""
    return type(error).__name__ == "UnavailableError"


def exit_code(error):
    """Return 2 if the user can fix an error, 3 for a fault of the machine.

    Return None for all others: they are bugs, and keep their traceback.
    """
    is_fault = isinstance(error, MachineError) or is_out_of_memory(error)
    if is_fault or is_lost_worker(error):
        return 3
    if not isinstance(error, (UserError, OSError)):
        return None
    while error is not None:
        if isinstance(error, OSError) and error.errno in MACHINE_FAULTS:
            return 3
        error = error.__context__
    return 2


def error_message(error):
    """Return the message of any error: one printable line of limited length."""
    text = str(error)
    if is_out_of_memory(error):  # TensorFlow's and PyTorch's texts are tracebacks
        detail = f" ({text})" if text and isinstance(error, MemoryError) else ""
        text = f"out of memory{detail}: use a smaller batch size or a larger machine"
    elif is_lost_worker(error):
        text = (
            "another machine of TF_CONFIG stopped: read its error message, then restart "
            "all, with --resume if the chief has a run folder: finished epochs are kept"
        )
    elif isinstance(error, OSError) and error.strerror:
        path = "" if error.filename is None else f"{error.filename}: "
        fix = MACHINE_FAULTS.get(error.errno)
        fix = f"{fix}; saved files are kept" if fix else "correct it, or use another path"
        text = f"{path}{error.strerror}; {fix}"
    text = re.sub(r"\S{400,}", lambda word: f"{word[0][:150]}...{word[0][-100:]}", text)
    if len(text) > MAX_LENGTH:
        text = f"{text[: MAX_LENGTH // 2]} ... {text[-MAX_LENGTH // 3 :]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
