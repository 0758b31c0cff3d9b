//! Data: plain types with their own algebra. No RESP, no key names, no wording of errors, no clock.

pub mod clock;
pub mod decimal;
pub mod glob;
pub mod lcs;
pub mod rng;
pub mod value;
pub mod table;
pub mod packed;
pub mod listpack;
pub mod intset;

pub use clock::Now;
pub use intset::IntSet;
pub use listpack::Listpack;
pub use rng::Rng;
