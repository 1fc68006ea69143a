//! `page_digits FOLDER`: the digits as the page takes them from a web server, `foveal_mnist::PARTS` compressed by gzip.

use std::io::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder to write to")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    for name in foveal_mnist::PARTS {
        let bytes = foveal_mnist::part(name).ok_or("no such part")?;
        let file = std::fs::File::create(folder.join(format!("{name}.bin")))?;
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        gzip.write_all(&bytes)?;
        gzip.finish()?.flush()?;
    }
    Ok(())
}
