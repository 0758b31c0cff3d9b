//! rctl
fn main() {}
