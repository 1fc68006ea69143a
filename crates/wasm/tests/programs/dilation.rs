use foveal::nn::Conv2dOptions;
use foveal::nn::ops::conv2d;
use ndarray::Array4;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let x = Array4::from_shape_vec((1, 7, 7, 1), vec![
        1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0,
        15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0,
        29.0, 30.0, 31.0, 32.0, 33.0, 34.0, 35.0, 36.0, 37.0, 38.0, 39.0, 40.0, 41.0, 42.0,
        43.0, 44.0, 45.0, 46.0, 47.0, 48.0, 49.0,
    ])?;
    let filter = Array4::from_elem((3, 3, 1, 1), 1.0);
    let options = Conv2dOptions { dilations: [2, 2], ..Conv2dOptions::default() };
    let y = conv2d(x.view(), filter.view(), None, &options)?;
    println!("{:?}\n{}", y.shape(), y);
    Ok(())
}
