//! How the axes of a value in the graph lie in a layer's output `[h, w, c]`.
//!
//! Reshapes, transposes, squeezes and flattens of a graph move no number here: they change the view alone. Only
//! where a layer needs numbers in an order of its own are they arranged.

/// A stretch of one axis of a layer's output: `extent` cells, from each to the next `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// 0 for height, 1 for width, 2 for channels.
    pub axis: usize,
    /// How many cells.
    pub extent: usize,
    /// From each to the next.
    pub step: usize,
}

/// Height, width, channels, as indices of axes.
pub(crate) const HEIGHT: usize = 0;
pub(crate) const WIDTH: usize = 1;
pub(crate) const CHANNELS: usize = 2;

/// The axes of a value after the batch, each a product of stretches; none for an extent of 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub dims: Vec<Vec<Leaf>>,
}

/// An axis as a whole.
fn whole(axis: usize, shape: [usize; 3]) -> Vec<Leaf> {
    match shape[axis] {
        1 => vec![],
        extent => vec![Leaf { axis, extent, step: 1 }],
    }
}

fn product(leaves: &[Leaf]) -> usize {
    leaves.iter().map(|l| l.extent).product()
}

/// Stretches that follow upon each other as one.
pub(crate) fn merged(leaves: impl IntoIterator<Item = Leaf>) -> Vec<Leaf> {
    let mut all: Vec<Leaf> = Vec::new();
    for leaf in leaves.into_iter().filter(|l| l.extent != 1) {
        match all.last_mut() {
            Some(last) if last.axis == leaf.axis && last.step == leaf.step * leaf.extent => {
                *last = Leaf { axis: leaf.axis, extent: last.extent * leaf.extent, step: leaf.step };
            }
            _ => all.push(leaf),
        }
    }
    all
}

impl View {
    /// Axes of the graph that are axes of `shape`.
    pub fn of(axes: &[usize], shape: [usize; 3]) -> Self {
        Self { dims: axes.iter().map(|&axis| whole(axis, shape)).collect() }
    }

    /// The extents in the graph, without the batch.
    pub fn extents(&self) -> Vec<usize> {
        self.dims.iter().map(|leaves| product(leaves)).collect()
    }

    /// All stretches in their order.
    pub fn leaves(&self) -> Vec<Leaf> {
        merged(self.dims.iter().flatten().copied())
    }

    /// The axes of the output that the axes of the graph are, in as many as there are; none for an extent of 1, and
    /// nothing if one of them is something else.
    pub fn axes(&self, shape: [usize; 3]) -> Option<Vec<Option<usize>>> {
        let axis = |leaves: &Vec<Leaf>| match leaves[..] {
            [] => Some(None),
            [leaf] if whole(leaf.axis, shape) == [leaf] => Some(Some(leaf.axis)),
            _ => None,
        };
        self.dims.iter().map(axis).collect()
    }

    /// Whether the axes of the graph are these of the output.
    pub fn is(&self, axes: &[usize], shape: [usize; 3]) -> bool {
        *self == View::of(axes, shape)
    }

    /// Whether the numbers stand in the order of the output.
    pub fn in_order(&self, shape: [usize; 3]) -> bool {
        self.leaves() == View::of(&[HEIGHT, WIDTH, CHANNELS], shape).leaves()
    }

    /// The same numbers in the same order with other extents; nothing if stretches would have to be cut across.
    pub fn reshaped(&self, extents: &[usize]) -> Option<View> {
        let mut rest: Vec<Leaf> = self.leaves();
        rest.reverse();
        let mut dims = Vec::new();
        for &extent in extents {
            let (mut need, mut leaves) = (extent, Vec::new());
            while need != 1 {
                let leaf = rest.pop()?;
                if need % leaf.extent == 0 {
                    need /= leaf.extent;
                    leaves.push(leaf);
                } else if leaf.extent % need == 0 {
                    let inner = leaf.extent / need;
                    leaves.push(Leaf { extent: need, step: leaf.step * inner, ..leaf });
                    rest.push(Leaf { extent: inner, ..leaf });
                    need = 1;
                } else {
                    return None;
                }
            }
            dims.push(merged(leaves));
        }
        rest.is_empty().then_some(View { dims })
    }

    /// Axes in another order; `order` counts from the first after the batch.
    pub fn transposed(&self, order: &[usize]) -> View {
        View { dims: order.iter().map(|&axis| self.dims[axis].clone()).collect() }
    }

    /// After the output `shape` has become one row of numbers.
    pub fn flattened(&self, [_, w, c]: [usize; 3]) -> View {
        let times = [w * c, c, 1];
        let flat = |l: &Leaf| Leaf { axis: CHANNELS, step: l.step * times[l.axis], ..*l };
        View { dims: self.dims.iter().map(|leaves| merged(leaves.iter().map(flat))).collect() }
    }

    /// For each number in the graph's order its place in the output of `shape`.
    pub fn places(&self, [_, w, c]: [usize; 3]) -> Vec<usize> {
        let times = [w * c, c, 1];
        let mut places = vec![0];
        for leaf in self.leaves() {
            let step = leaf.step * times[leaf.axis];
            places = places.iter().flat_map(|at| (0..leaf.extent).map(move |i| at + i * step)).collect();
        }
        places
    }

    /// Whether the axes at `chosen` are, together, exactly the axis `axis` of the output, in any order.
    pub fn cover(&self, chosen: impl IntoIterator<Item = usize>, axis: usize, shape: [usize; 3]) -> bool {
        let leaves: Vec<&Leaf> = chosen.into_iter().flat_map(|i| &self.dims[i]).collect();
        leaves.iter().all(|l| l.axis == axis)
            && leaves.iter().map(|l| l.extent).product::<usize>() == shape[axis]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [4, 6, 10];

    fn chw() -> View {
        View::of(&[CHANNELS, HEIGHT, WIDTH], SHAPE)
    }

    #[test]
    fn channels_are_shuffled_in_a_view() {
        // As ShuffleNet has it: [n, 2, 5, h, w], the groups turned, and back.
        let groups = chw().reshaped(&[2, 5, 4, 6]).unwrap();
        let turned = groups.transposed(&[1, 0, 2, 3]);
        let back = turned.reshaped(&[10, 4, 6]).unwrap();
        let (five, two) =
            (Leaf { axis: CHANNELS, extent: 5, step: 1 }, Leaf { axis: CHANNELS, extent: 2, step: 5 });
        assert_eq!(back.dims[0], [five, two]);
        assert!(!back.is(&[CHANNELS, HEIGHT, WIDTH], SHAPE));
        assert!(back.cover([0], CHANNELS, SHAPE));
        // Twice the other way is as before.
        let again = back.reshaped(&[5, 2, 4, 6]).unwrap().transposed(&[1, 0, 2, 3]);
        assert!(again.reshaped(&[10, 4, 6]).unwrap().is(&[CHANNELS, HEIGHT, WIDTH], SHAPE));
    }

    #[test]
    fn rows_of_numbers_and_back() {
        let flat = chw().reshaped(&[240]).unwrap();
        assert_eq!(flat.dims[0].len(), 3);
        let places = flat.places(SHAPE);
        assert_eq!((places[0], places[1], places[6], places[24]), (0, 10, 60, 1));
        assert_eq!(flat.flattened(SHAPE).places([1, 1, 240]), places);
        assert!(flat.reshaped(&[10, 4, 6]).unwrap().is(&[CHANNELS, HEIGHT, WIDTH], SHAPE));
        assert!(!flat.in_order(SHAPE));
        assert!(View::of(&[HEIGHT, WIDTH, CHANNELS], SHAPE).reshaped(&[240]).unwrap().in_order(SHAPE));
        // 8 of [10, 4, 6] would cut across.
        assert_eq!(chw().reshaped(&[8, 30]), None);
        assert_eq!(chw().reshaped(&[10, 4]), None);
        let row = View::of(&[CHANNELS], [1, 1, 240]);
        assert_eq!(row.reshaped(&[8, 30]).unwrap().extents(), [8, 30]);
    }

    #[test]
    fn extents_of_one_come_and_go() {
        let view = View::of(&[CHANNELS, HEIGHT, WIDTH], [1, 1, 8]);
        assert_eq!(view.extents(), [8, 1, 1]);
        assert_eq!(view.reshaped(&[8]).unwrap().reshaped(&[1, 8, 1]).unwrap().extents(), [1, 8, 1]);
        assert_eq!(view.axes([1, 1, 8]), Some(vec![Some(CHANNELS), None, None]));
        assert_eq!(View::of(&[CHANNELS], [1, 1, 1]).reshaped(&[]).unwrap().dims.len(), 0);
    }
}
