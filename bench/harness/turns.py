"""Turns, medians, spreads."""
import math
import statistics
import sys
import time

# Seconds between two measurements, so that a side's threads are asleep when the next one begins.
PAUSE = 0.02


def turns(runs, measures, label):
    """Calls all `measures` (by name) one after the other, `runs` times after a round that does not count.

    Every other round goes backwards, so that nobody always comes first. A list of `runs` values for each name.
    """
    values = {name: [] for name in measures}
    for turn in range(runs + 1):
        order = list(measures) if turn % 2 else list(reversed(measures))
        for name in order:
            time.sleep(PAUSE)
            value = measures[name]()
            if turn:
                values[name].append(value)
    print(f"  {label}", file=sys.stderr, flush=True)
    return values


median = statistics.median


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def ratios(above, below):
    """Ratios turn by turn: only measurements of the same turn are compared."""
    return [a / b for a, b in zip(above, below)]


def digits(value):
    """Three significant digits, thousands parted."""
    if value >= 100:
        return f"{float(f'{value:.4g}' if value >= 1000 else f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def cell(values):
    """The median, and half the distance from the lowest to the highest as a share of it."""
    middle = median(values)
    return f"{digits(middle)} ±{50 * (max(values) - min(values)) / middle:.0f} %"


def ratio(values):
    """The median and, in brackets, the lowest and the highest."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def percent(values):
    return f"{100 * median(values):.0f} %"


def table(head, rows):
    """A table in Markdown."""
    line = lambda cells: "| " + " | ".join(map(str, cells)) + " |"
    return [line(head), line(["---"] * len(head)), *map(line, rows)]
