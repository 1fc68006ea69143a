"""scikit-learn's own checks of estimators."""

from __future__ import annotations

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from foveal.sklearn import CNNClassifier, CNNRegressor  # noqa: E402

#: Checks that are not passed, and why.
EXCEPTIONS: dict[str, str] = {}


@parametrize_with_checks([CNNClassifier(threads=1), CNNRegressor(threads=1)],
                         expected_failed_checks=lambda _: EXCEPTIONS)
def test_estimator(estimator, check):
    check(estimator)


def pictures(n=200):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    x = rng.integers(0, 60, (n, 12, 12)).astype(np.uint8)
    for image, place in zip(x, y):
        image[3 * place : 3 * place + 4, 2:8] += 120
    return x, np.array(["low", "mid", "top"])[y]


def test_pictures_are_learnt_in_cross_validation_and_searches():
    x, y = pictures()
    assert cross_val_score(CNNClassifier(epochs=6, threads=1), x, y, cv=3).mean() > 0.8
    rows = x.reshape(len(x), -1)
    search = GridSearchCV(CNNClassifier(image_shape=(12, 12), threads=1), {"epochs": [1, 6]}, cv=2).fit(rows, y)
    assert search.best_params_ == {"epochs": 6} and set(search.predict(rows[:9])) <= {"low", "mid", "top"}


def test_rows_of_numbers_and_values():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 8))
    y = np.stack([x[:, 0] - 2 * x[:, 3], x[:, 1] * x[:, 2]], 1)
    model = make_pipeline(StandardScaler(), CNNRegressor(threads=1)).fit(x, y)
    assert model.predict(x).shape == (200, 2) and model.score(x, y) > 0.8
    assert clone(CNNRegressor(epochs=3)).get_params()["epochs"] == 3
