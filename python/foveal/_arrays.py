"""What people have as arrays, made into what foveal takes."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_float32(given: Any, operator: str, name: str) -> np.ndarray:
    """`given` as an aligned array of float32 in rows; its numbers are not copied where they lie so already.

    Everything that NumPy can read as an array of real numbers is taken: lists, other dtypes and byte orders,
    strided and Fortran arrays, Pillow images, PyTorch tensors, columns of pandas. What is no number is refused.
    """
    array = as_array(given, operator, name)
    with np.errstate(over="ignore"):
        return np.require(array, dtype=np.float32, requirements=("C", "A"))


def as_array(given: Any, operator: str, name: str) -> np.ndarray:
    """`given` as an array of real numbers of some dtype."""
    try:
        array = np.asarray(given)
    except Exception as problem:
        said = " ".join(str(problem).split())[:160]
        raise TypeError(f"{operator}: {name} cannot be read as an array: {said}") from None
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise TypeError(f"{operator}: {name} has masked numbers; fill them first, with .filled(value)")
    if array.dtype.kind not in "biuf":
        what = type(given).__name__ if array.dtype.kind == "O" else f"an array of dtype {array.dtype}"
        raise TypeError(f"{operator}: {name} must be an array of real numbers, not {what}")
    return array


def as_samples(given: Any, operator: str, name: str) -> np.ndarray:
    """Samples: bytes stay bytes, other numbers become float32."""
    array = as_array(given, operator, name)
    if array.dtype == np.uint8:
        return np.require(array, requirements=("C",))
    return as_float32(array, operator, name)


def as_targets(given: Any, operator: str, name: str) -> np.ndarray | list[list[str]]:
    """Targets: numbers become float64, words columns of cells."""
    try:
        array = np.asarray(given)
    except Exception as problem:
        raise TypeError(f"{operator}: {name} cannot be read as an array: {problem}") from None
    if array.dtype.kind in "biuf":
        return np.require(array, dtype=np.float64, requirements=("C", "A"))
    if array.ndim == 1 and all(isinstance(word, str) for word in array.tolist()):
        return [array.tolist()]
    raise TypeError(f"{operator}: {name} must be numbers or words, one for each sample, not dtype {array.dtype}")


def as_images(given: Any, shape: tuple[int, int, int], operator: str = "model", name: str = "x") -> np.ndarray:
    """One image or several as [n, h, w, c] of `shape`: the axes of one image and of one channel may be missing."""
    array = as_samples(given, operator, name)
    h, w, c = shape
    tried = array.shape
    if c == 1 and array.shape[-2:] == (h, w) and array.ndim in (2, 3):
        array = array[..., None]
    if array.ndim == 3 and array.shape == (h, w, c):
        array = array[None]
    if array.ndim == 2 and array.shape[1] == h * w * c:
        array = array.reshape(-1, h, w, c)
    if array.ndim != 4 or array.shape[1:] != (h, w, c):
        raise ValueError(f"{operator}: {name} must be [n, {h}, {w}, {c}] or one image of it, got shape {list(tried)}")
    return array
