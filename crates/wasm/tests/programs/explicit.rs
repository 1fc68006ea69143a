use foveal::nn::{Conv2dOptions, Padding};
use foveal::nn::ops::conv2d;
use ndarray::Array4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array4::from_shape_vec((1, 4, 5, 1), vec![
        1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0,
        15.0, 16.0, 17.0, 18.0, 19.0, 20.0,
    ])?;
    let filter = Array4::from_elem((3, 2, 1, 1), 1.0);
    let options = Conv2dOptions { strides: [2, 1], padding: Padding::Explicit([2, 0, 1, 3]), ..Conv2dOptions::default() };
    let y = conv2d(x.view(), filter.view(), None, &options)?;
    println!("{:?}\n{}", y.shape(), y);
    Ok(())
}
