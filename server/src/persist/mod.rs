//! Room persist.
