//! MONITOR: every request, shown to those who asked for it.

use crate::command::Failure;
use crate::data::Now;
use crate::resp::Args;

use super::session::Session;
use super::{Node, Sink};

impl Node {
    pub(super) fn monitor(&mut self, session: &mut Session) -> Result<(), Failure> {
        if !std::mem::replace(&mut session.monitor, true) {
            self.monitors.push(session.conn);
        }
        session.reply.ok();
        Ok(())
    }

    /// Shows a command to everybody who monitors. Passwords are not shown: their commands carry a flag.
    pub(super) fn show_monitors(&mut self, session: &Session, args: Args<'_>, now: Now, sink: &mut dyn Sink) {
        let mut line = format!(
            "+{}.{:06} [{} {}]",
            now.wall_ms / 1000,
            now.wall_ms % 1000 * 1000,
            session.db,
            if matches!(session.kind, super::session::Kind::Upstream) {
                "master"
            } else {
                &session.peer.addr
            }
        );
        for arg in args.iter_from(0) {
            line.push_str(" \"");
            for &byte in arg {
                match byte {
                    b'"' | b'\\' => line.extend(['\\', byte as char]),
                    b'\n' => line.push_str("\\n"),
                    b'\r' => line.push_str("\\r"),
                    b'\t' => line.push_str("\\t"),
                    7 => line.push_str("\\a"),
                    8 => line.push_str("\\b"),
                    b' '..=b'~' => line.push(byte as char),
                    _ => line.push_str(&format!("\\x{byte:02x}")),
                }
            }
            line.push('"');
        }
        line.push_str("\r\n");
        for index in 0..self.monitors.len() {
            if let Some(&conn) = self.monitors.get(index)
                && let Some(monitor) = self.sessions.get_mut(conn)
            {
                monitor.reply.raw(line.as_bytes());
                self.offer(conn, now, sink);
                self.limit_output(conn, sink);
            }
        }
    }
}
