"""What all workers share: requests from standard input, replies on what was standard output."""

import json
import os
import sys
import traceback


# Libraries print to standard output, some already while they are imported, and would end up between the replies: import
# this module first.
REPLIES = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def peak_mb() -> float | None:
    """Greatest resident memory of this process so far in MiB, where the system tells it."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None


def serve(**handlers) -> None:
    """Answers requests `{"do": name, …}` with what the handler of that name returns, a dict, until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = handlers[request.pop("do")](**request)
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        REPLIES.write(json.dumps({**reply, "peak_mb": peak_mb()}) + "\n")
        REPLIES.flush()
