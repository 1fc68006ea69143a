"""Reads a run's event file with TensorBoard's own reader. Run by checks/report.sh: python read_events.py RUN"""
import csv
import pathlib
import sys
import unittest

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader

RUN = pathlib.Path(sys.argv.pop(1))


def close(a, b):
    return abs(a - b) <= 1e-6 * max(1.0, abs(b))


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        [cls.file] = RUN.glob("events.out.tfevents.*")
        cls.events = EventAccumulator(str(RUN), size_guidance={"scalars": 0, "tensors": 0})
        cls.events.Reload()
        with open(RUN / "metrics.csv", newline="") as file:
            cls.metrics = list(csv.DictReader(file))

    def scalars(self, tag):
        return [(e.step, e.value) for e in self.events.Scalars(tag)]

    def test_every_record_is_read(self):
        records = list(RawEventFileLoader(str(self.file)).Load())
        size = sum(len(r) + 16 for r in records)
        self.assertEqual(size, self.file.stat().st_size)

    def test_epochs_are_those_of_the_metrics(self):
        for tag, column in [
            ("loss/train", "train_loss"),
            ("loss/validation", "validation_loss"),
            ("accuracy/train", "train_accuracy"),
            ("accuracy/validation", "validation_accuracy"),
            ("learning_rate", "lr"),
        ]:
            found = self.scalars(tag)
            self.assertEqual(len(found), len(self.metrics), tag)
            for (_, value), row in zip(found, self.metrics):
                self.assertTrue(close(value, float(row[column])), (tag, value, row))

    def test_steps_count_up_to_the_last_epochs_end(self):
        steps = [step for step, _ in self.scalars("step/loss")]
        last = self.scalars("loss/train")[-1][0]
        self.assertEqual(steps, list(range(1, last + 1)))
        self.assertEqual(len(self.scalars("step/learning_rate")), last)

    def test_the_clock_goes_forward(self):
        times = [e.wall_time for e in self.events.Scalars("step/loss")]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 1_600_000_000)


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2).result
    bad = len(result.failures) + len(result.errors)
    word = "FAILED" if bad else "ok"
    print(f"test result: {word}. {result.testsRun - bad} passed; {bad} failed; {len(result.skipped)} ignored;")
    sys.exit(bool(bad))
