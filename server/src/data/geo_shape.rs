//! Circles and boxes on the earth, and the cells of the grid that cover them.

use super::geohash::{Cell, LATITUDE, Point, STEPS};

/// Half of the width of the map, in metres: what a single halving covers.
const HALF_MAP: f64 = 20_037_726.37;

/// How far a search goes, in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// All around.
    Radius(f64),
    /// To the sides, half of each to either.
    Box {
        /// From west to east.
        width: f64,
        /// From south to north.
        height: f64,
    },
}

/// A place, and how far around it to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// The middle.
    pub center: Point,
    /// The size.
    pub extent: Extent,
}

impl Shape {
    /// The distance in metres of a place from the middle, if it is within.
    #[must_use]
    pub fn within(&self, point: Point) -> Option<f64> {
        match self.extent {
            Extent::Radius(radius) => {
                Some(self.center.distance(point)).filter(|&distance| distance <= radius)
            }
            Extent::Box { width, height } => {
                if point.distance_north(self.center) > height / 2.0 {
                    return None;
                }
                // A box is as wide everywhere as it is asked to be.
                let level = Point { longitude: self.center.longitude, latitude: point.latitude };
                (point.distance(level) <= width / 2.0).then(|| self.center.distance(point))
            }
        }
    }

    /// The cells that cover it: the one of the middle first, then its neighbours, each once. What is outside of all of them is
    /// outside of the shape.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let bounds = self.bounds();
        let mut steps = self.steps();
        let mut middle = Cell::of(self.center, steps, LATITUDE);
        // Near the border of a cell the neighbours may be too small.
        let too_near = middle.moved(0, 1).area().north < bounds.north
            || middle.moved(0, -1).area().south > bounds.south
            || middle.moved(1, 0).area().east < bounds.east
            || middle.moved(-1, 0).area().west > bounds.west;
        if steps > 1 && too_near {
            steps -= 1;
            middle = Cell::of(self.center, steps, LATITUDE);
        }
        let area = middle.area();
        let useful = |east: i32, north: i32| {
            steps < 2
                || !(area.south < bounds.south && north < 0
                    || area.north > bounds.north && north > 0
                    || area.west < bounds.west && east < 0
                    || area.east > bounds.east && east > 0)
        };
        let mut cells = vec![middle];
        for (east, north) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)] {
            let cell = middle.moved(east, north);
            // When the map is parted into few cells, neighbours are the same on both sides.
            if useful(east, north) && (cells.len() == 1 || cells.last() != Some(&cell)) {
                cells.push(cell);
            }
        }
        cells
    }

    /// How often to halve the map so that cells are about as large as the shape.
    fn steps(&self) -> u32 {
        let mut reach = match self.extent {
            Extent::Radius(radius) => radius,
            Extent::Box { width, height } => ((width / 2.0).powi(2) + (height / 2.0).powi(2)).sqrt(),
        };
        if reach == 0.0 {
            return STEPS;
        }
        let mut steps = 1u32;
        while reach < HALF_MAP && steps < 64 {
            reach *= 2.0;
            steps += 1;
        }
        // Two larger than that: the shape may lie across a border. Towards the poles, cells are narrow.
        let latitude = self.center.latitude.abs();
        let larger = 2 + u32::from(latitude > 66.0) + u32::from(latitude > 80.0);
        steps.saturating_sub(larger).clamp(1, STEPS)
    }

    fn bounds(&self) -> super::geohash::Area {
        let (height, width) = match self.extent {
            Extent::Radius(radius) => (radius, radius),
            Extent::Box { width, height } => (height / 2.0, width / 2.0),
        };
        let Point { longitude, latitude } = self.center;
        let north = Point::degrees(height);
        // Degrees of longitude are narrowest at the side that is nearer to a pole.
        let narrow = if latitude < 0.0 { latitude - north } else { latitude + north };
        let east = Point::degrees(width / narrow.to_radians().cos());
        super::geohash::Area {
            west: longitude - east,
            east: longitude + east,
            south: latitude - north,
            north: latitude + north,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_place_within_a_shape_is_in_one_of_its_cells(
            longitude in -170.0..170.0, latitude in -60.0..60.0,
            east in -1.0..1.0, north in -1.0..1.0, reach in 1.0..500_000.0,
        ) {
            let center = Point { longitude, latitude };
            let degrees = Point::degrees(reach);
            let point = Point { longitude: longitude + east * degrees, latitude: latitude + north * degrees };
            for extent in [Extent::Radius(reach), Extent::Box { width: reach, height: reach / 2.0 }] {
                let shape = Shape { center, extent };
                if shape.within(point).is_some() {
                    let score = point.score();
                    let holding = shape.cells().iter().filter(|cell| cell.scores().contains(&score)).count();
                    proptest::prop_assert_eq!(holding, 1);
                }
            }
        }
    }
}
