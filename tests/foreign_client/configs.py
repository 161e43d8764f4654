"""The configs that are played, each a file for as long as its `with` lasts."""

import contextlib
import pathlib
import tempfile

from expectations import expect

# The checkout.
HERE = pathlib.Path(__file__).resolve().parent.parent.parent


def example(name):
    """One of the examples, as it is."""
    return contextlib.nullcontext(HERE / "examples" / f"{name}.yaml")


def changed(name, old, new):
    """One of the examples, otherwise in one place."""
    text = (HERE / "examples" / f"{name}.yaml").read_text()
    expect(text.count(old) == 1, f"{old!r} stands once in the example {name}")
    return written(text.replace(old, new))


@contextlib.contextmanager
def written(text):
    """A config of the story's own."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "tidegate.yaml"
        file.write_text(text)
        yield file
