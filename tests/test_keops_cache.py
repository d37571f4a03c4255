"""What KeOps keeps on disk: loaded without noise, shared by processes, and healed after one that was killed."""

from __future__ import annotations

import logging
import os
import pickle
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock, Timeout

from otae.reductions.keops.build_folder import remove_broken
from otae.reductions.keops.gate import Gate
from otae.reductions.keops.loading import COMPILATIONS, Loader, save

TAG = "0123456789"
LIBRARY, SOURCE, INFO = f"pykeops_cpp_{TAG}.cpython-311-x86_64-linux-gnu.so", f"{TAG}.cpp", f"{TAG}.nfo"
STRANGERS = {"notes.txt", "film.nfo", "my.so", "my_cache.pkl", "0123456789.txt"}
EXAMPLE = """
import torch, warnings
from otae.reductions import Squares, backend, kernel_product, log_sum_exp
x = torch.linspace(0, 1, 6).reshape(3, 2)
def product(backend):
    return kernel_product(lambda s: 1 / (1 + s), Squares(x), torch.ones(3, 1), backend)
"""
EQUAL = EXAMPLE + "torch.testing.assert_close(product('keops'), product('dense'))"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Returns a finished process of Python that ran some code, in an environment of its own."""
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder for the compilations of these tests alone."""
    return tmp_path_factory.mktemp("keops")


@pytest.mark.keops
def test_processes_that_compile_one_formula_at_once_compile_it_once(cache: Path) -> None:
    command, environment = [sys.executable, "-c", EQUAL], {**os.environ, "KEOPS_CACHE_FOLDER": str(cache)}
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert [out for out, _ in said] == [""] * 3
    announced = "".join(err for _, err in said)
    assert announced.count("KeOps compiles (1/(1+Sum((a-b)**2)))*c in float32 for the CPU") == 1
    assert f"It is kept in {cache}" in announced
    assert python(EQUAL, KEOPS_CACHE_FOLDER=str(cache)).stderr == "", "what is kept is not announced"


@pytest.mark.keops
@pytest.mark.parametrize("size", [0, 150_000])
def test_a_library_that_was_left_half_written_is_made_anew(cache: Path, size: int) -> None:
    python(EQUAL, KEOPS_CACHE_FOLDER=str(cache))
    (library,) = cache.rglob("pykeops_cpp_*.so")
    os.truncate(library, size)
    for file in cache.rglob("*.pkl"):
        os.truncate(file, size and 20)
    assert "KeOps compiles" in python(EQUAL, KEOPS_CACHE_FOLDER=str(cache)).stderr
    assert library.stat().st_size > 150_000


@pytest.mark.keops
@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PATH": ""}, "no C++ compiler"),
        ({"CXX": "/bin/false"}, "could not compile a formula for the CPU with '/bin/false': it left no library"),
        ({"KEOPS_CACHE_FOLDER": "/proc/none"}, "Set KEOPS_CACHE_FOLDER to one that can be written"),
    ],
    ids=["no compiler", "broken compiler", "no folder"],
)
def test_where_keops_cannot_compile_the_dense_blocks_answer(
    tmp_path: Path, environment: dict[str, str], reason: str
) -> None:
    code = """
backend.CROSSOVERS["cpu"] = backend.Crossover(pairs=1, dimension=64)
for _ in range(2):
    torch.testing.assert_close(product("auto"), product("dense"))
try:
    product("keops")
except backend.BackendError as error:
    print(error)
"""
    done = python(EXAMPLE + code, **{"KEOPS_CACHE_FOLDER": str(tmp_path), **environment})
    assert reason in done.stdout
    assert done.stderr.count("RuntimeWarning: Sums over pairs stay with the backend 'dense' here.") == 1
    assert reason in done.stderr


@pytest.mark.slow
def test_loading_keops_prints_nothing(tmp_path: Path) -> None:
    code = "from otae.reductions import keops; keops.load(); from pykeops.torch import LazyTensor"
    done = python(code, KEOPS_CACHE_FOLDER=str(tmp_path))
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize(
    "code",
    [
        "from otae_wasserstein import Exact; Exact()(x, x + 1)",
        "from otae_wasserstein import Sinkhorn; Sinkhorn(backend='geomloss')(x, x + 1)",
        "import otae; [otae.costs.get(name) for name in otae.costs.names()]",
    ],
    ids=["POT", "GeomLoss", "all costs"],
)
@pytest.mark.slow
def test_libraries_that_import_keops_print_nothing(tmp_path: Path, code: str) -> None:
    done = python(f"import torch; x = torch.rand(5, 2); {code}", KEOPS_CACHE_FOLDER=str(tmp_path))
    assert done.stdout == ""
    assert "KeOps" not in done.stderr


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Returns a build folder with the files of one formula, all of them whole, and empty ones of strangers."""
    (tmp_path / LIBRARY).write_bytes(b"\x7fELF\x02\x01" + struct.pack("<34xQ10xHH2x", 100, 64, 2) + bytes(36 + 2 * 64))
    (tmp_path / SOURCE).write_text("int main() {}")
    (tmp_path / INFO).write_text("red_formula=Sum_Reduction(Var(0,1,0),0)\ndim=1\ntagI=0\ndimy=12")
    (tmp_path / f"cubin_{TAG}").write_bytes((3).to_bytes(8, sys.byteorder) + b"abc")
    (tmp_path / "get_keops_dll_impl_cache.pkl").write_bytes(pickle.dumps({"key": ("tag", "source")}))
    for stranger in STRANGERS:
        (tmp_path / stranger).touch()
    return tmp_path


def names(folder: Path) -> set[str]:
    """Returns the names of the files in a folder."""
    return {file.name for file in folder.iterdir()}


def test_a_build_folder_that_is_whole_is_left_alone(built: Path) -> None:
    before = names(built)
    assert remove_broken(built) == []
    assert names(built) == before


@pytest.mark.skipif(sys.platform != "linux", reason="libraries of other systems do not say how long they are")
@pytest.mark.parametrize("size", [0, 10, 70, -1])
def test_all_files_of_a_formula_go_with_a_library_cut_short(built: Path, size: int) -> None:
    os.truncate(built / LIBRARY, size if size >= 0 else (built / LIBRARY).stat().st_size - 1)
    remove_broken(built)
    assert names(built) == {"get_keops_dll_impl_cache.pkl", *STRANGERS}


@pytest.mark.parametrize("size", [0, 4, 10])
@pytest.mark.parametrize("file", [INFO, f"cubin_{TAG}"])
def test_all_files_of_a_formula_go_with_another_cut_short(built: Path, file: str, size: int) -> None:
    os.truncate(built / file, size)
    remove_broken(built)
    assert names(built) == {"get_keops_dll_impl_cache.pkl", *STRANGERS}


def test_generated_code_without_its_description_goes(built: Path) -> None:
    (built / INFO).unlink()
    remove_broken(built)
    assert names(built) == {"get_keops_dll_impl_cache.pkl", *STRANGERS}


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 50, pickle.dumps({"key": ("tag", "source")})[:-9], b"cnowhere\nX\n."]
)
def test_an_unreadable_list_of_formulas_goes_alone(built: Path, content: bytes) -> None:
    (built / "get_keops_dll_impl_cache.pkl").write_bytes(content)
    remove_broken(built)
    assert names(built) == {LIBRARY, SOURCE, INFO, f"cubin_{TAG}", *STRANGERS}


def test_what_is_removed_is_logged(built: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "otae.reductions")
    os.truncate(built / LIBRARY, 0)
    remove_broken(built)
    assert f"Removed {built / LIBRARY}" in caplog.text


def test_the_gate_diverts_what_its_own_thread_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    with Gate(tmp_path).enter(said.append):
        print("inside", flush=True)
        thread = threading.Thread(target=print, args=("beside",))
        thread.start()
        thread.join()
    print("after")
    assert "".join(said) == "inside\n"
    assert capsys.readouterr().out == "beside\nafter\n"


def test_the_gate_keeps_other_processes_out(tmp_path: Path) -> None:
    gate, other = Gate(tmp_path), FileLock(tmp_path / "otae.lock", is_singleton=False)
    with gate.enter(print), pytest.raises(Timeout):
        other.acquire(timeout=0)
    other.acquire(timeout=0)
    other.release()


def test_a_process_that_waits_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "otae.reductions")
    inside = threading.Event()

    def compile_for_a_while() -> None:
        with FileLock(tmp_path / "otae.lock"):
            inside.set()
            time.sleep(1.3)

    threading.Thread(target=compile_for_a_while).start()
    inside.wait()
    with Gate(tmp_path).enter(print):
        assert "Another process is compiling a formula of KeOps: waiting for it." in caplog.text


class Formula:
    """Pretends to be a formula of KeOps that has to be compiled."""

    def __init__(self, *given: Any) -> None:
        print("[KeOps] Generating code for Sum_Reduction of formula " + "a+b*" * 40 + "c with a=Var(0,3,0) ... OK")
        print("[pyKeOps] Compiling pykeops cpp 0123456789 module ... ", end="")


@pytest.mark.parametrize(
    ("kind", "device"), [("cpp", "CPU: 7 to 20 seconds"), ("nvrtc", "GPU: some seconds")], ids=["cpp", "nvrtc"]
)
def test_a_compilation_is_announced_with_formula_and_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], kind: str, device: str
) -> None:
    keops = SimpleNamespace(get_build_folder=lambda: str(tmp_path), set_verbose=lambda value: None, verbose=False)
    given = [0, 0, 0, False, -1, "Sum_Reduction(Var(0,1,0),0)", [], 1, "float32", "torch", {}]
    Loader(COMPILATIONS[kind], Formula, Gate(tmp_path), keops)(*given)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"a+b*a+b*a+b*… in float32 for the {device}, once. It is kept in {tmp_path}" in caplog.text
    assert capsys.readouterr().out == ""


def test_what_keops_knows_is_written_all_at_once(tmp_path: Path) -> None:
    def write() -> None:
        Path(cache.cache_file).write_text("half")
        raise OSError("the disk is full")

    target = tmp_path / "formulas_cache.pkl"
    target.write_text("whole")
    cache = SimpleNamespace(cache_file=str(target), save_cache=write)
    with pytest.raises(OSError, match="the disk is full"):
        save(cache)
    assert target.read_text() == "whole"
    cache.save_cache = lambda: Path(cache.cache_file).write_text("new")
    save(cache)
    assert target.read_text() == "new"
