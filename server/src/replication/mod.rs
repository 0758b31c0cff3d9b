//! One history, many readers.
