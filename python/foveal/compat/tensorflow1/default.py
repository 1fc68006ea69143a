"""The session that `eval`, `run` and `load` use when none is named."""

from __future__ import annotations

from typing import Any

#: Sessions by `with` or `as_default`, the innermost last.
sessions: list[Any] = []


def default_session() -> Any:
    """The innermost of them."""
    if not sessions:
        raise ValueError("Cannot evaluate tensor using `eval()`: No default session is registered. Use "
                         "`with sess.as_default()` or pass an explicit session to `eval(session=sess)`")
    return sessions[-1]
