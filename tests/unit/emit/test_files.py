from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.emit.exchange import exchange, exchange_by_two_renames
from stacks.emit.files import MARKER, OutputFolderError, Written, write_output

FILES = {"manifest.json": b"{}\n", "stacks/a/cdk.tf.json": b"a\n", "stacks/b/cdk.tf.json": b"b\n"}


def tree(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but the marker."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARKER
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def written(out: Path) -> Path:
    write_output(out, FILES)
    return out


def test_a_first_write_makes_the_folder_and_its_parents(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there" / "yet"
    assert write_output(out, FILES) == Written(written=tuple(sorted(FILES)), removed=(), unchanged=())
    assert tree(out) == FILES
    assert [path.name for path in out.parent.iterdir()] == ["yet"]


def test_the_marker_lists_what_was_written(written: Path) -> None:
    listed = json.loads((written / MARKER).read_bytes())["files"]
    assert sorted(listed) == sorted(FILES)
    assert listed["manifest.json"] == "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"


@pytest.mark.parametrize("folders", [[], ["stacks"], ["stacks/a", "more"]])
def test_an_empty_folder_and_one_with_empty_folders_is_accepted(out: Path, folders: list[str]) -> None:
    out.mkdir()
    for name in folders:
        (out / name).mkdir(parents=True)
    write_output(out, FILES)
    assert tree(out) == FILES
    assert all((out / name).is_dir() for name in folders)


def test_an_unchanged_output_is_not_touched(written: Path) -> None:
    before = {path: path.stat() for path in [written, *written.rglob("*")]}
    done = write_output(written, FILES)
    assert done == Written(written=(), removed=(), unchanged=tuple(sorted(FILES)))
    assert {path: path.stat() for path in [written, *written.rglob("*")]} == before


def test_a_file_that_stays_the_same_keeps_its_inode_and_time(written: Path) -> None:
    before = (written / "stacks/a/cdk.tf.json").stat()
    done = write_output(written, {**FILES, "stacks/b/cdk.tf.json": b"new\n"})
    assert done.written == ("stacks/b/cdk.tf.json",)
    after = (written / "stacks/a/cdk.tf.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_only_files_that_we_wrote_are_removed(written: Path) -> None:
    lock = written / "stacks/b/.terraform.lock.hcl"
    lock.write_text("lock")
    (written / "stacks/c").mkdir()
    fewer = {"manifest.json": FILES["manifest.json"], "stacks/a/cdk.tf.json": b"a\n"}
    assert write_output(written, fewer).removed == ("stacks/b/cdk.tf.json",)
    assert tree(written) == {**fewer, "stacks/b/.terraform.lock.hcl": b"lock"}
    assert (written / "stacks/c").is_dir()


def test_a_folder_that_held_only_removed_files_goes(written: Path) -> None:
    write_output(written, {"manifest.json": b"{}\n"})
    assert [path.name for path in written.iterdir() if path.name != MARKER] == ["manifest.json"]


def test_files_of_others_stay_the_same_files(written: Path) -> None:
    stack = written / "stacks/a"
    provider = stack / ".terraform/providers/registry/aws"
    provider.mkdir(parents=True)
    (provider / "plugin").write_bytes(b"\0binary")
    (provider / "plugin").chmod(0o755)
    (provider / "cached").symlink_to("/nowhere/at/all")
    (stack / "terraform.tfstate").write_text("state")
    os.mkfifo(stack / "pipe")
    provider.chmod(0o555)
    paths = [provider / "plugin", stack / "terraform.tfstate", stack / "pipe", provider / "cached"]
    before = [path.lstat() for path in paths]
    write_output(written, {**FILES, "stacks/a/cdk.tf.json": b"new\n"})
    after = [path.lstat() for path in paths]
    assert [(one.st_ino, one.st_mode, one.st_mtime_ns) for one in after] == [
        (one.st_ino, one.st_mode, one.st_mtime_ns) for one in before
    ]
    assert (provider / "cached").readlink() == Path("/nowhere/at/all")
    assert provider.stat().st_mode & 0o777 == 0o555
    assert (stack / "cdk.tf.json").read_bytes() == b"new\n"
    assert [path.name for path in written.parent.iterdir()] == ["out"]
    provider.chmod(0o755)


def test_a_folder_of_others_is_refused_and_left_alone(out: Path) -> None:
    out.mkdir()
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
        (out / name).write_text(name)
    for force in (False, True):
        with pytest.raises(OutputFolderError) as caught:
            write_output(out, FILES, force=force)
        assert str(caught.value) == (
            f"{out} is not a folder of scaffolder (it has no .scaffolder.json) and holds files: a.txt, b.txt, c.txt "
            "and 2 more. Choose another output folder, or empty this one"
        )
    assert sorted(tree(out)) == ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_edited_file_is_refused_unless_forced(written: Path) -> None:
    (written / "stacks/a/cdk.tf.json").write_text("edited")
    changed = {**FILES, "manifest.json": b"[]\n"}
    with pytest.raises(OutputFolderError) as caught:
        write_output(written, changed)
    assert str(caught.value) == (
        f"{written} holds generated files that were edited since: stacks/a/cdk.tf.json. Move the edits into the "
        "platform spec (overrides), or overwrite them with --force"
    )
    assert tree(written) == {**FILES, "stacks/a/cdk.tf.json": b"edited"}
    write_output(written, changed, force=True)
    assert tree(written) == changed


def test_an_edited_file_is_not_pruned_unless_forced(written: Path) -> None:
    (written / "stacks/b/cdk.tf.json").write_text("edited")
    fewer = {"manifest.json": b"{}\n"}
    with pytest.raises(OutputFolderError, match=r"edited since: stacks/b/cdk\.tf\.json"):
        write_output(written, fewer)
    assert write_output(written, fewer, force=True).removed == (
        "stacks/a/cdk.tf.json",
        "stacks/b/cdk.tf.json",
    )


def test_an_edit_that_says_what_we_would_write_is_adopted(written: Path) -> None:
    changed = {**FILES, "stacks/a/cdk.tf.json": b"same idea\n"}
    (written / "stacks/a/cdk.tf.json").write_bytes(b"same idea\n")
    write_output(written, changed)
    write_output(written, FILES)
    assert tree(written) == FILES


def test_a_generated_file_that_a_person_deleted_comes_back(written: Path) -> None:
    (written / "manifest.json").unlink()
    assert write_output(written, FILES).written == ("manifest.json",)
    assert tree(written) == FILES


def test_a_file_of_others_in_our_place_is_refused_unless_forced(written: Path) -> None:
    (written / "extra.tf").write_text("mine")
    more = {**FILES, "extra.tf": b"ours\n"}
    with pytest.raises(
        OutputFolderError, match=r"files of others where generated ones go: extra\.tf\. Move them"
    ):
        write_output(written, more)
    assert (written / "extra.tf").read_text() == "mine"
    write_output(written, more, force=True)
    assert tree(written) == more


def test_a_link_in_place_of_a_generated_file_counts_as_an_edit(written: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(FILES["manifest.json"])
    (written / "manifest.json").unlink()
    (written / "manifest.json").symlink_to(elsewhere)
    with pytest.raises(OutputFolderError, match=r"edited since: manifest\.json"):
        write_output(written, FILES)
    write_output(written, {**FILES, "manifest.json": b"[]\n"}, force=True)
    assert elsewhere.read_bytes() == FILES["manifest.json"]
    assert not (written / "manifest.json").is_symlink()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_where_a_file_goes_is_refused(written: Path, *, force: bool) -> None:
    (written / "new.json").mkdir()
    with pytest.raises(OutputFolderError, match=r"new\.json is a folder where a file goes\. Move it away"):
        write_output(written, {**FILES, "new.json": b""}, force=force)


@pytest.mark.parametrize("force", [False, True])
def test_a_file_where_a_folder_goes_is_refused(written: Path, *, force: bool) -> None:
    (written / "stacks/c").write_text("mine")
    with pytest.raises(OutputFolderError, match=r"stacks/c is in the way of a folder\. Move it away"):
        write_output(written, {**FILES, "stacks/c/cdk.tf.json": b""}, force=force)


def test_a_link_to_a_folder_is_refused_with_its_target(written: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(written)
    with pytest.raises(OutputFolderError) as caught:
        write_output(link, {})
    assert str(caught.value) == f"{link} is a symbolic link. Name the folder that it points to: {written}"
    assert tree(written) == FILES


def test_a_file_in_place_of_the_folder_is_refused(out: Path) -> None:
    out.write_text("mine")
    with pytest.raises(OutputFolderError, match=r"out is a file\. Choose another output folder"):
        write_output(out, FILES)


def test_a_file_in_place_of_a_parent_is_refused(out: Path) -> None:
    out.write_text("mine")
    with pytest.raises(OutputFolderError, match=r"/out/deeper cannot be made: .*/out is a file\. Choose"):
        write_output(out / "deeper", FILES)


def test_a_damaged_marker_is_refused(written: Path) -> None:
    (written / MARKER).write_text("{")
    with pytest.raises(OutputFolderError, match=r"\.scaffolder\.json is damaged"):
        write_output(written, FILES)


def test_the_current_folder_is_refused(out: Path) -> None:
    out.mkdir()
    child = "from pathlib import Path\nfrom stacks.emit.files import *\nwrite_output(Path(), {})"
    done = run_child(child, cwd=out)
    assert "OutputFolderError: . is the current folder or holds it" in done.stderr


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../b", "a//b", "", ".", MARKER, "a\\b"])
def test_a_path_that_leaves_the_folder_is_a_bug(out: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside an output folder"):
        write_output(out, {path: b""})
    assert not out.exists()


def run_child(code: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[3]
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_room_the_old_output_stays(written: Path) -> None:
    # A limit on the size of files stands for a full disk: the same error path, without a disk of its own.
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    code = (
        "from pathlib import Path\nfrom stacks.emit.files import *\n"
        f"write_output(Path({str(written)!r}), {{'manifest.json': b'x' * 100_000}})"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        env={**os.environ, "PYTHONPATH": str(root)},
        preexec_fn=no_room,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"OutputFolderError: cannot write {written}: File too large" in done.stderr
    assert tree(written) == FILES
    assert [path.name for path in written.parent.iterdir()] == ["out"]


def test_a_parent_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    place = tmp_path / "locked"
    write_output(place / "out", FILES)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    place.chmod(0o555)
    code = f"""
import fcntl, os
from pathlib import Path
from stacks.emit.files import *
if os.getuid() == 0:
    os.setuid(65534)
write_output(Path({str(place / "out")!r}), {{}})
"""
    done = run_child(code, cwd=Path(__file__).parent)
    place.chmod(0o755)
    assert "Permission denied" in done.stderr
    assert (
        "The new output is built beside the old one, so the parent folder must be writable too" in done.stderr
    )
    assert tree(place / "out") == FILES


def test_where_folders_cannot_be_exchanged_two_renames_do_it(written: Path) -> None:
    (written / "stacks/a/terraform.tfstate").write_text("state")
    write_output(written, {"manifest.json": b"new"}, swap=exchange_by_two_renames)
    assert tree(written) == {"manifest.json": b"new", "stacks/a/terraform.tfstate": b"state"}
    assert [path.name for path in written.parent.iterdir()] == ["out"]


def test_what_terraform_writes_while_the_new_folder_is_built_is_not_lost(written: Path) -> None:
    state = written / "stacks/a/terraform.tfstate"
    state.write_text("old state")
    os.utime(state, ns=(1, 1))

    def late(new: Path, current: Path, aside: Path) -> None:
        state.unlink()
        state.write_text("new state")
        (written / "stacks/a/plan").write_text("plan")
        exchange(new, current, aside)

    write_output(written, {**FILES, "manifest.json": b"new"}, swap=late)
    assert state.read_text() == "new state"
    assert (written / "stacks/a/plan").read_text() == "plan"


def test_two_runs_at_once_leave_one_of_the_outputs_whole(out: Path) -> None:
    outputs: list[dict[str, bytes]] = [
        {f"{name}/{number}": name.encode() * 10 for number in range(20)} for name in "abcd"
    ]
    errors: list[BaseException] = []

    def run(files: dict[str, bytes]) -> None:
        try:
            for _ in range(5):
                write_output(out, files)
        except BaseException as error:  # noqa: BLE001 - reported by the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(files,)) for files in outputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert tree(out) in outputs
    assert [path.name for path in out.parent.iterdir()] == ["out"]


NO_PROC = not Path("/proc/self/comm").exists()


@pytest.fixture
def running_terraform(written: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that calls itself terraform and stands in a stack's folder."""
    fake = tmp_path / "terraform"
    fake.symlink_to("/bin/sleep")
    with subprocess.Popen([fake, "60"], cwd=written / "stacks/a") as process:
        # The kernel closes the pipe that Popen waits for just before it renames the process.
        while Path(f"/proc/{process.pid}/comm").read_text().strip() != "terraform":
            time.sleep(0.001)
        yield process
        process.kill()


@pytest.mark.skipif(NO_PROC, reason="only Linux tells which processes are where")
def test_a_folder_in_which_terraform_runs_is_not_replaced(
    written: Path, running_terraform: subprocess.Popen[bytes]
) -> None:
    write_output(written, FILES)
    with pytest.raises(OutputFolderError) as caught:
        write_output(written, {"manifest.json": b"new"})
    assert str(caught.value) == (
        f"terraform (process {running_terraform.pid}) is running in {written}. Wait for it, then run this again"
    )
    assert tree(written) == FILES


@pytest.mark.slow
def test_a_run_that_does_not_end_is_not_waited_for_forever(written: Path) -> None:
    workshop = written.with_name(".out.scaffolder")
    workshop.mkdir()
    held = os.open(workshop, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(OutputFolderError) as caught:
        write_output(written, {})
    os.close(held)
    assert str(caught.value) == (
        f"another run of scaffolder is writing {written}. Wait for it, then run this again"
    )
    assert tree(written) == FILES
    write_output(written, FILES)
    assert not workshop.exists()
