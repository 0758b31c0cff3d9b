//! The main table.
/// To be written.
#[derive(Debug)]
pub struct Table;
