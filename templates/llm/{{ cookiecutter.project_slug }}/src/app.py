"""The one entry point of the application: `python app.py --help`. May not do anything but start it."""

from __future__ import annotations

import sys

from {{ cookiecutter.__package }}.commands import main

if __name__ == "__main__":
    sys.exit(main())
