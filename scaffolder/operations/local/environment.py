"""What steps run in, as a value: the interpreter, the packages beside it, the project's lock file and its commit.

Reads files and asks git; may not change anything.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from stacks.record import record

__all__ = ["Environment", "commit_of", "environment_of", "step_variables"]

LOCK_FILES = ("pylock.toml", "uv.lock", "poetry.lock", "pdm.lock", "requirements.lock", "requirements.txt")
"""What says which packages a project has, the strictest first."""

PASSED = (
    "CUDA_VISIBLE_DEVICES",
    "CURL_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "NO_PROXY",
    "NVIDIA_VISIBLE_DEVICES",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "USER",
    "https_proxy",
    "http_proxy",
    "no_proxy",
)
"""The variables that a step has from this machine: how to find programs and the network. No credentials."""

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

FIXED: Mapping[str, str] = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "TZ": "UTC",
    **dict.fromkeys(THREADS, "1"),
}
"""The same on every machine: sums depend on the number of threads, and the order of sets on the seed of hashes."""

GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false")
GIT_TIMEOUT_S = 20


@record
class Environment:
    """``packages`` are ``name-version`` of what is installed, sorted; ``lock`` is the lock file's name and digest."""

    python: str
    platform: str
    packages: tuple[str, ...]
    lock_file: str = ""
    lock: str = ""

    @property
    def digest(self) -> str:
        """A digest of all of it."""
        words = "\n".join((self.python, self.platform, self.lock_file, self.lock, *self.packages))
        return f"sha256:{sha256(words.encode(errors='surrogateescape')).hexdigest()}"

    def differences(self, other: Environment) -> Iterator[str]:
        """Yield in words what is different in another environment."""
        for what in ("python", "platform"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                yield f"{what} is {theirs}, and was {mine}"
        if (self.lock_file, self.lock) != (other.lock_file, other.lock):
            yield f"the lock file {other.lock_file or self.lock_file} is not the same"
        gone, new = sorted({*self.packages} - {*other.packages}), sorted({*other.packages} - {*self.packages})
        if gone:
            yield f"packages that are not there any more: {', '.join(gone)}"
        if new:
            yield f"packages that were not there: {', '.join(new)}"

    def to_json(self) -> dict[str, object]:
        return {
            "python": self.python,
            "platform": self.platform,
            "packages": list(self.packages),
            "lock_file": self.lock_file,
            "lock": self.lock,
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, found: Any) -> Environment:
        return cls(
            python=found["python"],
            platform=found["platform"],
            packages=tuple(found["packages"]),
            lock_file=found["lock_file"],
            lock=found["lock"],
        )


def environment_of(folder: Path) -> Environment:
    """Say what a step that is started now runs in; the lock file is the first there is beside the spec or above it."""
    name, digest = _lock_of(folder)
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{sys.platform} {platform.machine()}",
        packages=tuple(sorted(set(_packages()))),
        lock_file=name,
        lock=digest,
    )


def step_variables(given: Mapping[str, str], interpreter: str) -> dict[str, str]:
    """The variables of every step: a few of this machine's, then what is the same everywhere.

    The interpreter's own folder comes first, so that ``python`` and the commands of packages are this environment's.
    """
    passed = {name: given[name] for name in PASSED if name in given}
    path = [str(Path(interpreter).parent), *passed.get("PATH", os.defpath).split(os.pathsep)]
    return {**passed, **FIXED, "PATH": os.pathsep.join(dict.fromkeys(path))}


def commit_of(folder: Path) -> tuple[str, str]:
    """Ask git for a folder's commit, and for a digest of what is not committed in it; empty where there is none."""
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD").decode().strip()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return "", ""
    try:
        return commit, _changes(folder)
    except (OSError, subprocess.SubprocessError):
        return commit, "unknown"


def _changes(folder: Path) -> str:
    """A digest of what differs from the commit; of files that git does not know, their names and sizes."""
    status = _git(folder, "status", "--porcelain", "-z", "--untracked-files=all", "--", ".")
    if not status:
        return ""
    whole = sha256(status + _git(folder, "diff", "--binary", "--no-ext-diff", "HEAD", "--", "."))
    top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").strip()))
    for entry in status.split(b"\0"):
        if entry.startswith(b"?? "):
            whole.update(b"%d" % (top / os.fsdecode(entry[3:])).lstat().st_size)
    return f"sha256:{whole.hexdigest()}"


def _git(folder: Path, *arguments: str) -> bytes:
    done = subprocess.run(  # noqa: S603 - git, with words of ours
        [*GIT, *arguments],
        cwd=folder,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=GIT_TIMEOUT_S,
    )
    return done.stdout


def _lock_of(folder: Path) -> tuple[str, str]:
    for place in (folder, *folder.absolute().parents):
        for name in LOCK_FILES:
            file = place / name
            if file.is_file():
                return name, f"sha256:{sha256(file.read_bytes()).hexdigest()}"
        if (place / ".git").exists():
            break
    return "", ""


def _packages() -> Iterator[str]:
    """Read names and versions off the folders that installers write: a hundredth of what reading metadata takes."""
    for place in dict.fromkeys(sys.path):
        try:
            names = os.listdir(place or ".")  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            stem, _, suffix = name.rpartition(".")
            if suffix in {"dist-info", "egg-info"} and "-" in stem:
                yield stem
