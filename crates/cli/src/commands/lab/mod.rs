//! `foveal lab`
use crate::{args::Lab, output::Context};
/// The lecture.
pub fn run(_: &Lab, _: &Context) -> anyhow::Result<()> {
    Ok(())
}
