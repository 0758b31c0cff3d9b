//! Style as a test: what a reviewer would have to say twice is said here once, with what to do instead.
//!
//! Files: [`source`] (the files of this project, split into code and comment), [`imports`] (rooms import downwards, the
//! core stays pure), [`words`] (what may not stand in a file), [`files`] (names and lengths), [`docs`] (what the
//! documents promise exists).
//!
//! Every law has a sample that breaks it beside it, so that a law that has stopped seeing anything fails too.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

mod docs;
mod files;
mod imports;
mod source;
mod words;

/// Fails with every problem at once.
fn none(law: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{law}:\n  {}\n", problems.join("\n  "));
}
