//! A convolution to be measured: its shape and its operands.

use crate::measure::{number, numbers};
use foveal_nn::ops::{conv2d, conv2d_backward_filter, conv2d_backward_input};
use foveal_nn::{Conv2dGeometry, Conv2dOptions, Padding};
use ndarray::Array4;

/// A convolution with its operands.
pub struct Case {
    pub shape: String,
    pub geometry: Conv2dGeometry,
    options: Conv2dOptions,
    pub x: Array4<f32>,
    pub filter: Array4<f32>,
    pub dy: Array4<f32>,
}

impl Case {
    pub fn new(shape: &str) -> Result<Self, String> {
        let sizes = shape.split(',').map(number).collect::<Result<Vec<usize>, _>>()?;
        let [n, side, c, k, stride, o] = sizes[..] else {
            return Err(format!("`{shape}` is not images,side,channels,kernel,stride,filters"));
        };
        let half = (k / 2) as i64;
        let options = Conv2dOptions {
            strides: [stride as i64; 2],
            padding: Padding::Explicit([half; 4]),
            ..Default::default()
        };
        let geometry = Conv2dGeometry::new("conv2d", &[n, side, side, c], &[k, k, c, o], &options)
            .map_err(|e| e.to_string())?;
        let array = |s: [usize; 4]| Array4::from_shape_vec(s, numbers(s.iter().product())).expect("as many");
        Ok(Self {
            shape: shape.to_owned(),
            x: array(geometry.input_shape()),
            filter: array(geometry.filter_shape()),
            dy: array(geometry.output_shape()),
            geometry,
            options,
        })
    }

    /// One pass by the public operator.
    pub fn operator(&self, pass: &str) -> Result<Array4<f32>, String> {
        let (x, f, dy, options) = (self.x.view(), self.filter.view(), self.dy.view(), &self.options);
        match pass {
            "forward" => conv2d(x, f, None, options),
            "input" => conv2d_backward_input(self.geometry.input_shape(), f, dy, options),
            "filter" => conv2d_backward_filter(x, self.geometry.filter_shape(), dy, options),
            _ => return Err(format!("no pass {pass}")),
        }
        .map_err(|e| e.to_string())
    }
}
