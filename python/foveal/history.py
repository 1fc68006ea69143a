"""A training's figures, epoch by epoch."""

from __future__ import annotations

from typing import Any

from .figures import Table


class History(Table):
    """Each epoch's figures, as the program's metrics.csv has them."""

    NAMES = ["epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds",
             "images_per_second", "lr"]

    def __init__(self) -> None:
        super().__init__(list(self.NAMES), [])

    def append(self, figures: dict[str, Any]) -> None:
        self.rows.append([figures[name] for name in self.NAMES])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> list[Any]:
        """The figures of one column, epoch by epoch."""
        if name not in self.NAMES:
            raise KeyError(f"history: there is no `{name}`; there are {', '.join(self.NAMES)}")
        return [row[self.NAMES.index(name)] for row in self.rows]
