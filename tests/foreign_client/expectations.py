"""What must hold, at once or before long; where it does not, everything ends."""

import sys
import time

# The longest story takes about twenty minutes of AWS's time, less than a minute here; a busy machine may
# take many times as long.
PATIENCE = 300


def expect(holds, what):
    """Ends everything unless it holds."""
    if not holds:
        sys.exit(f"it does not hold: {what}")


def eventually(look, holds, what):
    """What `look` sees, once it holds of it."""
    deadline = time.monotonic() + PATIENCE
    while not holds(seen := look()):
        expect(time.monotonic() < deadline, f"{what}, within {PATIENCE} s; at last {seen}")
        time.sleep(0.1)
    return seen


def refused(code, call, **members):
    """AWS refuses this call, and says so by `code`."""
    try:
        answer = call(**members)
    except call.__self__.exceptions.ClientError as error:
        expect(error.response["Error"]["Code"] == code, f"expected {code}, got {error}")
    else:
        sys.exit(f"expected {code}, got {answer}")
