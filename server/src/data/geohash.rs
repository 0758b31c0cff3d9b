//! Places on the earth as numbers: a cell of a grid, found by taking turns halving longitudes and latitudes.
//!
//! 26 halvings of each make 52 bits, which a double holds exactly: a place is the score of a member, and a cell is a range of
//! scores. Latitudes end where the web's map projection does.

/// Halvings of a place.
pub const STEPS: u32 = 26;
/// Where longitudes end, in degrees.
pub const LONGITUDE: f64 = 180.0;
/// Where latitudes end, in degrees (EPSG:900913).
pub const LATITUDE: f64 = 85.051_128_78;
/// The radius of the earth in metres, as Redis has it.
const EARTH: f64 = 6_372_797.560_856;
/// The letters of a geohash.
const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// A place, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

impl Point {
    /// Whether the place is on the map.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.longitude.abs() <= LONGITUDE && self.latitude.abs() <= LATITUDE
    }

    /// The score that stands for this place.
    #[must_use]
    pub fn score(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "52 bits; at the very edge of the map Redis rounds too"
        )]
        let score = Cell::of(self, STEPS, LATITUDE).bits as f64;
        score
    }

    /// The place that a score stands for: the middle of its cell. Any score stands for some place.
    #[must_use]
    pub fn of_score(score: f64) -> Self {
        let area = Cell { bits: bits_of(score), steps: STEPS }.area();
        let middle = |low: f64, high: f64, end: f64| ((low + high) / 2.0).clamp(-end, end);
        Self {
            longitude: middle(area.west, area.east, LONGITUDE),
            latitude: middle(area.south, area.north, LATITUDE),
        }
    }

    /// The eleven letters that the rest of the world writes for this place. The last says nothing: there are 52 bits.
    #[must_use]
    pub fn letters(self) -> [u8; 11] {
        let bits = Cell::of(self, STEPS, 90.0).bits;
        std::array::from_fn(|at| {
            let five = if at < 10 { bits >> (52 - 5 * (at + 1)) & 0x1f } else { 0 };
            usize::try_from(five).ok().and_then(|five| LETTERS.get(five)).copied().unwrap_or(b'0')
        })
    }

    /// Metres to another place along the surface (haversine).
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        let (longitude, other_longitude) = (self.longitude.to_radians(), other.longitude.to_radians());
        let v = ((other_longitude - longitude) / 2.0).sin();
        if v == 0.0 {
            return self.distance_north(other);
        }
        let (latitude, other_latitude) = (self.latitude.to_radians(), other.latitude.to_radians());
        let u = ((other_latitude - latitude) / 2.0).sin();
        let a = u * u + latitude.cos() * other_latitude.cos() * v * v;
        2.0 * EARTH * a.sqrt().asin()
    }

    /// Metres between the two latitudes.
    #[must_use]
    pub fn distance_north(self, other: Self) -> f64 {
        EARTH * (other.latitude.to_radians() - self.latitude.to_radians()).abs()
    }

    /// By how many degrees of latitude one is away at a distance in metres.
    pub(super) fn degrees(metres: f64) -> f64 {
        (metres / EARTH).to_degrees()
    }
}

/// A cell of the grid after some halvings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Two bits a halving, the first highest: longitude, then latitude.
    bits: u64,
    steps: u32,
}

/// What a cell covers, in degrees.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "each is the border on that side")]
pub struct Area {
    pub west: f64,
    pub east: f64,
    pub south: f64,
    pub north: f64,
}

impl Cell {
    /// The cell of a place on a map that ends at this latitude.
    #[must_use]
    pub fn of(point: Point, steps: u32, latitudes: f64) -> Self {
        let index = |degrees: f64, end: f64| {
            let share = (degrees + end) / (2.0 * end);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^26")]
            let index = (share * f64::from(1u32 << steps)) as u32;
            index
        };
        let (x, y) = (index(point.longitude, LONGITUDE), index(point.latitude, latitudes));
        Self { bits: spread(x) << 1 | spread(y), steps }
    }

    /// What it covers.
    #[must_use]
    pub fn area(self) -> Area {
        let size = f64::from(1u32 << self.steps);
        let side = |index: u32, end: f64| {
            let border = |index: f64| -end + index / size * (2.0 * end);
            (border(f64::from(index)), border(f64::from(index) + 1.0))
        };
        let (west, east) = side(gather(self.bits >> 1), LONGITUDE);
        let (south, north) = side(gather(self.bits), LATITUDE);
        Area { west, east, south, north }
    }

    /// The cell so many cells to the east and to the north; the map is joined at its borders.
    #[must_use]
    pub fn moved(self, east: i32, north: i32) -> Self {
        let mask = (1u32 << self.steps) - 1;
        let step = |index: u32, by: i32| if by == 0 { index } else { index.wrapping_add_signed(by) & mask };
        let x = step(gather(self.bits >> 1), east);
        let y = step(gather(self.bits), north);
        Self { bits: spread(x) << 1 | spread(y), steps: self.steps }
    }

    /// The scores of the places within, the end not being one of them.
    #[must_use]
    pub fn scores(self) -> std::ops::Range<f64> {
        let shift = 52 - 2 * self.steps.min(STEPS);
        #[expect(clippy::cast_precision_loss, reason = "52 bits")]
        let score = |bits: u64| (bits << shift) as f64;
        score(self.bits)..score(self.bits + 1)
    }
}

/// The bits of a score. Of one that is no place, those that Redis on x86 makes of it.
fn bits_of(score: f64) -> u64 {
    const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is too large is looked for"
    )]
    match score {
        score if score >= TOO_LARGE => 0,
        score if score < 0.0 => (score as i64).cast_unsigned(),
        score => score as u64,
    }
}

/// Every bit moved to twice its place.
fn spread(bits: u32) -> u64 {
    let mut wide = u64::from(bits);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        wide = (wide | wide << shift) & mask;
    }
    wide
}

/// Every second bit, the lowest first: undoes [`spread`].
fn gather(bits: u64) -> u32 {
    let mut wide = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        wide = (wide | wide >> shift) & mask;
    }
    u32::try_from(wide).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PALERMO: Point = Point { longitude: 13.361_389, latitude: 38.115_556 };
    const CATANIA: Point = Point { longitude: 15.087_269, latitude: 37.502_669 };

    #[test]
    fn known_places_have_known_numbers() {
        assert_eq!(PALERMO.score(), 3_479_099_956_230_698.0);
        assert_eq!(CATANIA.score(), 3_479_447_370_796_909.0);
        assert_eq!(&Point::of_score(PALERMO.score()).letters(), b"sqc8b49rny0");
        let distance = Point::of_score(PALERMO.score()).distance(Point::of_score(CATANIA.score()));
        assert!((distance - 166_274.151_6).abs() < 0.001, "{distance}");
    }

    proptest::proptest! {
        #[test]
        fn a_place_is_found_again_within_a_metre(longitude in -180.0..180.0, latitude in -85.05..85.05) {
            let point = Point { longitude, latitude };
            proptest::prop_assert!(Point::of_score(point.score()).distance(point) < 1.0);
        }

        #[test]
        fn a_place_is_within_its_cell_whatever_its_size(
            longitude in -180.0..180.0, latitude in -85.05..85.05, steps in 1u32..27,
        ) {
            let point = Point { longitude, latitude };
            let cell = Cell::of(point, steps, LATITUDE);
            let area = cell.area();
            proptest::prop_assert!((area.west..=area.east).contains(&longitude));
            proptest::prop_assert!((area.south..=area.north).contains(&latitude));
            proptest::prop_assert!(cell.scores().contains(&point.score()));
            proptest::prop_assert_eq!(cell.moved(1, -1).moved(-1, 1), cell);
        }

        #[test]
        fn bits_are_spread_and_gathered(bits in proptest::num::u32::ANY) {
            proptest::prop_assert_eq!(gather(spread(bits)), bits);
        }
    }
}
