//! Writes what each fuzzer begins with: small whole files, in `corpus/<target>/`.

use foveal::data::{Dataset, Samples, Split, Targets, npy};
use foveal::nn::{Model, ModelSpec};
use foveal::train::{PictureFit, Preprocess, Recipe, Resume, SavedModel, Training, fit_resumable};
use image::{DynamicImage, ImageFormat};
use std::error::Error;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::AtomicBool;

const NET: &str = "[input]\nshape = [6, 6, 1]\n[[layer]]\nkind = \"conv2d\"\nfilters = 2\nkernel = [3, 3]\n\
                   padding = \"SAME\"\n[[layer]]\nkind = \"batch_norm\"\n[[layer]]\nkind = \"relu\"\n[[layer]]\n\
                   kind = \"max_pool\"\nksize = [2, 2]\n[[layer]]\nkind = \"flatten\"\n[[layer]]\nkind = \"dense\"\n\
                   units = 2\n";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| -> Result<(), Box<dyn Error>> {
        std::fs::create_dir_all(root.join(target))?;
        Ok(std::fs::write(root.join(target).join(name), bytes)?)
    };
    write("idx", "images", &[&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2][..], &[1, 2, 3, 4]].concat())?;
    let numbers = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]).into_dyn();
    write("npy", "floats", &npy::write_npy(numbers.view()))?;
    write("npz", "keras", &npz()?)?;
    let picture = image::RgbImage::from_fn(9, 6, |x, y| image::Rgb([x as u8 * 25, y as u8 * 40, 99]));
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    for format in [Bmp, Jpeg, Png, Tiff, WebP] {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(picture.clone()).write_to(&mut bytes, format)?;
        write("picture", &format!("{format:?}"), &bytes.into_inner())?;
    }
    write("table", "classes", b"path,kind,split\na.png,cat,train\n\"b, c.png\",dog,test\n")?;
    write("table", "values", b"a.png,1.5,2\nb.png,-3,4e5\n")?;
    write("tsv", "opinions", "label\ttext\tsplit\ngood\t재미있다\ttrain\nbad\tnot, at all!\ttest\n".as_bytes())?;
    write("model_toml", "net", NET.as_bytes())?;
    let (model, checkpoint) = trained()?;
    write("saved", "model", &model.to_bytes()?)?;
    write("checkpoint", "kept", &checkpoint)?;
    write("onnx", "model", &foveal::onnx::export(&model)?)?;
    for (target, path) in [("onnx", "onnx/tests/data/pytorch.onnx")] {
        write(target, "another", &std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(path))?)?;
    }
    for name in ["explicit", "implicit", "big_endian", "deflated", "rle", "jpeg_lossless", "jpeg_baseline"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/dicom/{name}.dcm"));
        write("dicom", name, &std::fs::read(file)?)?;
    }
    Ok(())
}

/// As Keras keeps data sets.
fn npz() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let images = npy::write_npy(ndarray::Array4::<f32>::ones((3, 2, 2, 1)).into_dyn().view());
    let labels = npy::write_npy(ndarray::arr1(&[0.0f32, 1.0, 1.0]).into_dyn().view());
    for (name, bytes) in [("x_train", &images), ("y_train", &labels), ("x_test", &images), ("y_test", &labels)] {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default())?;
        std::io::Write::write_all(&mut archive, bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A model after one epoch, and the checkpoint that was kept of it.
fn trained() -> Result<(SavedModel, Vec<u8>), Box<dyn Error>> {
    let pixels = (0..20 * 36u32).map(|i| (i * 37 % 256) as u8).collect();
    let names = vec!["가".to_string(), "b".to_string()];
    let targets = Targets::Classes { labels: (0..20).map(|i| i % 2).collect(), names: names.clone() };
    let data = Dataset::new("seed", [6, 6, 1], Samples::U8(pixels), targets)?;
    let split = Split::random(20, data.labels(), 0.2, 0)?;
    let preprocess = Preprocess::unit(1, PictureFit::Resize);
    let recipe = Recipe { epochs: 1, batch_size: 8, ..Recipe::default() };
    let fresh = Model::new(&ModelSpec::from_toml(NET)?, 0)?;
    let mut kept = Vec::new();
    let stop = AtomicBool::new(false);
    let save = Box::new(|checkpoint: &foveal::train::Checkpoint| {
        kept = checkpoint.to_bytes().map_err(|e| e.to_string())?;
        Ok(())
    });
    let resume = Resume { from: None, save: Some(save) };
    let outcome = fit_resumable(fresh, &data, &split, &preprocess, &recipe, &stop, &mut |_| {}, resume)?;
    let training =
        Training { model: "net".into(), dataset: "seed".into(), recipe, epochs: 1, validation_accuracy: None };
    Ok((SavedModel { model: outcome.model, preprocess, classes: names, training }, kept))
}
