//! What a key holds. The types live with the data, because the table stores them; commands name them from here.

pub use crate::data::value::{NewValue, Ttl, ValueRef};
