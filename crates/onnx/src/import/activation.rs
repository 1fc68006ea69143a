//! What stands for a value while a graph is read.

/// How the axes of a value lie in the ONNX graph, after the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// Channels, height, width.
    Chw,
    /// Height, width, channels.
    Hwc,
    /// Channels, length: a row of places, for foveal a picture of height 1.
    Cl,
    /// Length, channels.
    Lc,
    /// One axis; with the height, width and channels that it was flattened from in the order channel, height,
    /// width, if that differs from foveal's.
    Flat(Option<[usize; 3]>),
}

/// Cells that a Pad node adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pad {
    /// Top, bottom, left, right.
    pub cells: [i64; 4],
    /// What stands there.
    pub value: f32,
}

/// A value that comes from the input.
#[derive(Clone, Debug)]
pub(super) struct Activation {
    /// The layer that gives it; none for the input.
    pub layer: Option<usize>,
    /// Height, width, channels, as foveal has them.
    pub shape: [usize; 3],
    /// How its axes lie in the graph.
    pub order: Order,
    /// Padding that the next layer has to take in.
    pub pad: Option<Pad>,
    /// Whether others read it too, so that the layer may not be changed.
    pub shared: bool,
}

impl Activation {
    /// Axes in the graph, with the batch.
    pub fn rank(&self) -> usize {
        match self.order {
            Order::Flat(_) => 2,
            Order::Cl | Order::Lc => 3,
            Order::Chw | Order::Hwc => 4,
        }
    }

    /// Whether the channels come after the places in the graph.
    pub fn channels_last(&self) -> bool {
        matches!(self.order, Order::Hwc | Order::Lc)
    }

    /// Whether it is a row of places, not a picture.
    pub fn line(&self) -> bool {
        self.rank() == 3
    }

    /// The axis of the channels in the graph.
    pub fn channel_axis(&self) -> i64 {
        if self.channels_last() { self.rank() as i64 - 1 } else { 1 }
    }

    /// Numbers for one image.
    pub fn size(&self) -> usize {
        self.shape.iter().fold(1, |a, &v| a.saturating_mul(v))
    }

    /// The extents in the graph, without the batch.
    pub fn dims(&self) -> Vec<usize> {
        let [h, w, c] = self.shape;
        match self.order {
            Order::Chw => vec![c, h, w],
            Order::Hwc => vec![h, w, c],
            Order::Cl => vec![c, w],
            Order::Lc => vec![w, c],
            Order::Flat(_) => vec![self.size()],
        }
    }

    /// The order that flattening leaves.
    pub fn flattened(&self) -> Order {
        let [h, w, c] = self.shape;
        match self.order {
            Order::Chw | Order::Cl if c > 1 && (h > 1 || w > 1) => Order::Flat(Some(self.shape)),
            Order::Flat(order) => Order::Flat(order),
            _ => Order::Flat(None),
        }
    }
}

/// Rows of `width` numbers in the graph's order, in foveal's.
pub(super) fn reorder(order: Order, rows: Vec<f32>, width: usize) -> Vec<f32> {
    let Order::Flat(Some([h, w, c])) = order else { return rows };
    let mut turned = Vec::with_capacity(rows.len());
    for place in 0..h * w {
        for channel in 0..c {
            let at = (channel * h * w + place) * width;
            turned.extend(&rows[at..at + width]);
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_put_channels_last() {
        let order = Order::Flat(Some([1, 2, 3]));
        let rows = (0..12).map(|v| v as f32).collect();
        assert_eq!(reorder(order, rows, 2), [0., 1., 4., 5., 8., 9., 2., 3., 6., 7., 10., 11.]);
    }
}
