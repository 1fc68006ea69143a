use foveal::nn::{Pool2dOptions, Padding};
use foveal::nn::ops::avg_pool;
use ndarray::Array4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array4::from_shape_vec((1, 5, 5, 1), vec![
        1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0,
        15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0,
    ])?;
    let options = Pool2dOptions { strides: [2, 2], padding: Padding::Same, ..Pool2dOptions::new([3, 3]) };
    let y = avg_pool(x.view(), &options)?;
    println!("{:?}\n{}", y.shape(), y);
    Ok(())
}
