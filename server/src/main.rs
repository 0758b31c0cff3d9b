//! The built-in node alone, with redis-server's command line.
fn main() {}
