#![forbid(unsafe_code)]
//! From numbers to pictures: figures, colour maps, and the arithmetic of single cells.
//!
//! | module | from | to |
//! |---|---|---|
//! | [`explain`] | an operator, its inputs, one output cell | the terms it is made of |
//! | [`figure`] | arrays | pictures with cells, ticks, titles and colour bars, as PNG |
//! | [`inside`] | a model and an image | feature maps of every layer, Grad-CAM |
//! | [`colormap`] | a number from 0 to 1 | a colour |
//!
//! Nothing here opens a file or prints.

pub mod colormap;
mod draw;
mod error;
pub mod explain;
pub mod figure;
pub mod inside;

pub use colormap::ColorMap;
pub use error::Error;
pub use figure::{Figure, Panel, Scale, imshow, subplots};
