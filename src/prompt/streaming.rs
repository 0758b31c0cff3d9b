//! Commands whose answer never ends: MONITOR, the SUBSCRIBE family, SYNC and PSYNC.
//!
//! Each prints what comes until the server goes away or the person presses Ctrl-C, which ends the process.

use rctl_server::resp::Value;

use super::format::Form;
use super::link::Broken;
use super::session::{Ended, Sent, Session, no_connection};

/// Bytes of the end mark of a snapshot of unknown length.
const MARK_LEN: usize = 40;

impl Session<'_> {
    /// Every command the server runs, as it runs.
    pub(super) fn monitor(&mut self) -> Result<Sent, Ended> {
        loop {
            let reply = match self.receive(false) {
                Ok(reply) => reply,
                Err(broken) => return self.over(&broken),
            };
            self.show(&reply, false)?;
            if matches!(reply, Value::Error(_)) {
                return Ok(Sent::Answered);
            }
        }
    }

    /// Messages of channels.
    pub(super) fn messages(&mut self) -> Result<Sent, Ended> {
        if self.form != Form::Raw {
            self.print(b"Reading messages... (press Ctrl-C to quit)\n")?;
        }
        loop {
            let reply = match self.receive(true) {
                Ok(reply) => reply,
                Err(broken) => return self.over(&broken),
            };
            self.show(&reply, false)?;
            if matches!(reply, Value::Error(_)) {
                return Ok(Sent::Answered);
            }
        }
    }

    /// What a replica hears: the snapshot is counted and dropped, then each command of the stream is printed.
    pub(super) fn follow(&mut self) -> Result<Sent, Ended> {
        self.print(b"Entering replica output mode...  (press Ctrl-C to quit)\n")?;
        let form = std::mem::replace(&mut self.form, Form::Csv);
        let outcome = self.skip_snapshot();
        let outcome = match outcome {
            Ok(()) => self.print_stream(),
            Err(Stopped::Broken(broken)) => Err(Stopped::Broken(broken)),
            Err(ended) => Err(ended),
        };
        self.form = form;
        match outcome {
            Ok(()) => Ok(Sent::Answered),
            Err(Stopped::Broken(broken)) => self.lost(&broken),
            Err(Stopped::Ended(ended)) => Err(ended),
        }
    }

    fn skip_snapshot(&mut self) -> Result<(), Stopped> {
        let mut line = self.line()?;
        if line.starts_with(b"+FULLRESYNC") {
            line = self.line()?;
        }
        if line.starts_with(b"+CONTINUE") {
            return Ok(self.complain("SYNC done. Logging commands from master.")?);
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        if let Some(mark) = text.strip_prefix("$EOF:") {
            self.complain("SYNC with master, discarding bytes of bulk transfer until EOF marker...")?;
            let len = self.skip_to_mark(mark.as_bytes())?;
            self.complain(&format!("SYNC done after {len} bytes. Logging commands from master."))?;
        } else if let Some(len) = text.strip_prefix('$').and_then(|len| len.parse::<u64>().ok()) {
            self.complain(&format!("SYNC with master, discarding {len} bytes of bulk transfer..."))?;
            self.skip(len)?;
            self.complain("SYNC done. Logging commands from master.")?;
        } else {
            self.complain(&format!("Error: {}", text.strip_prefix('-').unwrap_or(&text)))?;
            return Err(Stopped::Ended(Ended(1)));
        }
        Ok(())
    }

    fn print_stream(&mut self) -> Result<(), Stopped> {
        loop {
            let command = self.receive(false)?;
            self.show(&command, false)?;
        }
    }

    fn line(&mut self) -> Result<Vec<u8>, Stopped> {
        Ok(self.link.as_mut().ok_or_else(no_connection)?.receive_line()?)
    }

    fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, Stopped> {
        Ok(self.link.as_mut().ok_or_else(no_connection)?.receive_bytes(limit)?)
    }

    fn skip(&mut self, mut len: u64) -> Result<(), Stopped> {
        while len > 0 {
            let got = self.bytes(usize::try_from(len).unwrap_or(usize::MAX))?;
            len = len.saturating_sub(got.len() as u64);
        }
        Ok(())
    }

    /// Drops everything up to and with the mark; the number of bytes before it.
    fn skip_to_mark(&mut self, mark: &[u8]) -> Result<u64, Stopped> {
        if mark.len() != MARK_LEN {
            self.complain("Error: the end mark of the snapshot is not 40 bytes long")?;
            return Err(Stopped::Ended(Ended(1)));
        }
        let (mut window, mut dropped) = (Vec::new(), 0u64);
        loop {
            window.extend(self.bytes(64 << 10)?);
            if let Some(at) = window.windows(MARK_LEN).position(|candidate| candidate == mark) {
                let rest = window.split_off(at + MARK_LEN);
                self.link.as_mut().ok_or_else(no_connection)?.put_back(&rest);
                return Ok(dropped + at as u64);
            }
            // The mark may lie across two reads: its length less one stays.
            let surplus = window.len().saturating_sub(MARK_LEN - 1);
            window.drain(..surplus);
            dropped += surplus as u64;
        }
    }

    /// A stream of answers broke off: there is no prompt to come back to.
    fn over(&mut self, broken: &Broken) -> Result<Sent, Ended> {
        self.lost(broken).and(Err(Ended(1)))
    }
}

enum Stopped {
    Broken(Broken),
    Ended(Ended),
}

impl From<Broken> for Stopped {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Ended> for Stopped {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}
