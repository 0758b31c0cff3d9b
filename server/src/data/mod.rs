//! Data: plain types with their own algebra. No RESP, no key names, no wording of errors, no clock.
//!
//! Files in reading order: small values first, then what collections are made of (`packed`, `listpack`, `intset`, `tree`, `hashed`), the
//! collections, and the main table that holds everything.

pub mod bits;
pub mod clock;
pub mod decimal;
pub mod geohash;
pub mod geo_shape;
pub mod glob;
pub mod hyperloglog;
pub mod lcs;
pub mod limits;
pub mod rng;
pub mod usage;
pub mod packed;
pub mod listpack;
pub mod intset;
pub mod tree;
pub mod hashed;
pub mod list;
pub mod set;
pub mod hash;
pub mod zset;
pub mod stream;
pub mod collection;
pub mod value;
pub mod table;

pub use clock::Now;
pub use collection::{Collection, Kind};
pub use intset::IntSet;
pub use limits::Limits;
pub use listpack::Listpack;
pub use rng::Rng;
pub use usage::Usage;
