"""Runs the emulator: `python -m tests.emulator --port 5600`. Prints one line once it serves."""

from __future__ import annotations

import argparse
import sys

from tests.emulator.server import make

__all__ = ["main"]


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0, the default, is any free one")
    server = make(parser.parse_args().port)
    sys.stdout.write(f"emulator ready at http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    sys.stdout = sys.stderr  # moto prints, and whoever waits for the line above reads no further
    server.serve_forever()


if __name__ == "__main__":
    main()
