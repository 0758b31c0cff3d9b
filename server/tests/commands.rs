//! Command transcripts against a node in this process, with a fake clock.
//!
//! `tests/commands/*.txt` holds one file per family of commands. A sketch that shows everything:
//!
//! ```text
//! # Prose tells the story; it is never read by the driver.
//! == a deadline given in seconds is propagated as an absolute one
//! SET a 1 EX 10
//!     OK
//!     -> SET a 1 PXAT 2000000010000
//! advance 10s
//! GET a
//!     (nil)
//!     -> UNLINK a
//! ```
//!
//! - `== title` opens a section on a fresh, empty server. The title is the law the section defends.
//! - A line in the first column is a request, typed as in redis-cli (`"a\x00b"`, `'a b'`), or one of the words below.
//! - Lines indented by four spaces are what came back, in redis-cli's notation: `OK`, `"text"`, `(integer) 1`, `(nil)`,
//!   `(error) ERR …`, `1) "a"`. A client that gets no answer yet shows `(no reply)`; `(closed)` says that the
//!   server closed the connection.
//! - `…` in an expected line stands for any text, and alone on a line for any lines: for ids, times, addresses.
//! - `-> SET a 1` is an effect: what replicas are sent because of the step, in order. A section shows all its effects
//!   or none: one `->` line in it, or the word `effects`, turns them on. `-> [3] DEL a` acts on database 3; SELECT
//!   and PING are not shown.
//! - `KEYS * | sort` sorts the elements of a reply; `INFO replication | fields role connected_slaves` shows some
//!   `name:value` lines of a text (or `name=value` words of CLIENT LIST).
//! - The clock stands still at 2000000000000 ms until `advance 10s` (`500ms`, `2m`, `1h`, `1d`) moves it.
//! - `server requirepass secret`, at the start of a section, starts the server with this directive.
//! - `client b` continues as another client, connected at its first request; the first is `a`. What others hear
//!   meanwhile is shown as `b: OK`. `close` hangs up.
//! - `resp3` and `resp2` switch the current client's protocol.
//! - `raw "*1\r\n$4\r\nPING\r\n"` sends bytes as they are; all replies to them are shown.
//! - `ours` says that a real redis-server is not asked from here to the end of the section.
//!
//! `UPDATE=1 cargo test -p rctl-server --test commands` rewrites the expected output (read the difference before
//! committing it); `ONLY=strings` runs the files whose name contains the word.

#[expect(
    dead_code,
    clippy::panic,
    reason = "each driver uses its part of the rig; a test fails by panicking"
)]
mod rig;

use rig::{local::Local, session::Session, transcript};

#[test]
fn commands_answer_and_propagate_as_their_transcripts_say() {
    transcript::run_all("commands", &mut |_, section| {
        let mut rig = Local::new();
        Session::new(&mut rig, true).play(section);
    });
}
