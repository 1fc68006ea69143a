"""Threads are few, so that tests beside each other do not wait for each other; TensorFlow's name stays free."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("MPLBACKEND", "Agg")
