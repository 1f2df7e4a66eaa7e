"""Signals that end a process, raised as exceptions: scripts clean up before they end."""

import os
import signal
import stat
import sys
from _thread import interrupt_main
from contextlib import contextmanager
from threading import Timer, main_thread

# Windows has no SIGHUP, the signal of a closed terminal.
ENDING = [getattr(signal, x) for x in ("SIGTERM", "SIGHUP") if hasattr(signal, x)]


class Terminated(KeyboardInterrupt):
    """SIGTERM, or SIGHUP of a closed terminal, handled like Ctrl-C."""


@contextmanager
def raised_signals():
    """Raise Terminated at SIGTERM and SIGHUP inside this context."""
    hook, sys.unraisablehook = sys.unraisablehook, _interrupt_again
    try:
        with handled_signals(ENDING, _terminate):
            yield
    finally:
        sys.unraisablehook = hook


@contextmanager
def handled_signals(signals, handler):
    """Handle signals inside this context, except ignored ones, for example by nohup.

    Args:
        signals: list of signal numbers.
        handler: function, see `signal.signal`.
    """
    heard = [s for s in signals if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, handler) for s in heard}
    try:
        yield
    finally:
        for signum, old in before.items():
            signal.signal(signum, old)


def _terminate(signum, frame):
    if signum != signal.SIGTERM:  # to write to a closed terminal is an error
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            for stream in (1, 2):
                if stat.S_ISCHR(os.fstat(stream).st_mode):
                    os.dup2(nowhere.fileno(), stream)
    raise Terminated(int(signum))


def _interrupt_again(lost):
    """Send a signal again that arrived in a destructor, where Python drops it."""
    if not issubclass(lost.exc_type, KeyboardInterrupt):
        return sys.__unraisablehook__(lost)
    timer = Timer(0.1, _interrupt, lost.exc_value.args or [signal.SIGINT])
    timer.daemon = True
    timer.start()


def _interrupt(signum):
    """Send a signal to the main thread; on Windows it does not interrupt a wait."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread().ident, signum)
    else:
        interrupt_main(signum)
