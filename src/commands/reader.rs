//! Whoever reads our stdout: a verb that follows something ends when nobody does any more, not at its next write.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::oneshot;

/// Waits for the reader's end.
pub(super) struct Reader(Option<oneshot::Receiver<()>>);

impl Reader {
    /// Begins to wait, on a thread of its own: it sleeps in the kernel until the pipe is closed, or for ever.
    pub(super) fn watch() -> Self {
        let (closed, is_closed) = oneshot::channel();
        let waiting = std::thread::Builder::new().name("reader".into()).spawn(move || {
            if leaves(&io::stdout()) {
                let _ = closed.send(());
            }
        });
        Self(waiting.ok().map(|_| is_closed))
    }

    /// Returns when nobody reads any more; never, where that cannot be known. May be dropped and called again.
    pub(super) async fn gone(&mut self) {
        if let Some(closed) = &mut self.0
            && closed.await.is_ok()
        {
            return;
        }
        self.0 = None;
        std::future::pending::<()>().await;
    }
}

/// Waits until the other end of a pipe or a terminal is closed. No event is asked for: those two come unasked.
fn leaves(fd: &impl AsFd) -> bool {
    loop {
        let mut fds = [PollFd::new(fd.as_fd(), PollFlags::empty())];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {
                let came = fds.first().and_then(PollFd::revents).unwrap_or(PollFlags::empty());
                return came.intersects(PollFlags::POLLERR | PollFlags::POLLHUP);
            }
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_leaves_is_noticed_without_a_write() {
        let (reader, writer) = io::pipe().unwrap();
        let waiting = std::thread::spawn(move || leaves(&writer));
        assert!(!waiting.is_finished());
        drop(reader);
        assert!(waiting.join().unwrap());
    }
}
