//! `--stat`: a line of figures per interval, until Ctrl-C.

#![expect(clippy::disallowed_methods, reason = "the one thread serves one person, who asked for the pause")]

use std::time::Duration;

use rctl_server::resp::Value;

use super::session::{Ended, Session};

/// Lines between two headings.
const PAGE: u64 = 20;

const HEADING: &str = "------- data ------ --------------------- load -------------------- - child -\n\
                       keys       mem      clients blocked requests            connections          \n";

impl Session<'_> {
    /// Prints figures for ever.
    ///
    /// # Errors
    /// There is no connection, the server refuses INFO, or nobody reads.
    pub fn gauge(&mut self, interval: Duration) -> Result<(), Ended> {
        let interval = if interval.is_zero() { Duration::from_secs(1) } else { interval };
        if self.link.is_none() && !self.connect(false)? {
            return Err(Ended(1));
        }
        let mut before = None;
        for line in 0u64.. {
            let reply = match self.link.as_mut().map(|link| link.call(&["INFO"])) {
                Some(Ok(reply)) => reply,
                Some(Err(_)) | None => {
                    // The server is away: figures go on when it is back.
                    if !self.connect(true)? {
                        std::thread::sleep(interval);
                    }
                    continue;
                }
            };
            let info = match reply {
                Value::Error(text) => {
                    self.complain(&format!("ERROR: {text}"))?;
                    return Err(Ended(1));
                }
                reply => reply.to_text().unwrap_or_default(),
            };
            if line % PAGE == 0 {
                self.print(HEADING.as_bytes())?;
            }
            let requests = field(&info, "total_commands_processed:");
            self.print(row(&info, requests - before.unwrap_or(requests)).as_bytes())?;
            before = Some(requests);
            std::thread::sleep(interval);
        }
        Ok(())
    }
}

fn row(info: &str, more_requests: i64) -> String {
    let keys: i64 = info
        .lines()
        .filter(|line| line.starts_with("db"))
        .filter_map(|line| line.split_once(":keys="))
        .map(|(_, rest)| leading(rest))
        .sum();
    let requests = format!("{} (+{more_requests})", field(info, "total_commands_processed:"));
    let child = match (field(info, "bgsave_in_progress:"), field(info, "aof_rewrite_in_progress:")) {
        (0, 0) => "",
        (_, 0) => "SAVE",
        (0, _) => "AOF",
        _ => "SAVE+AOF",
    };
    format!(
        "{keys:<11}{:<9}{:<8}{:<8}{requests:<20}{:<12}{child}\n",
        size(field(info, "used_memory:")),
        field(info, "connected_clients:"),
        field(info, "blocked_clients:"),
        field(info, "total_connections_received:"),
    )
}

fn field(info: &str, name: &str) -> i64 {
    info.lines().find_map(|line| line.strip_prefix(name)).map_or(0, leading)
}

fn leading(text: &str) -> i64 {
    super::options::leading_integer(text)
}

#[expect(clippy::cast_precision_loss, reason = "two decimals of a size are shown")]
fn size(bytes: i64) -> String {
    let n = bytes as f64;
    match bytes {
        i64::MIN..1024 => format!("{bytes}B"),
        1024..1_048_576 => format!("{:.2}K", n / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.2}M", n / 1_048_576.0),
        _ => format!("{:.2}G", n / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_under_its_heading() {
        let info = "connected_clients:1\r\nblocked_clients:0\r\nused_memory:1384120\r\ntotal_connections_received:75\r\n\
                    total_commands_processed:136\r\ndb0:keys=1,expires=0\r\ndb3:keys=1,expires=0\r\n";
        let row = row(info, 0);
        assert_eq!(row, "2          1.32M    1       0       136 (+0)            75          \n");
    }
}
