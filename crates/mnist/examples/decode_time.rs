//! Median time to decode the training images, on one thread and on two.

use std::time::Instant;

fn main() {
    for threads in [1, 2] {
        let mut times: Vec<f64> = (0..7)
            .map(|_| {
                let start = Instant::now();
                std::hint::black_box(foveal_mnist::train_images(threads));
                start.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "{threads} thread(s): {:.1} ms (fastest {:.1}, slowest {:.1})",
            times[3] * 1e3,
            times[0] * 1e3,
            times[6] * 1e3
        );
    }
}
