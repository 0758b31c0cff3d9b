//! How long commands take: what the slow log, `INFO commandstats` and the latency figures know.
//!
//! The clock is the sink's, and a reading of it costs a tenth of what a small command does in a long pipeline. So a command's
//! end is the next one's beginning, and within a batch of requests, neighbours that are quick by their nature (O(1) or O(log N),
//! and a small request) are timed together: their time is shared out evenly. A request that came alone, any other command, and
//! everything while `slowlog-log-slower-than` is below a millisecond, is timed by itself.

use crate::command::spec::Flags;
use crate::command::{Command, Handler};
use crate::data::Now;
use crate::resp::Args;

use super::session::Session;
use super::{Node, Sink};

/// A request of more bytes than this may be slow, whatever it asks.
const SMALL_REQUEST: usize = 4 << 10;
/// Writing a reply of more bytes than this takes time of its own.
const SMALL_REPLY: usize = 16 << 10;
/// Below this threshold of the slow log, in microseconds, a quick command may belong into it.
const CLOSE_US: i64 = 1000;

/// Readings of the clock, and what is not measured yet.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    /// The last reading, nanoseconds.
    read_ns: u64,
    /// Nothing but requests took time since the last reading.
    running: bool,
    /// The request is the only one of its batch.
    alone: bool,
    /// The slow log wants everything timed by itself.
    closely: bool,
    /// Quick commands since the last reading, neighbours of one kind together.
    quick: Vec<(&'static Command, u32)>,
}

impl Stopwatch {
    /// `slowlog-log-slower-than`, in microseconds; negative is off.
    pub(super) fn set_threshold(&mut self, micros: i64) {
        self.closely = (0..CLOSE_US).contains(&micros);
    }

    #[inline]
    fn add_quick(&mut self, command: &'static Command) {
        match self.quick.last_mut() {
            Some((last, count)) if std::ptr::eq(*last, command) => *count += 1,
            _ => self.quick.push((command, 1)),
        }
    }
}

impl Node {
    /// A batch of so many requests begins.
    #[inline]
    pub(super) fn watch_start(&mut self, requests: usize, sink: &mut dyn Sink) {
        self.watch.read_ns = sink.clock_ns();
        self.watch.running = true;
        self.watch.alone = requests <= 1;
    }

    /// The batch ended.
    #[inline]
    pub(super) fn watch_stop(&mut self, sink: &mut dyn Sink) {
        self.share_out(sink);
        self.watch.running = false;
    }

    /// A command begins; gives when, in nanoseconds, or nothing where it is timed with its neighbours.
    #[inline]
    pub(super) fn watch_begin(
        &mut self,
        command: &Command,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Option<u64> {
        if !self.watch.running {
            self.watch.read_ns = sink.clock_ns();
        } else if !self.watch.alone
            && !self.watch.closely
            && self.collecting.is_none()
            && quick(command, args)
        {
            return None;
        } else {
            self.share_out(sink);
        }
        Some(self.watch.read_ns)
    }

    /// A command ended; `began` is what [`Node::watch_begin`] gave, `written` how many bytes it answered.
    #[inline]
    pub(super) fn watch_end(
        &mut self,
        session: &Session,
        (command, args): (&'static Command, Args<'_>),
        (began, written): (Option<u64>, usize),
        now: Now,
        sink: &mut dyn Sink,
    ) {
        let began = match began {
            Some(began) => began,
            None if written <= SMALL_REPLY => return self.watch.add_quick(command),
            // It was not small after all: next to it, its neighbours took no time.
            None => {
                self.watch.quick.clear();
                self.watch.read_ns
            }
        };
        self.watch.read_ns = sink.clock_ns();
        let took_ns = self.watch.read_ns.saturating_sub(began);
        self.stats.calls.took(command, took_ns, 1, self.config.latency_tracking);
        let limit_ms = self.config.latency_monitor_threshold;
        if limit_ms > 0 && took_ns / 1_000_000 >= limit_ms {
            let event = if command.flags.has(Flags::FAST) { "fast-command" } else { "command" };
            self.latency.add(event, now.wall_ms / 1000, took_ns / 1_000_000);
        }
        // A client that waits was not slow.
        if session.parked.is_none() && !command.flags.has(Flags::SKIP_SLOWLOG) {
            let limit = u64::try_from(self.config.slowlog_log_slower_than);
            if limit.is_ok_and(|limit| took_ns / 1000 >= limit) {
                self.slow_log.note(
                    session,
                    args,
                    (now.wall_ms / 1000, took_ns / 1000),
                    self.config.slowlog_max_len,
                );
            }
        }
    }

    /// Reads the clock, if quick commands wait for their share of the time.
    #[inline]
    fn share_out(&mut self, sink: &mut dyn Sink) {
        if self.watch.quick.is_empty() {
            return;
        }
        let read_ns = sink.clock_ns();
        let elapsed_ns = read_ns.saturating_sub(self.watch.read_ns);
        self.watch.read_ns = read_ns;
        let calls: u64 = self.watch.quick.iter().map(|(_, count)| u64::from(*count)).sum();
        let each_ns = elapsed_ns / calls.max(1);
        for (command, count) in self.watch.quick.drain(..) {
            self.stats.calls.took(command, each_ns, count, self.config.latency_tracking);
        }
    }
}

/// Whether a request takes little time by its nature. SET is, although Redis does not flag it so: what it replaces is
/// released elsewhere. XADD may trim, which it says before the id.
#[inline]
fn quick(command: &Command, args: Args<'_>) -> bool {
    let fast = command.flags.has(Flags::FAST) || command.name == "set";
    fast && args.raw().len() <= SMALL_REQUEST
        && matches!(command.handler, Handler::Data(_))
        && (command.name != "xadd" || args.get(2) == b"*")
}
