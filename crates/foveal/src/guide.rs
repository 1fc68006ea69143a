//! Guides, whose programs are compiled and run with the tests.

#[doc = include_str!("../guide/own_data.md")]
pub mod own_data {}

#[doc = include_str!("../guide/own_loop.md")]
pub mod own_loop {}

#[doc = include_str!("../guide/server.md")]
pub mod server {}

#[doc = include_str!("../guide/wasm.md")]
pub mod wasm {}
