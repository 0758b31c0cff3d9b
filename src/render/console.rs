//! The two ways out: the answer (stdout) and the talk (stderr). `main` hands in the real ones, tests a buffer.
//!
//! A closed pipe is success: whoever read us has had enough. It is reported as an [`Error`] with
//! [`Exit::Done`], which ends the verb quietly.

use std::cell::RefCell;
use std::io::{self, Write};

use crate::error::{Error, Exit, Result};

/// Where a verb writes.
pub struct Console {
    answer: RefCell<Box<dyn Write>>,
    talk: RefCell<Box<dyn Write>>,
    quiet: bool,
}

impl Console {
    /// A console over two writers; `quiet` silences the talk, never the answer nor errors.
    pub fn new(answer: Box<dyn Write>, talk: Box<dyn Write>, quiet: bool) -> Self {
        Self { answer: RefCell::new(answer), talk: RefCell::new(talk), quiet }
    }

    /// Writes a part of the answer, as it stands, and flushes it.
    pub fn answer(&self, text: &str) -> Result<()> {
        written(put(&mut **self.answer.borrow_mut(), text.as_bytes()))
    }

    /// Writes bytes of the answer, as they stand, and flushes them.
    pub fn answer_bytes(&self, bytes: &[u8]) -> Result<()> {
        written(put(&mut **self.answer.borrow_mut(), bytes))
    }

    /// Writes one line of progress, warning or hint. A closed stderr is nobody's loss.
    pub fn talk(&self, line: &str) {
        if !self.quiet {
            self.error(line);
        }
    }

    /// Writes one line to stderr whether quiet or not.
    pub fn error(&self, line: &str) {
        let mut talk = self.talk.borrow_mut();
        let _ = put(&mut **talk, line.as_bytes()).and_then(|()| put(&mut **talk, b"\n"));
    }

    /// Was the talk silenced.
    pub fn quiet(&self) -> bool {
        self.quiet
    }
}

/// Columns of the terminal behind stdout, where there is one.
pub fn terminal_width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

fn put(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}

fn written(result: io::Result<()>) -> Result<()> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Error::new(Exit::Done, "")),
        Err(error) => Err(Error::new(Exit::Environment, format!("cannot write the answer: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_success() {
        let console = Console::new(Box::new(Closed), Box::new(Closed), false);
        assert_eq!(console.answer("x").unwrap_err().exit, Exit::Done);
        console.talk("nobody hears this");
    }
}
