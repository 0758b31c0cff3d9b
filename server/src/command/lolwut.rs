//! LOLWUT: a drawing, and the version at its end, which is what those who ask read.
//!
//! A master's stream and how far each replica is behind it. The version asked for is the number of replicas.

use std::fmt::Write as _;

use super::args::{integer, is};
use super::context::Context;
use super::error::Failure;
use crate::data::Rng;
use crate::persist::format::REDIS_VERSION;
use crate::resp::Args;

/// Columns of the stream.
const WIDTH: u64 = 48;
/// The most replicas that are drawn.
const MOST: i64 = 9;
/// The most columns that a replica is behind.
const BEHIND: u64 = 20;

/// `LOLWUT [VERSION version]`: what follows is for drawings that are not here.
pub fn lolwut(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let asked = if args.len() > 2 && is(args.get(1), "VERSION") { integer(args.get(2))? } else { 2 };
    let mut text = drawing(asked.clamp(1, MOST), ctx.rng);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\nRedis ver. {REDIS_VERSION}");
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// The stream grows to the right; a dot is a byte that is still on its way.
fn drawing(replicas: i64, rng: &mut Rng) -> String {
    const WRITES: [char; 4] = ['-', '=', '~', '+'];
    let stream: Vec<char> = (0..WIDTH)
        .map(|_| usize::try_from(rng.below(4)).ok().and_then(|at| WRITES.get(at)).copied().unwrap_or('-'))
        .collect();
    let mut text = String::from("master   |");
    text.extend(&stream);
    text.push_str(">\n");
    for _ in 0..replicas {
        let behind = usize::try_from(rng.below(BEHIND)).unwrap_or(0);
        let there = stream.len().saturating_sub(behind);
        text.push_str("replica  |");
        text.extend(stream.iter().take(there));
        text.push('>');
        text.extend(std::iter::repeat_n('.', behind));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_replica_shows_a_part_of_the_masters_stream() {
        let text = drawing(3, &mut Rng::new(1));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        let stream = lines[0].trim_start_matches("master   |").trim_end_matches('>');
        for line in &lines[1..] {
            let (there, behind) = line.trim_start_matches("replica  |").split_once('>').unwrap();
            assert!(stream.starts_with(there), "{text}");
            assert_eq!(there.len() + behind.len(), stream.len(), "{text}");
        }
    }
}
