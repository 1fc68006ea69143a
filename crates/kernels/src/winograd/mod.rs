//! Winograd's convolution with 3x3 filters, stride 1: four outputs of a channel, a *tile* of 2x2, from sixteen
//! products of transformed numbers where the definition takes thirty-six.
//!
//! With `x` a tile's 4x4 inputs, `g` a filter and `*` the product number by number:
//!
//! ```text
//! y = At [ (G g Gt) * (Bt x B) ] A          the outputs
//! dg = Gt [ (A dy At) * (Bt x B) ] G        the filter's gradient: the same sum, read backwards
//! ```
//!
//! Sums over channels (over tiles and images for the filter's gradient) are taken of the transformed numbers, so
//! that sixteen matrix products are all there is between the transforms. The input's gradient is the first formula
//! with the filter turned by half a turn. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural
//! Networks", 2015 (arXiv:1509.09308), F(2x2, 3x3) and F(3x3, 2x2).

pub mod product;
pub mod transform;

/// Transformed numbers of a tile.
pub const CELLS: usize = 16;

/// The cell of the transformed filter that stands at `cell` once the filter is turned by half a turn: the transform's
/// middle rows look alike from both ends, its outer rows change places.
pub fn turned(cell: usize) -> usize {
    let swap = |i: usize| [3, 1, 2, 0][i];
    4 * swap(cell / 4) + swap(cell % 4)
}
