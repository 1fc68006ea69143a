"""docs/performance.md between its markers, and the raw numbers beside the benches."""
import json
import re

from .environment import BENCH, ROOT

PAGE = ROOT / "docs" / "performance.md"
RAW = BENCH / "results.json"


def put(name, lines):
    """Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`."""
    text = PAGE.read_text()
    pattern = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.S)
    body = "\n".join(lines) + "\n"
    text, count = pattern.subn(lambda m: m[1] + body + m[2], text)
    if count != 1:
        raise SystemExit(f"{PAGE}: {count} pairs of markers `bench:{name}`, there must be one")
    PAGE.write_text(text)


def keep(name, raw):
    """Keeps a table's raw numbers; other tables' stay as they were."""
    everything = json.loads(RAW.read_text()) if RAW.exists() else {}
    everything[name] = raw
    RAW.write_text(json.dumps(everything, indent=1) + "\n")
