"""Where the server binaries come from, and how the settings follow the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from retail_platform.errors import UserError
from retail_platform.postgres import binaries
from retail_platform.postgres.binaries import BIN_VARIABLE, find_binaries, read_binaries
from retail_platform.postgres.tuning import (
    GIB,
    MIB,
    Machine,
    configuration_text,
    settings_for,
    this_machine,
)


def _fake(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    return folder


def test_the_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _fake(tmp_path / "bin", "16.4 (Debian 16.4-1)")
    monkeypatch.setenv(BIN_VARIABLE, str(folder))
    found = find_binaries()
    assert (found.folder, found.version, found.major) == (folder, "16.4", 16)


def test_then_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BIN_VARIABLE, raising=False)
    assert find_binaries().folder == binaries.wheel_folder()


def test_then_the_newest_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "14", "16", "15"):
        _fake(tmp_path / f"usr/lib/postgresql/{version}/bin", f"{version}.1")
    found = binaries.system_binaries(tmp_path)
    assert [item.major for item in found] == [16, 15, 14, 9]
    monkeypatch.delenv(BIN_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "system_binaries", lambda: found)
    assert find_binaries().major == 16
    assert find_binaries(major=15).major == 15
    with pytest.raises(UserError, match="PostgreSQL 17 found"):
        find_binaries(major=17)


def test_nothing_found_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BIN_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "wheel_folder", lambda: None)
    monkeypatch.setattr(binaries, "system_binaries", list)
    with pytest.raises(UserError, match=r"make install.*apt-get install postgresql"):
        find_binaries()


def test_a_variable_without_a_server_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BIN_VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match=BIN_VARIABLE):
        find_binaries()


def test_a_variable_with_an_old_server_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BIN_VARIABLE, str(_fake(tmp_path / "bin", "14.9")))
    with pytest.raises(UserError, match=r"14\.9.*15 or newer"):
        find_binaries()


def test_programs_that_do_not_run_here_are_no_server(tmp_path: Path) -> None:
    folder = _fake(tmp_path / "bin", "18.1")
    (folder / "postgres").write_bytes(b"\x7fELF of another machine")
    assert read_binaries(folder) is None


@pytest.mark.parametrize(
    ("memory", "shared_buffers", "work_mem"),
    [(1 * GIB, "256MB", "16MB"), (8 * GIB, "2048MB", "64MB"), (256 * GIB, "4096MB", "64MB")],
)
def test_memory_follows_the_machine(memory: int, shared_buffers: str, work_mem: str) -> None:
    machine = Machine(memory=memory, cores=2, shared_memory=GIB)
    values = {setting.name: setting.value for setting in settings_for(machine)}
    assert values["shared_buffers"] == shared_buffers
    assert values["work_mem"] == work_mem
    assert int(values["effective_cache_size"].removesuffix("MB")) * MIB < memory


def test_a_small_shared_memory_file_system_is_avoided() -> None:
    def kind(shared_memory: int) -> str:
        machine = Machine(memory=8 * GIB, cores=4, shared_memory=shared_memory)
        values = {setting.name: setting.value for setting in settings_for(machine)}
        return values["dynamic_shared_memory_type"]

    assert kind(64 * MIB) == "mmap"
    assert kind(0) == "mmap"
    assert kind(4 * GIB) == "posix"


def test_each_setting_is_explained_in_the_file() -> None:
    settings = settings_for(this_machine())
    lines = configuration_text(settings, 5555).splitlines()
    assert lines[-1] == "port = 5555"
    assert len(lines) == len(settings) + 2
    assert all(len(line.split("#", 1)[1].strip()) > 10 for line in lines[:-1])
    assert not {"fsync", "synchronous_commit", "full_page_writes"} & {s.name for s in settings}
