//! Being told to stop: Ctrl-C, SIGTERM, a terminal that closes.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Exit, Result};

/// Waits for the next interruption.
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupts {
    /// From now on these signals no longer end the process by themselves.
    ///
    /// # Errors
    /// The system refuses.
    pub fn watch() -> Result<Self> {
        let watch = |kind| {
            signal(kind)
                .map_err(|error| Error::new(Exit::Environment, format!("cannot watch for signals: {error}")))
        };
        Ok(Self {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
            hangup: watch(SignalKind::hangup())?,
        })
    }

    /// The next one. May be dropped and called again without loss.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
