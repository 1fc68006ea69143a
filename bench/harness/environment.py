"""The machine, the programs built as for users, and the peers' virtual environment outside the tree."""
import os
import pathlib
import platform
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
VENV = pathlib.Path(os.environ.get("FOVEAL_BENCH_VENV", pathlib.Path.home() / ".cache" / "foveal-bench"))
OLDEST_PYTHON = (3, 11)


def python():
    """The peers' Python, its packages as pinned in requirements.txt."""
    if sys.version_info < OLDEST_PYTHON:
        raise SystemExit(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed, this is {platform.python_version()}")
    exe, wanted = VENV / "bin" / "python", BENCH / "requirements.txt"
    if not exe.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    stamp = VENV / "foveal-requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        print(f"installing the peers in {VENV} (some gigabytes)", file=sys.stderr)
        subprocess.run([exe, "-m", "pip", "install", "--quiet", "-r", str(wanted)], check=True)
        stamp.write_text(wanted.read_text())
    return str(exe)


def build():
    """Builds `foveal` and `foveal-bench`, and gives their paths."""
    paths = []
    # Cargo may bring the second one's lock file up to date with the crates it measures.
    for folder, name, more in [(ROOT, "foveal", ["--locked"]), (BENCH / "native", "foveal-bench", [])]:
        subprocess.run(["cargo", "build", "--release", "--quiet", *more], cwd=folder, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", folder / "target"))
        paths.append(str(target / "release" / name))
    return paths


def cores():
    """The cores that a process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor():
    """The CPU's name, with family and model where the name is vague."""
    info = pathlib.Path("/proc/cpuinfo")
    fields = {}
    if info.exists():
        for line in info.read_text().splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name") or platform.processor() or platform.machine()
    more = [f"{k} {fields[v]}" for k, v in [("family", "cpu family"), ("model", "model")] if v in fields]
    return f"{name} ({', '.join(more)})" if more else name


def load():
    """What else the machine was doing: the load average of the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
