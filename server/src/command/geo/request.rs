//! What a search for places is asked for: one reader for six commands whose options overlap.

use std::borrow::Cow;

use super::{read_point, read_unit};
use crate::command::args::{Options, integer, is};
use crate::command::error::{self, Failure};
use crate::data::geo_shape::{Extent, Shape};
use crate::data::geohash::Point;
use crate::data::zset::Zset;
use crate::resp::{Args, double};

const NO_PLACE: Failure = Failure::fixed("ERR could not decode requested zset member");

/// What the name of a command decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// GEORADIUS, which may store unless it is the reading form.
    Radius {
        /// It may.
        stores: bool,
    },
    /// GEORADIUSBYMEMBER, likewise.
    RadiusByMember {
        /// It may.
        stores: bool,
    },
    /// GEOSEARCH
    Search,
    /// GEOSEARCHSTORE
    SearchStore,
}

impl Form {
    /// The position of the key that is searched.
    #[must_use]
    pub fn source(self) -> usize {
        if self == Self::SearchStore { 2 } else { 1 }
    }

    fn is_search(self) -> bool {
        matches!(self, Self::Search | Self::SearchStore)
    }

    fn may_store(self) -> bool {
        matches!(self, Self::Radius { stores: true } | Self::RadiusByMember { stores: true })
    }
}

/// In which order places are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they are found.
    None,
    /// The nearest first.
    Ascending,
    /// The farthest first.
    Descending,
}

/// A search.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Where; only for a key that is there.
    pub shape: Option<Shape>,
    /// Metres of the unit that distances are given in.
    pub unit: f64,
    /// `WITHDIST`
    pub distances: bool,
    /// `WITHHASH`
    pub hashes: bool,
    /// `WITHCOORD`
    pub coordinates: bool,
    /// `ASC`, `DESC`, or what COUNT makes of neither.
    pub order: Order,
    /// How many at most; 0 for all.
    pub count: usize,
    /// `ANY`: the first that are found will do.
    pub any: bool,
    /// The key to store in.
    pub store: Option<&'a [u8]>,
    /// Distances are stored, not places.
    pub store_distances: bool,
}

/// What is known while options are read.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    center: Option<Point>,
    extent: Option<Extent>,
    from_member: bool,
    from_place: bool,
    by_radius: bool,
    by_box: bool,
}

impl<'a> Request<'a> {
    /// Reads a request. `zset` is what the searched key holds: some members are looked up at once, and some errors are not looked
    /// for when there is no such key, as Redis does.
    ///
    /// # Errors
    /// What Redis says to it.
    pub fn read(args: Args<'a>, form: Form, zset: Option<&Zset>) -> Result<Self, Failure> {
        let mut request = Self {
            shape: None,
            unit: 1.0,
            distances: false,
            hashes: false,
            coordinates: false,
            order: Order::None,
            count: 0,
            any: false,
            store: (form == Form::SearchStore).then(|| args.get(1)),
            store_distances: false,
        };
        let mut seen = Seen::default();
        let first = request.read_fixed(args, form, zset, &mut seen)?;
        let mut options = Options::from(args, first);
        while let Some(word) = options.next() {
            let known = request.read_shown(word, &mut options)?
                || request.read_stored(word, form, &mut options)?
                || form.is_search() && request.read_shape(word, zset, &mut seen, &mut options)?;
            if !known {
                return Err(error::SYNTAX);
            }
        }
        request.check(args, form, seen)?;
        request.shape = seen
            .center
            .zip(seen.extent)
            .map(|(center, extent)| Shape { center, extent })
            .filter(|_| zset.is_some());
        if request.count > 0 && request.order == Order::None && !request.any {
            request.order = Order::Ascending;
        }
        Ok(request)
    }

    /// The arguments before the options; gives the position of the first option.
    fn read_fixed(
        &mut self,
        args: Args<'a>,
        form: Form,
        zset: Option<&Zset>,
        seen: &mut Seen,
    ) -> Result<usize, Failure> {
        let first = match (form, zset) {
            (Form::Radius { .. }, _) => {
                seen.center = Some(read_point(args.get(2), args.get(3))?);
                6
            }
            (Form::RadiusByMember { .. }, Some(zset)) => {
                seen.center = Some(place_of(zset, args.get(2))?);
                5
            }
            (Form::RadiusByMember { .. }, None) => return Ok(5),
            (Form::Search, _) => return Ok(2),
            (Form::SearchStore, _) => return Ok(3),
        };
        self.read_radius(args.get(first - 2), args.get(first - 1), seen)?;
        Ok(first)
    }

    /// Options on what is shown.
    fn read_shown(&mut self, word: &[u8], options: &mut Options<'a>) -> Result<bool, Failure> {
        match word {
            word if is(word, "WITHDIST") => self.distances = true,
            word if is(word, "WITHHASH") => self.hashes = true,
            word if is(word, "WITHCOORD") => self.coordinates = true,
            word if is(word, "ANY") => self.any = true,
            word if is(word, "ASC") => self.order = Order::Ascending,
            word if is(word, "DESC") => self.order = Order::Descending,
            word if is(word, "COUNT") => {
                let count = integer(options.value()?)?;
                let count = usize::try_from(count).ok().filter(|&count| count > 0);
                self.count = count.ok_or(Failure::fixed("ERR COUNT must be > 0"))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Options on where results are stored.
    fn read_stored(&mut self, word: &[u8], form: Form, options: &mut Options<'a>) -> Result<bool, Failure> {
        let distances = is(word, "STOREDIST");
        if form == Form::SearchStore && distances {
            self.store_distances = true;
        } else if form.may_store() && (distances || is(word, "STORE")) {
            self.store = Some(options.value()?);
            self.store_distances = distances;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Options on where to look.
    fn read_shape(
        &mut self,
        word: &[u8],
        zset: Option<&Zset>,
        seen: &mut Seen,
        options: &mut Options<'a>,
    ) -> Result<bool, Failure> {
        if is(word, "FROMMEMBER") && !seen.from_place {
            let member = options.value()?;
            if let Some(zset) = zset {
                seen.center = Some(place_of(zset, member)?);
            }
            seen.from_member = true;
        } else if is(word, "FROMLONLAT") && !seen.from_member {
            let (longitude, latitude) = (options.value()?, options.value()?);
            seen.center = Some(read_point(longitude, latitude)?);
            seen.from_place = true;
        } else if is(word, "BYRADIUS") && !seen.by_box {
            let (radius, unit) = (options.value()?, options.value()?);
            self.read_radius(radius, unit, seen)?;
            seen.by_radius = true;
        } else if is(word, "BYBOX") && !seen.by_radius {
            let (width, height, unit) = (options.value()?, options.value()?, options.value()?);
            let width = double::parse(width).ok_or(Failure::fixed("ERR need numeric width"))?;
            let height = double::parse(height).ok_or(Failure::fixed("ERR need numeric height"))?;
            if width < 0.0 || height < 0.0 {
                return Err(Failure::fixed("ERR height or width cannot be negative"));
            }
            self.unit = read_unit(unit)?;
            seen.extent = Some(Extent::Box { width: width * self.unit, height: height * self.unit });
            seen.by_box = true;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn read_radius(&mut self, radius: &[u8], unit: &[u8], seen: &mut Seen) -> Result<(), Failure> {
        let radius = double::parse(radius).ok_or(Failure::fixed("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(Failure::fixed("ERR radius cannot be negative"));
        }
        self.unit = read_unit(unit)?;
        seen.extent = Some(Extent::Radius(radius * self.unit));
        Ok(())
    }

    /// What only the whole request shows to be wrong.
    fn check(&self, args: Args<'_>, form: Form, seen: Seen) -> Result<(), Failure> {
        if self.store.is_some() && (self.distances || self.hashes || self.coordinates) {
            let what = if form.is_search() { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(Failure::worded(format!(
                "ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )));
        }
        let named = |text: &str| {
            // As it was typed.
            Failure(Cow::Owned([text.as_bytes(), args.get(0)].concat()))
        };
        if form.is_search() && !(seen.from_member || seen.from_place) {
            return Err(named("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for "));
        }
        if form.is_search() && !(seen.by_radius || seen.by_box) {
            return Err(named("ERR exactly one of BYRADIUS and BYBOX can be specified for "));
        }
        if self.any && self.count == 0 {
            return Err(Failure::fixed("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }
}

fn place_of(zset: &Zset, member: &[u8]) -> Result<Point, Failure> {
    zset.score(member).map(Point::of_score).ok_or(NO_PLACE)
}
