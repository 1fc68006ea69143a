"""What notebooks show: pictures, tables and texts that know how to draw themselves."""

from __future__ import annotations

import html
from os import PathLike
from typing import Any


class Figure:
    """A picture with its text. A notebook shows the picture, a terminal the text."""

    def __init__(self, text: str, png: bytes, svg: str = "") -> None:
        self._text, self._png, self._svg = text, png, svg

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        import base64

        picture = base64.b64encode(self._png).decode()
        page = f'<img alt="{html.escape(self._text[:500], quote=True)}" src="data:image/png;base64,{picture}" '
        page += 'style="max-width: 100%">'
        return {"text/plain": self._text, "text/html": page, "image/png": picture}

    @property
    def png(self) -> bytes:
        """The picture as a PNG file's bytes."""
        return self._png

    @property
    def svg(self) -> str:
        """The picture as an SVG file's text."""
        return self._svg

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the picture as .png or .svg."""
        name = str(path)
        if name.endswith(".png"):
            data = self._png
        elif name.endswith(".svg"):
            data = self._svg.encode()
        else:
            raise ValueError(f"{name}: the name must end with .png or .svg")
        with open(path, "wb") as file:
            file.write(data)


class Table:
    """Rows under headings. A notebook shows a table, a terminal aligned text."""

    def __init__(self, headings: list[str], rows: list[list[Any]], note: str = "") -> None:
        self.headings, self.rows, self.note = headings, rows, note

    def __repr__(self) -> str:
        cells = [self.headings, *[[_cell(v) for v in row] for row in self.rows]]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.headings))]
        numeric = [bool(self.rows) and all(isinstance(row[i], (int, float)) for row in self.rows)
                   for i in range(len(self.headings))]
        lines = ["  ".join(c.rjust(w) if n else c.ljust(w) for c, w, n in zip(row, widths, numeric)).rstrip()
                 for row in cells]
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        def row(cells: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(row([_cell(v) for v in cells], "td") for cells in self.rows)
        page = f"<table><thead>{row(self.headings, 'th')}</thead><tbody>{body}</tbody></table>"
        if self.note:
            page += f"<p>{html.escape(self.note)}</p>"
        return {"text/plain": repr(self), "text/html": page}

    def to_frame(self) -> Any:
        """The rows as a pandas DataFrame."""
        import pandas

        return pandas.DataFrame(self.rows, columns=self.headings)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
