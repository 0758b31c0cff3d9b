//! Room data.
