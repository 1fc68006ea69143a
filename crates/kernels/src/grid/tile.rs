//! Parts of grids, so small that several passes over one find it in the cache.

use super::Grid;
use std::ops::Range;

/// Numbers of a tile, if the channels of one place are not more.
const TILE: usize = 16 * 1024;

impl Grid {
    /// Whether channels lie further apart than columns and rows.
    pub(super) fn in_planes(&self) -> bool {
        self.lanes > 1 || self.channel > self.column.max(self.row)
    }

    /// These rows and columns of it.
    pub(super) fn part(&self, [rows, columns]: &[Range<usize>; 2]) -> Grid {
        let origin = self.at(rows.start, columns.start, 0);
        Grid { origin, height: rows.len(), width: columns.len(), ..*self }
    }

    /// These channels of it.
    pub(super) fn channels(&self, channels: Range<usize>) -> Grid {
        Grid { origin: self.at(0, 0, channels.start), channels: channels.len(), ..*self }
    }

    /// The same cells with nothing around them, in the same order.
    pub(super) fn compact(&self) -> Grid {
        let Grid { height, width, channels, lanes, .. } = *self;
        let (row, column, channel) = if self.in_planes() {
            (width * lanes, lanes, height * width * lanes)
        } else {
            (width * channels, channels, 1)
        };
        Grid { row, column, channel, origin: 0, ..*self }
    }

    /// A number for each place and lane.
    pub(super) fn places(&self) -> Grid {
        Grid { channels: 1, ..*self }.compact()
    }

    /// A number for each channel and lane.
    pub(super) fn by_channel(&self) -> Grid {
        Grid { height: 1, width: 1, row: 0, column: 0, channel: self.lanes, origin: 0, ..*self }
    }

    /// Its numbers.
    pub(super) fn numbers(&self) -> usize {
        self.height * self.width * self.channels * self.lanes
    }

    /// Rows and columns of a tile.
    fn tile(&self) -> [usize; 2] {
        let place = self.channels * self.lanes;
        let columns = (TILE / place).clamp(1, self.width);
        let rows = if columns < self.width { 1 } else { (TILE / (place * self.width)).clamp(1, self.height) };
        [rows, columns]
    }

    /// The numbers of its largest tile.
    pub(super) fn tile_numbers(&self) -> usize {
        self.tile_places() * self.channels
    }

    /// The places of its largest tile, times lanes.
    pub(super) fn tile_places(&self) -> usize {
        let [rows, columns] = self.tile();
        rows * columns * self.lanes
    }

    /// Its tiles, one after the other.
    pub(super) fn tiles(&self) -> impl Iterator<Item = [Range<usize>; 2]> + use<> {
        let ([rows, columns], height, width) = (self.tile(), self.height, self.width);
        (0..height).step_by(rows).flat_map(move |h| {
            (0..width).step_by(columns).map(move |w| [h..(h + rows).min(height), w..(w + columns).min(width)])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Frame;

    #[test]
    fn tiles_cover_every_place_once() {
        for shape in [[3, 5, 7], [1, 1, 40_000], [60, 70, 64], [7, 400, 100]] {
            for lanes in [1, 16] {
                let [height, width, channels] = shape;
                let g = Grid::of_frame(&Frame { channels, height, width, halo: [1, 0, 2, 3] }, lanes);
                let mut seen = vec![0; height * width];
                for tile in g.tiles() {
                    let part = g.part(&tile);
                    assert!(part.numbers() <= g.tile_numbers());
                    assert!(part.places().numbers() <= g.tile_places());
                    assert_eq!(part.at(0, 0, 0), g.at(tile[0].start, tile[1].start, 0));
                    for h in tile[0].clone() {
                        tile[1].clone().for_each(|w| seen[h * width + w] += 1);
                    }
                }
                assert!(seen.iter().all(|&n| n == 1), "{shape:?}");
            }
        }
    }
}
