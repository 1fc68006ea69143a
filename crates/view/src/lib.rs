#![forbid(unsafe_code)]
//! From numbers to pictures: figures, colour maps, and the arithmetic of single cells.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`explain`] | an operator, its inputs, one output cell | the terms it is made of |
//! | [`figure`] | arrays | pictures with cells, ticks, titles and colour bars, as PNG and SVG |
//! | [`inside`] | a model and an image | feature maps of every layer, Grad-CAM |
//! | [`show`] | a saved model and an input | all that it makes of it, as a drawing or a page |
//! | [`colormap`] | a number from 0 to 1 | a colour |
//! | [`words`] | a model and a text | what each token counts |
//! | [`report`] | a training run | a page |
//!
//! Nothing here opens a file or prints, but the feature `evcxr`, which shows figures in notebooks
//! (`Figure::evcxr_display`).

mod clean;
pub mod colormap;
mod draw;
mod error;
#[cfg(feature = "evcxr")]
mod evcxr;
pub mod explain;
pub mod figure;
pub mod inside;
mod overview;
pub mod report;
pub mod show;
mod text;
pub mod words;

pub use clean::{clean, short, steers};
pub use colormap::ColorMap;
pub use draw::Drawing;
pub use error::Error;
pub use figure::{Figure, Panel, Scale, imshow, subplots};
/// Pixels of a drawing: red, green, blue.
pub use image::RgbImage as Image;
pub use text::{Language, base64};
