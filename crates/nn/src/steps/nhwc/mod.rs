//! Steps with channels side by side, the images of a group one after the other; all other steps work either way.

mod conv;
mod pool;

pub use conv::NhwcConv;
pub use pool::{NhwcAvgPool, NhwcMaxPool};
