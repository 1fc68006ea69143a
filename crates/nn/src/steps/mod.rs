//! What a compiled model is made of: steps over numbers that have been given their places.
//!
//! A step is one of a closed list, so that nothing is looked up and nothing allocated while it runs. Each kind of
//! step has a file: how it runs with images side by side, forward and backward. [`single`] has the steps of plans
//! that take images one at a time.

mod activation;
mod batch_norm;
mod conv;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod grid;
mod join;
mod nhwc;
mod norm_state;
mod own;
mod places;
mod pool;
mod rows;
mod run;
mod scene;
pub mod single;
mod step;
mod transpose;
mod wires;

pub use activation::{Function, InPlace};
pub use batch_norm::{BatchNorm, FrozenNorm};
pub use conv::{Conv, ConvPooled};
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use flatten::Flatten;
pub use grid::OnGrid;
pub use join::{Add, Concat};
pub use nhwc::{NhwcAvgPool, NhwcConv, NhwcMaxPool};
pub use norm_state::NormState;
pub use own::{Own, OwnLayer, Params, Slopes, put_images, take_images};
pub use places::{Norm, Parameter, Places, Placing};
pub use pool::{AvgPool, MaxPool};
pub use rows::{move_rows, split};
pub use scene::{Forward, Kept, MOST_LANES, Scene};
pub use step::{Step, StepKind};
pub use transpose::ConvTransposed;
pub use wires::{Input, Wires};
