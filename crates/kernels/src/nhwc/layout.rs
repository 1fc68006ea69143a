//! How one image lies in memory.

use super::walk::Plane;

/// How one image lies in memory: rows of pixels, channels side by side, with zeros around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Height, width, channels of the image.
    pub shape: [usize; 3],
    /// Rows of zeros above and below, columns of zeros left and right.
    pub halo: [usize; 4],
}

impl Layout {
    /// An image with nothing around it.
    pub fn plain(shape: [usize; 3]) -> Self {
        Self { shape, halo: [0; 4] }
    }

    /// Numbers in all.
    pub fn numbers(&self) -> usize {
        self.plane().height * self.row()
    }

    /// Numbers from one row to the next.
    pub fn row(&self) -> usize {
        self.plane().width * self.shape[2]
    }

    /// The place of the first pixel.
    pub fn origin(&self) -> usize {
        self.halo[0] * self.row() + self.halo[2] * self.shape[2]
    }

    pub(super) fn plane(&self) -> Plane {
        let ([h, w, channels], [top, bottom, left, right]) = (self.shape, self.halo);
        Plane { height: h + top + bottom, width: w + left + right, channels }
    }
}
