//! Places on a sorted set: a member's score is the cell of a grid that it lies in.
//!
//! Reading order: [`places`] (adding and asking), [`request`] (what a search is asked for), [`search`] (finding, showing, storing).

pub mod places;
pub mod request;
pub mod search;

use crate::command::error::{self, Failure};
use crate::data::geohash::Point;
use crate::resp::double;

/// Reads a longitude and a latitude.
///
/// # Errors
/// One is no number, or the place is not on the map.
fn read_point(longitude: &[u8], latitude: &[u8]) -> Result<Point, Failure> {
    let number = |text| double::parse(text).ok_or(error::NOT_A_FLOAT);
    let point = Point { longitude: number(longitude)?, latitude: number(latitude)? };
    if !point.is_valid() {
        let Point { longitude, latitude } = point;
        return Err(Failure::worded(format!(
            "ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}"
        )));
    }
    Ok(point)
}

/// Metres of a unit.
///
/// # Errors
/// There is no such unit.
fn read_unit(word: &[u8]) -> Result<f64, Failure> {
    let units: [(&[u8], f64); 4] = [(b"m", 1.0), (b"km", 1000.0), (b"ft", 0.3048), (b"mi", 1609.34)];
    units
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, metres)| *metres)
        .ok_or(Failure::fixed("ERR unsupported unit provided. please use M, KM, FT, MI"))
}

/// A distance as it is printed: four decimals.
fn distance_text(distance: f64) -> String {
    format!("{:.4}", (distance * 10_000.0).round_ties_even() / 10_000.0)
}
