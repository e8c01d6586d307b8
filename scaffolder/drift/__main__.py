"""Start the job: as a module of this package, or from a copy of its folder under any name. May not do more."""

from __future__ import annotations

import sys
from importlib import import_module, util
from pathlib import Path


def _alone() -> str:
    """Make the folder that this file is in a package of a name that nothing else has."""
    here = Path(__file__).resolve().parent
    name = "_drift_job"
    spec = util.spec_from_file_location(name, here / "__init__.py", submodule_search_locations=[str(here)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{here} is not the whole folder of the job")
    package = util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return name


if __name__ == "__main__":
    sys.exit(import_module(f"{__package__ or _alone()}.job").main())
