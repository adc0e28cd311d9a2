"""Threads and interpreters that end or begin at the wrong moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

DAEMON = """
import sys, threading, time
import linnet

linnet.load(threads=1, self_test=False)
started = threading.Event()

def work():
    model = linnet.load(threads=1, self_test=False)
    if sys.argv[1] == "run":
        encoding = model.tokenize("word " * 60)
        started.set()
        while True:
            model.run(encoding)
    started.set()
    while True:
        if sys.argv[1] == "load":
            linnet.load(threads=1, self_test=False).close()
        elif sys.argv[1] == "tokenize":
            model.tokenize("word " * 20000)
        else:
            linnet.runtime.verify_file(linnet.default_model())

for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
started.wait()
time.sleep(0.05)
print("end")
"""


@pytest.mark.parametrize("what", ["run", "load", "tokenize", "verify"])
def test_a_daemon_thread_at_the_end_of_the_interpreter_ends_quietly(what: str) -> None:
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", DAEMON, what], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


SUBINTERPRETER = """
import _xxsubinterpreters as interpreters
import linnet_runtime
code = '''
try:
    import linnet
    linnet.load(threads=1)
except ImportError as error:
    print("refused", error)
except Exception as error:
    print("other", type(error), error)
'''
interpreters.run_string(interpreters.create(), code)
"""


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the module of subinterpreters has another name")
def test_a_subinterpreter_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", SUBINTERPRETER], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith(("refused", "other <class 'linnet.errors.BuildError'>")), done.stderr
