"""A side of a comparison: a process that answers one request after the other."""
import json
import os
import subprocess

from .environment import BENCH


class Side:
    """Started once; asleep while the others have their turns."""

    def __init__(self, command, **environment):
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **environment})

    def ask(self, *words):
        request = " ".join(map(str, words))
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise SystemExit(f"{' '.join(self.command)} ended at the request `{request}`; start it by hand to see why")
        answer = json.loads(line)
        if "error" in answer:
            raise SystemExit(f"{self.command[0]}: `{request}`: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Sides:
    """All sides, each started when it is first needed."""

    def __init__(self, native, python, cores):
        self.native, self.python, self.cores = native, python, cores
        self.started = {}

    def _side(self, key, command, **environment):
        if key not in self.started:
            self.started[key] = Side(command, **environment)
        return self.started[key]

    def _peer(self, name, *words, **environment):
        return self._side((name, words, *environment), [self.python, str(BENCH / "peers" / f"{name}.py"), *words], **environment)

    def foveal(self, avx2=False):
        return self._side(("native", avx2), [self.native, "serve"], **({"FOVEAL_ISA": "avx2"} if avx2 else {}))

    def torch(self, threads=None, avx2=False):
        forced = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"} if avx2 else {}
        return self._peer("torch_peer", str(threads or self.cores), **forced)

    def torch_wide(self, form):
        """A process for each layout, so that both nets stay made."""
        return self._side(("torch_wide", form), [self.python, str(BENCH / "peers" / "torch_wide.py"), str(self.cores)])

    def keras(self):
        return self._peer("keras_peer")

    def onnx(self):
        return self._peer("onnx_peer")

    def network(self, threads):
        return self._peer("network_peer", str(threads))

    def close(self):
        for side in self.started.values():
            side.close()
