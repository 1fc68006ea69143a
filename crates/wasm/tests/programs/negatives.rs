use foveal::nn::{Pool2dOptions, Padding};
use foveal::nn::ops::max_pool;
use ndarray::Array4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array4::from_shape_vec((1, 2, 2, 1), vec![-4.0, -3.0, -2.0, -1.0])?;
    let options = Pool2dOptions { strides: [1, 1], padding: Padding::Same, ..Pool2dOptions::new([2, 2]) };
    let y = max_pool(x.view(), &options)?;
    println!("{:?}\n{}", y.shape(), y);
    Ok(())
}
