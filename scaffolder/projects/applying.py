"""Makes a project's files and index what a merge says: all of it or nothing, whenever the program is killed.

Files and index are made ready under git's folder; naming a journal there is the moment from which the update is to
happen. A child in a session of its own then moves everything to its place in some milliseconds. If the machine dies
in between, :func:`recover` goes on. May not decide what is written: that is the merge's.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final, Literal, NoReturn, TypeAlias

from scaffolder.errors import ProjectError
from scaffolder.projects.checkout import (
    Checkout,
    Signature,
    find_checkout,
    listed,
    signature,
    tracked_files,
)
from scaffolder.projects.git import Around, GitFailed, git
from scaffolder.projects.merge import Merge
from scaffolder.projects.quarantine import index_lines
from stacks.record import record

__all__ = ["Recovered", "apply", "recover"]

WORKSHOP: Final = "scaffolder-update"
"""In git's folder for the work tree."""

HIDDEN: Final = ".scaffolder-update"
"""In the project, where that is on another file system than git's folder: a file moves only within one."""

JOURNAL: Final = "journal.json"
PREFIX: Final = "prefix"
UNHEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
PATIENCE_S: Final = 3.0
"""How long another git may hold the index; it holds it for as long as one command writes."""

Recovered: TypeAlias = Literal["nothing", "finished", "left"]
"""What :func:`recover` found: nothing, an update that it finished, or one that the user has gone on without."""


@record
class _Plan:
    """What is to be done, by paths below the top of the work tree. ``seen``: what the files were like before."""

    stage: Path
    removes: tuple[str, ...]
    writes: tuple[str, ...]
    seen: Mapping[str, Signature]
    prefix: str


def apply(merge: Merge) -> None:
    """Change the project's files and index as `git merge --no-commit` would, with conflicts marked in both.

    Raises:
        ProjectError: the project was changed since the merge was made, cannot be written, or git is at work in it.
    """
    checkout = merge.checkout
    recover(checkout.project)
    if not merge.index:
        return
    with _workshop(checkout) as workshop:
        plan = _plan(merge, workshop)
        try:
            _refuse_unplaceable(checkout.top, plan)
            _keep_objects(merge)
            index = _make_index(merge, workshop)
            _stage(merge, workshop, plan)
            deadline = time.monotonic() + PATIENCE_S
            while not _in_a_child(checkout, workshop, plan, index):
                if time.monotonic() > deadline:
                    raise ProjectError(_busy(checkout))
                index = _make_index(merge, workshop)
        except OSError as error:
            raise ProjectError(f"{checkout.project} cannot be updated: {error.strerror or error}") from error
        except GitFailed as failed:
            raise ProjectError(f"{checkout.project} cannot be updated: {failed.told}") from failed


def recover(project: Path) -> Recovered:
    """Finish an update that the machine's end interrupted, and take away what one left that never began.

    Costs no process where there is nothing to do, and no git repository is needed.

    Raises:
        ProjectError: a file that the update would write was changed since.
    """
    git_folder = _git_folder(project)
    if git_folder is None or not (git_folder / WORKSHOP).is_dir():
        return "nothing"
    workshop = git_folder / WORKSHOP
    lock = _locked(workshop, wait=(workshop / JOURNAL).exists())
    if lock is None:
        return "nothing"  # another one is at work, and has not come to the journal
    try:
        checkout = find_checkout(project)
        if not (workshop / JOURNAL).exists():
            _sweep(checkout, workshop)
            return "nothing"
        plan = _read_plan(checkout, workshop)
        if not _holds_lock(checkout, workshop) and not _is_same(checkout.index, workshop / "index"):
            unplaced = any(os.path.lexists(plan.stage / path) for path in plan.writes)
            _finish(checkout, workshop)
            return "left" if unplaced else "finished"
        _refuse_changed(checkout, plan, _undone(checkout, plan))
        _perform(checkout, workshop, plan)
        return "finished"
    finally:
        os.close(lock)


def _plan(merge: Merge, workshop: Path) -> _Plan:
    checkout = merge.checkout
    folder = checkout.top / checkout.prefix
    stage = workshop / "files"
    if folder.stat().st_dev != workshop.stat().st_dev:
        stage = folder / HIDDEN / "files"
    return _Plan(
        stage=stage,
        removes=merge.removes,
        writes=tuple(entry.path for entry in merge.writes),
        seen=merge.seen,
        prefix=checkout.prefix,
    )


# Getting ready: nothing of the project changes.


def _keep_objects(merge: Merge) -> None:
    """Put the objects that the index will name into the project's own store, as one pack, as git fetches them."""
    new = {entry.oid for entry in merge.index} - {merge.checkout.nothing}
    asked = "".join(f"{oid}\n" for oid in sorted(new)).encode()
    made = merge.quarantine.loose(new)
    if not made:
        return
    asked = "".join(f"{oid}\n" for oid in made).encode()
    packed = merge.quarantine.run("new", "pack-objects", "--stdout", "--quiet", "--window=0", stdin=asked)
    around = merge.checkout.around()
    durable = {**around.settings, "core.fsync": "pack,pack-metadata"}
    around = Around(variables=around.variables, settings=durable)
    git(merge.checkout.top, ("index-pack", "--stdin", "--threads=1"), stdin=packed, around=around)


def _make_index(merge: Merge, workshop: Path) -> Signature:
    """Make the index that will be; what the present one is like, from which it was made."""
    checkout = merge.checkout
    seen = signature(checkout.index)
    new = workshop / "index"
    new.unlink(missing_ok=True)
    shutil.copyfile(checkout.index, new)
    shutil.copymode(checkout.index, new)
    around = checkout.around(GIT_INDEX_FILE=new)
    if tracked_files(checkout, around) != merge.tracked:
        raise ProjectError(
            f"{checkout.project} was changed while its update was made. Commit, and update again."
        )
    git(checkout.top, ("update-index", "-z", "--index-info"), stdin=index_lines(merge.index), around=around)
    _sync(new)
    return seen


def _stage(merge: Merge, workshop: Path, plan: _Plan) -> None:
    """Write the files as git checks them out, and the journal under a name that does not count yet."""
    shutil.rmtree(plan.stage, ignore_errors=True)
    plan.stage.mkdir(parents=True)
    if plan.stage.parent.name == HIDDEN:
        (plan.stage.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    if merge.writes:
        # Attributes come from the merged index, since the work tree that git is shown is empty.
        empty = workshop / "empty"
        empty.mkdir(exist_ok=True)
        whole = workshop / "whole"
        shutil.copyfile(workshop / "index", whole)
        around = merge.quarantine.around(GIT_INDEX_FILE=whole, GIT_WORK_TREE=empty)
        conflicted = {entry.path for entry in merge.index if entry.stage}
        marked = [entry for entry in merge.writes if entry.path in conflicted]
        if marked:
            gone = [entry for entry in merge.index if entry.path in conflicted and not int(entry.mode, 8)]
            git(
                empty,
                ("update-index", "-z", "--index-info"),
                stdin=index_lines([*gone, *marked]),
                around=around,
            )
        asked = os.fsencode("".join(f"{path}\0" for path in plan.writes))
        git(empty, ("checkout-index", f"--prefix={plan.stage}/", "-z", "--stdin"), stdin=asked, around=around)
    journal = {
        "format": 1,
        "stage": "project" if plan.stage.parent.name == HIDDEN else "git",
        "prefix": plan.prefix,
        "removes": plan.removes,
        "writes": plan.writes,
        "seen": plan.seen,
    }
    (workshop / "journal.new").write_text(json.dumps(journal), encoding="ascii")
    _sync(workshop / "journal.new")
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only an update has use for it

    staged = [Path(folder, name) for folder, _, names in os.walk(plan.stage) for name in (*names, ".")]
    # Together, a disk writes them in a tenth of the time that it takes for one after the other.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_sync, staged))


def _refuse_unplaceable(top: Path, plan: _Plan) -> None:
    """Refuse what could fail half-way: folders that cannot be written, or are on another file system."""
    device = (top / plan.prefix).stat().st_dev
    for folder in sorted({_nearest_folder(top / path) for path in (*plan.writes, *plan.removes)}):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ProjectError(f"{folder} cannot be written. Make it writable, and update again.")
        if folder.stat().st_dev != device:
            raise ProjectError(
                f"{folder} is on another file system than the project. Unmount it, and update again."
            )


def _nearest_folder(path: Path) -> Path:
    return next(parent for parent in path.parents if parent.is_dir() and not parent.is_symlink())


# The moment, and what comes after it.


def _in_a_child(checkout: Checkout, workshop: Path, plan: _Plan, seen_index: Signature) -> bool:
    """Let a child do it that no signal to this process or its group reaches; wait for it.

    Says whether it was done: it was not, and nothing was, where the index is another one by now.

    Raises:
        ProjectError: as :func:`apply`; nothing was done, or what was begun is in the journal.
    """
    # Ctrl-C waits, too: it would take the workshop away from under the child.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, UNHEARD)
    try:
        told = _told_by_a_child(checkout, workshop, plan, seen_index)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    match told.partition(b"\n"):
        case (b"done", _, _):
            return True
        case (b"stale", _, _):
            return False
        case (b"refused", _, message):
            raise ProjectError(message.decode())
    raise ProjectError(
        f"{checkout.project} was not updated: the process that does it was killed. Run it again."
    )


def _told_by_a_child(checkout: Checkout, workshop: Path, plan: _Plan, seen_index: Signature) -> bytes:
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(checkout, workshop, plan, seen_index, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - it has a number, no path
        told = pipe.read()
    os.waitpid(child, 0)
    return told


def _child(checkout: Checkout, workshop: Path, plan: _Plan, seen_index: Signature, writing: int) -> NoReturn:
    try:
        os.setsid()
        for each in (*UNHEARD, signal.SIGPIPE):
            signal.signal(each, signal.SIG_IGN)
        told = _commit(checkout, workshop, plan, seen_index)
    except ProjectError as error:
        told = f"refused\n{error}"
    except OSError as error:
        told = f"refused\n{checkout.project} cannot be updated: {error}"
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        told = f"refused\n{error!r}"
    with suppress(OSError):
        os.write(writing, told.encode("utf-8", "backslashreplace"))
    os._exit(0)


def _commit(checkout: Checkout, workshop: Path, plan: _Plan, seen_index: Signature) -> str:
    """Lock the index as git does, look once more whether all is as it was, and begin."""
    lock = _take_lock(checkout, workshop)
    try:
        if signature(checkout.index) != seen_index:
            lock.unlink()
            return "stale"
        _refuse_changed(checkout, plan, (*plan.removes, *plan.writes))
    except BaseException:
        lock.unlink(missing_ok=True)
        raise
    _sync(lock.parent)
    (workshop / "journal.new").rename(workshop / JOURNAL)
    _sync(workshop)
    _perform(checkout, workshop, plan)
    return "done"


def _take_lock(checkout: Checkout, workshop: Path) -> Path:
    """Make git's lock of the index: a second name of the new index, so that it is known for ours."""
    lock = checkout.index.with_name(f"{checkout.index.name}.lock")
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            os.link(workshop / "index", lock)
        except FileExistsError:
            if time.monotonic() > deadline:
                raise ProjectError(_busy(checkout)) from None
            time.sleep(0.02)
        else:
            return lock


def _busy(checkout: Checkout) -> str:
    return (
        f"another git is at work in {checkout.project}. Wait for it, and update again; if there is none, one was "
        f"killed: remove {checkout.index.name}.lock from git's folder (git rev-parse --git-dir)."
    )


def _holds_lock(checkout: Checkout, workshop: Path) -> bool:
    return _is_same(checkout.index.with_name(f"{checkout.index.name}.lock"), workshop / "index")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False


def _perform(checkout: Checkout, workshop: Path, plan: _Plan) -> None:
    """Do the journal, from the beginning or from where it was left."""
    top = checkout.top
    for path in plan.removes:
        # Something of the update may be in its place already.
        if not (top / path).is_dir() or (top / path).is_symlink():
            with suppress(FileNotFoundError, NotADirectoryError):
                (top / path).unlink()
    _remove_empty(top, plan)
    for path in plan.writes:
        staged = plan.stage / path
        if os.path.lexists(staged):
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            staged.replace(top / path)
    for folder in sorted({_nearest_folder(top / path) for path in (*plan.writes, *plan.removes)}):
        _sync(folder)
    lock = checkout.index.with_name(f"{checkout.index.name}.lock")
    if _is_same(lock, workshop / "index"):
        lock.replace(checkout.index)
        _sync(checkout.index.parent)
    _finish(checkout, workshop)
    # The files have other times than when they were staged: without this, git would read each of them next time.
    with suppress(GitFailed):
        git(checkout.top, ("update-index", "-q", "--refresh"), good=(0, 1), around=checkout.around())


def _remove_empty(top: Path, plan: _Plan) -> None:
    """Remove the folders that held only what was removed; never the project's own."""
    keep = PurePosixPath(plan.prefix)
    folders = {
        parent
        for path in plan.removes
        for parent in PurePosixPath(path).parents
        if parent != keep and keep in parent.parents
    }
    for folder in sorted(folders, reverse=True):
        if not (top / folder).is_symlink():
            with suppress(FileNotFoundError, NotADirectoryError):
                _remove_if_empty(top / folder)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise


def _finish(checkout: Checkout, workshop: Path) -> None:
    (workshop / JOURNAL).unlink(missing_ok=True)
    _sync(workshop)
    _sweep(checkout, workshop)


def _sweep(checkout: Checkout, workshop: Path) -> None:
    """Take away what an update left that is finished or never began."""
    if _holds_lock(checkout, workshop):
        checkout.index.with_name(f"{checkout.index.name}.lock").unlink()
    with suppress(FileNotFoundError):
        prefix = os.fsdecode((workshop / PREFIX).read_bytes())
        shutil.rmtree(checkout.top / prefix / HIDDEN, ignore_errors=True)
    shutil.rmtree(workshop, ignore_errors=True)


def _undone(checkout: Checkout, plan: _Plan) -> list[str]:
    """What of a plan is still to do: its other files are the update's already."""
    staged = {path for path in plan.writes if os.path.lexists(plan.stage / path)}
    folders = _folders(plan.writes)
    left = [path for path in plan.removes if path not in folders and signature(checkout.top / path)]
    return [*left, *sorted(staged)]


def _folders(paths: Iterable[str]) -> set[str]:
    """All folders that some files are in, but not the top."""
    return {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents} - {"."}


def _refuse_changed(checkout: Checkout, plan: _Plan, paths: Iterable[str]) -> None:
    """Refuse to write over what is not as it was when git looked.

    Raises:
        ProjectError: some files are not.
    """
    removed = {*plan.removes}
    top = checkout.top
    changed = {path for path in _folders(paths) - removed if (top / path).is_symlink()}
    for path in paths:
        now, was = signature(top / path), plan.seen[path]
        if not was and (top / path).is_dir() and not (top / path).is_symlink():
            below = (each for each in (top / path).rglob("*") if each.is_symlink() or not each.is_dir())
            changed |= {each.relative_to(top).as_posix() for each in below} - removed
        elif now not in {(), was}:
            changed.add(path)
    if changed:
        raise ProjectError(
            f"{listed(sorted(changed))} changed while the update was made. "
            "Commit that, or move it away, and run this again."
        )


def _read_plan(checkout: Checkout, workshop: Path) -> _Plan:
    read = json.loads((workshop / JOURNAL).read_bytes())
    stage = workshop / "files"
    if read["stage"] == "project":
        stage = checkout.top / read["prefix"] / HIDDEN / "files"
    return _Plan(
        stage=stage,
        removes=tuple(read["removes"]),
        writes=tuple(read["writes"]),
        seen={path: tuple(seen) for path, seen in read["seen"].items()},
        prefix=read["prefix"],
    )


# The workshop: one process at a time.


@contextmanager
def _workshop(checkout: Checkout) -> Iterator[Path]:
    """A folder under git's that this process has alone; gone afterwards, unless a journal is left in it."""
    workshop = checkout.git_folder / WORKSHOP
    lock = None
    while lock is None:
        workshop.mkdir(exist_ok=True)
        lock = _locked(workshop, wait=True)
    try:
        if (workshop / JOURNAL).exists():
            raise ProjectError(f"an update of {checkout.project} was interrupted just now. Run this again.")
        for left in workshop.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        (workshop / PREFIX).write_bytes(os.fsencode(checkout.prefix))
        yield workshop
    finally:
        # The child has taken the folder away, and another process may have made it again.
        if _is_locked_by(lock, workshop) and not (workshop / JOURNAL).exists():
            _sweep(checkout, workshop)
        os.close(lock)


def _locked(workshop: Path, *, wait: bool) -> int | None:
    """Lock a folder; ``None`` where another process has it and is not waited for, or has removed it meanwhile.

    A lock ends with its processes. A process's number would not tell: it may be another one's by now.
    """
    try:
        lock = os.open(workshop, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(lock)
        return None
    if _is_locked_by(lock, workshop):
        return lock
    os.close(lock)
    return None


def _is_locked_by(lock: int, workshop: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), workshop.stat())
    except FileNotFoundError:
        return False


def _git_folder(project: Path) -> Path | None:
    """Git's folder for the work tree that a folder is in, found as git finds it, without starting it."""
    start = Path(os.path.realpath(project))
    for folder in (start, *start.parents):
        place = folder / ".git"
        if place.is_dir():
            return place
        if place.is_file():
            with suppress(OSError, UnicodeDecodeError):
                told = place.read_text(encoding="utf-8").strip()
                if told.startswith("gitdir: "):
                    return folder / told.removeprefix("gitdir: ")
            return None
    return None


def _sync(path: Path) -> None:
    """Have a file, or a folder's entries, on the disk before what comes next."""
    if path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
