"""Signals that end a process, raised as exceptions: a script tidies up before it ends."""

import os
import signal
import stat
import sys
from _thread import interrupt_main
from contextlib import contextmanager
from threading import Timer, main_thread

# Windows has no SIGHUP, which a terminal sends when it is closed.
ENDING = [getattr(signal, x) for x in ("SIGTERM", "SIGHUP") if hasattr(signal, x)]


class Terminated(KeyboardInterrupt):
    """SIGTERM, or a closed terminal's SIGHUP, treated as Ctrl-C is."""


@contextmanager
def raised_signals():
    """Inside, SIGTERM and SIGHUP raise Terminated, as Ctrl-C raises KeyboardInterrupt."""
    hook, sys.unraisablehook = sys.unraisablehook, _interrupt_again
    try:
        with handled_signals(ENDING, _terminate):
            yield
    finally:
        sys.unraisablehook = hook


@contextmanager
def handled_signals(signals, handler):
    """Inside, these signals have a handler; those that are ignored, as by nohup, stay so.

    Args:
        signals: list of signal numbers.
        handler: as of `signal.signal`.
    """
    heard = [s for s in signals if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, handler) for s in heard}
    try:
        yield
    finally:
        for signum, old in before.items():
            signal.signal(signum, old)


def _terminate(signum, frame):
    if signum != signal.SIGTERM:  # the terminal is gone: to write to it is an error
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            for stream in (1, 2):
                if stat.S_ISCHR(os.fstat(stream).st_mode):
                    os.dup2(nowhere.fileno(), stream)
    raise Terminated(int(signum))


def _interrupt_again(lost):
    """Send a signal again that came within a destructor, where Python drops it."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        return sys.__unraisablehook__(lost)
    timer = Timer(0.1, _interrupt, lost.exc_value.args or [signal.SIGINT])
    timer.daemon = True
    timer.start()


def _interrupt(signum):
    """Send a signal to the main thread; Windows does not interrupt a wait by it."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread().ident, signum)
    else:
        interrupt_main(signum)
