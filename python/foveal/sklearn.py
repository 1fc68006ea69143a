"""Convolutional networks as estimators of scikit-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as _problem:
    raise ImportError("foveal.sklearn needs scikit-learn 1.6 or newer: pip install scikit-learn") from _problem

from .model import Model
from .training import train

__all__ = ["CNNClassifier", "CNNRegressor"]


class _CNN(BaseEstimator):
    """What both estimators have in common."""

    def __init__(self, model: str | None = None, *, image_shape: tuple[int, ...] | None = None, epochs: int | None = None,
                 batch_size: int | None = None, lr: float | None = None, validation: int = 0, preset: str = "fast",
                 augment: str | None = None, random_state: int | None = 0, threads: int | None = None,
                 verbose: bool = False) -> None:
        self.model = model
        self.image_shape = image_shape
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.validation = validation
        self.preset = preset
        self.augment = augment
        self.random_state = random_state
        self.threads = threads
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def _samples(self, x: Any, *, reset: bool, y: Any = None) -> Any:
        """Checked samples: images [n, h, w, c], or rows of numbers as images of height 1 and one channel."""
        checks: dict[str, Any] = {"reset": reset, "allow_nd": True, "dtype": "numeric",
                                  "ensure_min_features": 1}
        if y is None:
            x = validate_data(self, x, **checks)
        else:
            x, y = validate_data(self, x, y, multi_output=True, y_numeric=not isinstance(self, ClassifierMixin), **checks)
        if reset:
            self.sample_shape_ = x.shape[1:]
        elif x.shape[1:] != self.sample_shape_:
            raise ValueError(f"X has samples of shape {x.shape[1:]}, but {type(self).__name__} is expecting "
                             f"{self.sample_shape_}")
        if self.image_shape is not None:
            h, w, *c = self.image_shape
            x = x.reshape(len(x), h, w, *(c or [1]))
        elif x.ndim == 2:
            x = x[:, None, :, None]
        elif x.ndim == 3:
            x = x[..., None]
        elif x.ndim != 4:
            raise ValueError(f"{type(self).__name__}: samples must be rows, [h, w] or [h, w, c], not {x.ndim - 1} axes")
        return x if y is None else (x, y)

    def _learn(self, x: np.ndarray, y: np.ndarray, task: str, outputs: int) -> None:
        rows = x.ndim == 4 and x.shape[1] == 1 and x.shape[3] == 1
        given: dict[str, Any] = {}
        chosen: Any = self.model
        if chosen is None and rows:
            # Rows of numbers: neighbours are looked at together, then all.
            chosen = Model(_ROWS.format(width=x.shape[2], outputs=outputs))
            given = {"scale": "other", "standardize": "yes"}
        epochs = self.epochs
        if epochs is None and rows:
            epochs = int(np.clip(1500 // max(len(x) // 32, 1), 10, 300))
        seed = 0 if self.random_state is None else int(self.random_state)
        if isinstance(self.random_state, np.random.RandomState):
            seed = int(self.random_state.randint(2**31))
        self.model_ = train(
            x, y, task=task, model=chosen, epochs=epochs, batch_size=self.batch_size or (32 if rows else None), lr=self.lr,
            validation=int(self.validation), preset=self.preset, augment=self.augment, seed=seed, threads=self.threads,
            progress=bool(self.verbose), **given)
        self.n_iter_ = len(self.model_.history)

    def _outputs(self, x: Any) -> np.ndarray:
        check_is_fitted(self)
        x = self._samples(x, reset=False)
        if self.model_ is None:
            return np.zeros((len(x), 1))
        if x.dtype != np.uint8:
            x = np.ascontiguousarray(x, np.float32)
        return self.model_._inner.predict(np.ascontiguousarray(x), True).astype(np.float64)


_ROWS = """[input]
shape = [1, {width}, 1]

[[layer]]
kind = "conv2d"
filters = 8
kernel = [1, 3]
padding = "SAME"

[[layer]]
kind = "relu"

[[layer]]
kind = "flatten"

[[layer]]
kind = "dense"
units = 32

[[layer]]
kind = "relu"

[[layer]]
kind = "dense"
units = {outputs}
"""


class CNNClassifier(ClassifierMixin, _CNN):
    """A convolutional network that learns classes.

    `X` is images [n, h, w] or [n, h, w, c], rows of pixels with `image_shape`, or rows of any numbers; `y` classes of any
    kind. `model` is a built-in model's name or a .toml file; without one foveal chooses. The other parameters are those of
    `foveal.train`.
    """

    def fit(self, X: Any, y: Any) -> CNNClassifier:
        """Learns from images and their classes."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None")
        x, y = self._samples(X, reset=True, y=y)
        if y.ndim == 2 and y.shape[1] == 1:
            from sklearn.exceptions import DataConversionWarning

            warnings.warn("A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
                          "(n_samples,), for example using ravel().", DataConversionWarning, stacklevel=2)
            y = y.ravel()
        check_classification_targets(y)
        if y.ndim != 1:
            raise ValueError("Unknown label type: several labels a sample; one class is learnt")
        self.classes_, labels = np.unique(y, return_inverse=True)
        self.model_: Any = None
        self.n_iter_ = 0
        if len(self.classes_) > 1:
            self._learn(x, labels.astype(np.float64), "classification", len(self.classes_))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities of the classes, [n, classes]."""
        p = self._outputs(X)
        if self.model_ is None:
            return np.ones_like(p)
        return p / p.sum(1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each image."""
        p = self._outputs(X)
        return self.classes_[p.argmax(1) if self.model_ is not None else np.zeros(len(p), int)]


class CNNRegressor(RegressorMixin, _CNN):
    """A convolutional network that learns values. `X` as `CNNClassifier` takes it, `y` [n] or [n, values]."""

    def fit(self, X: Any, y: Any) -> CNNRegressor:
        """Learns from images and their values."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None")
        x, y = self._samples(X, reset=True, y=y)
        if y.ndim == 2 and y.shape[1] == 1:
            from sklearn.exceptions import DataConversionWarning

            warnings.warn("A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
                          "(n_samples,), for example using ravel().", DataConversionWarning, stacklevel=2)
            y = y.ravel()
        self._flat = y.ndim == 1
        values = np.asarray(y, np.float64)
        self._learn(x, values, "regression", 1 if self._flat else y.shape[1])
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The values of each image."""
        values = self._outputs(X)
        return values[:, 0] if self._flat else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
