//! Data sets of a program's own arrays. What kind of number an array holds says what the numbers are.

use crate::dataset::target_count;
use crate::{Dataset, Error, Samples, Targets};
use ndarray::{Array, Array1, Array2, Array4, Dimension};

/// A number that samples are made of: `u8` is a pixel from 0 (black) to 255 (white), which a model sees as 0 to 1;
/// `f32` is a number that it sees as it is.
pub trait Element: Copy + private::Sealed {
    /// The numbers as samples.
    fn samples(numbers: Vec<Self>) -> Samples;
}

impl Element for u8 {
    fn samples(numbers: Vec<Self>) -> Samples {
        Samples::U8(numbers)
    }
}

impl Element for f32 {
    fn samples(numbers: Vec<Self>) -> Samples {
        Samples::F32(numbers)
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for f32 {}
}

/// What samples are to become: labels (`u8`, `u32`, `usize`) are classes, floats are values of a regression.
pub trait IntoTargets {
    /// The targets of `n` samples.
    ///
    /// # Errors
    /// When a label is too large to be one.
    fn into_targets(self) -> Result<Targets, Error>;
}

/// The most classes that are counted from labels alone.
const MOST_CLASSES: u32 = 1 << 20;

fn classes(labels: Vec<u32>) -> Result<Targets, Error> {
    let most = labels.iter().max().copied().unwrap_or(0);
    if most >= MOST_CLASSES {
        return Err(Error::Argument {
            argument: "label",
            value: most.to_string(),
            allowed: format!("below {MOST_CLASSES}; number the classes from 0"),
        });
    }
    Ok(Targets::Classes { labels, names: (0..=most).map(|class| class.to_string()).collect() })
}

macro_rules! labels {
    ($($number:ty),*) => {$(
        impl IntoTargets for Vec<$number> {
            fn into_targets(self) -> Result<Targets, Error> {
                classes(self.into_iter().map(|label| u32::try_from(label).unwrap_or(u32::MAX)).collect())
            }
        }

        impl IntoTargets for Array1<$number> {
            fn into_targets(self) -> Result<Targets, Error> {
                self.to_vec().into_targets()
            }
        }
    )*};
}

labels!(u8, u32, usize);

macro_rules! values {
    ($($number:ty),*) => {$(
        impl IntoTargets for Array2<$number> {
            fn into_targets(self) -> Result<Targets, Error> {
                let names = (1..=self.ncols()).map(|k| format!("value {k}")).collect();
                Ok(Targets::Values { values: self.iter().map(|&v| f64::from(v)).collect(), names })
            }
        }

        impl IntoTargets for Vec<$number> {
            fn into_targets(self) -> Result<Targets, Error> {
                Ok(Targets::Values { values: self.into_iter().map(f64::from).collect(), names: vec!["value".into()] })
            }
        }

        impl IntoTargets for Array1<$number> {
            fn into_targets(self) -> Result<Targets, Error> {
                self.to_vec().into_targets()
            }
        }
    )*};
}

values!(f32, f64);

impl IntoTargets for Targets {
    fn into_targets(self) -> Result<Targets, Error> {
        Ok(self)
    }
}

/// The numbers of an array in the order of its axes, without a copy where they lie so.
fn in_order<T: Copy, D: Dimension>(array: Array<T, D>) -> Vec<T> {
    if array.is_standard_layout() {
        let count = array.len();
        let (numbers, offset) = array.into_raw_vec_and_offset();
        let first = offset.unwrap_or(0);
        if first == 0 && numbers.len() == count {
            return numbers;
        }
        return numbers[first..first + count].to_vec();
    }
    array.iter().copied().collect()
}

impl Dataset {
    /// A data set of arrays: samples `[n, height, width, channels]` of [`u8` or `f32`](Element), and a label or values
    /// for each.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    ///
    /// ```
    /// use foveal_data::{Dataset, Samples};
    /// use ndarray::{Array4, array};
    ///
    /// let pictures = Dataset::from_arrays(Array4::<u8>::zeros((3, 8, 8, 1)), vec![0u32, 1, 1])?;
    /// assert_eq!((pictures.len(), pictures.classes().unwrap().len()), (3, 2));
    /// let numbers = Dataset::from_arrays(Array4::<f32>::zeros((2, 1, 4, 1)), array![[0.5f32, 2.0], [1.5, -1.0]])?;
    /// assert_eq!(numbers.values(1), Some(&[1.5, -1.0][..]));
    /// assert!(Dataset::from_arrays(Array4::<u8>::zeros((3, 8, 8, 1)), vec![0u32]).is_err());
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn from_arrays<T: Element>(samples: Array4<T>, targets: impl IntoTargets) -> Result<Self, Error> {
        let (_, h, w, c) = samples.dim();
        Self::new("arrays", [h, w, c], T::samples(in_order(samples)), targets.into_targets()?)
    }

    /// A data set of what an iterator gives: samples of `shape` (height, width, channels), each a row of numbers with
    /// its label. Each is asked for once and kept, so that nothing is decoded twice.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a sample with another count of numbers, naming it; as [`Dataset::new`].
    ///
    /// ```
    /// let samples = (0..6u8).map(|i| (vec![40 * i; 4], u32::from(i / 3)));
    /// let data = foveal_data::Dataset::from_samples([2, 2, 1], samples)?;
    /// assert_eq!((data.len(), data.label(5)), (6, Some(1)));
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn from_samples<T: Element>(
        shape: [usize; 3],
        samples: impl IntoIterator<Item = (Vec<T>, u32)>,
    ) -> Result<Self, Error> {
        let size = shape.iter().try_fold(1usize, |n, &v| n.checked_mul(v)).unwrap_or(usize::MAX);
        let (mut all, mut labels) = (Vec::new(), Vec::new());
        for (i, (sample, label)) in samples.into_iter().enumerate() {
            if sample.len() != size {
                let problem =
                    format!("sample {i} has {} numbers, the shape {shape:?} has {size}", sample.len());
                return Err(Error::Mismatch { name: "samples".into(), problem, expected: "shape" });
            }
            all.extend(sample);
            labels.push(label);
        }
        Self::new("samples", shape, T::samples(all), labels.into_targets()?)
    }

    /// The set under another name: errors and saved models have it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The set with its classes named.
    ///
    /// # Errors
    /// [`Error::Label`] when a label has no name; [`Error::Argument`] when the targets are values.
    ///
    /// ```
    /// use foveal_data::Dataset;
    ///
    /// let data = Dataset::from_samples([1, 1, 1], [(vec![0u8], 0), (vec![255], 1)])?;
    /// assert_eq!(data.with_classes(["dark", "light"])?.classes().unwrap()[1], "light");
    /// # Ok::<(), foveal_data::Error>(())
    /// ```
    pub fn with_classes<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, Error> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let Targets::Classes { labels, .. } = &self.targets else {
            return Err(Error::Argument {
                argument: "names of classes",
                value: format!("{names:?}"),
                allowed: "for data with labels; these have values".into(),
            });
        };
        let targets = Targets::Classes { labels: labels.clone(), names };
        target_count(&self.name, &targets)?;
        self.targets = targets;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Axis, Slice};

    #[test]
    fn arrays_of_any_layout_give_their_numbers_in_order() {
        let x = Array4::from_shape_fn((2, 3, 4, 2), |(n, h, w, c)| (n * 100 + h * 20 + w * 4 + c) as f32);
        let want: Vec<f32> = x.iter().copied().collect();
        assert_eq!(in_order(x.clone()), want);
        let mut turned = x.clone().permuted_axes([3, 2, 1, 0]).as_standard_layout().into_owned();
        turned = turned.permuted_axes([3, 2, 1, 0]);
        assert!(!turned.is_standard_layout());
        assert_eq!(in_order(turned), want);
        let mut second = x.clone();
        second.slice_axis_inplace(Axis(0), Slice::from(1..));
        assert_eq!(in_order(second), x.index_axis(Axis(0), 1).iter().copied().collect::<Vec<_>>());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let x = || Array4::<u8>::zeros((2, 1, 1, 1));
        assert!(matches!(Dataset::from_arrays(x(), vec![0usize, usize::MAX]), Err(Error::Argument { .. })));
        assert!(
            Dataset::from_arrays(Array4::<f32>::zeros((0, 1, 1, 1)), Vec::<u8>::new())
                .is_ok_and(|d| d.is_empty())
        );
        assert!(Dataset::from_arrays(Array4::<f32>::zeros((2, 0, 1, 1)), vec![0u8, 1]).is_err());
        let uneven = [(vec![0u8, 1], 0), (vec![0], 1)];
        let message = Dataset::from_samples([1, 2, 1], uneven).unwrap_err().to_string();
        assert!(message.contains("sample 1 has 1 numbers"), "{message}");
    }
}
