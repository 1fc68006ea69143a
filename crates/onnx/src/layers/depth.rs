//! Channels as places, and places as channels.

use super::arrange::picture;
use super::conv::channels_first;
use super::{Given, Row};
use crate::attributes::Attributes;
use crate::graph::Step;
use crate::importer::Importer;
use foveal_nn::layers as kinds;
use foveal_nn::layers::DepthToSpaceOrder as Order;

pub(super) const ROW: Row = Row { operators: &["DepthToSpace", "SpaceToDepth"], import: depth };

fn depth<'g>(importer: &mut Importer<'g>, step: &Step<'g>, attributes: &Attributes<'g>) -> Given {
    let x = importer.take(step.input(0)?)?;
    let x = picture(importer, x)?;
    let [h, w, c] = x.shape;
    let block = usize::try_from(attributes.int("blocksize", 0)?).ok().filter(|b| (1..1 << 16).contains(b));
    let block = block.ok_or("its blocksize is below 1")?;
    let line = x.line();
    if step.operator == "SpaceToDepth" {
        if h % block != 0 || w % block != 0 {
            return Err(format!("blocks of {block} do not divide {}", x.told()));
        }
        let shape = [h / block, w / block, c * block * block];
        let kind = kinds::SpaceToDepth { block, order: Order::BlockFirst };
        return Ok(vec![importer.push(kind, &[x.layer], shape, channels_first(line, shape))?]);
    }
    let order = match attributes.text("mode", "DCR")? {
        "DCR" => Order::BlockFirst,
        "CRD" => Order::ChannelFirst,
        other => return Err(format!("mode = {other} is not supported, only DCR and CRD")),
    };
    if c % (block * block) != 0 {
        return Err(format!("blocks of {block} do not divide the channels of {}", x.told()));
    }
    let shape = [h * block, w * block, c / (block * block)];
    let kind = kinds::DepthToSpace { block, order };
    Ok(vec![importer.push(kind, &[x.layer], shape, channels_first(line, shape))?])
}
