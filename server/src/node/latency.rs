//! LATENCY: what took longer than `latency-monitor-threshold`, and how the times of commands are spread.

use std::collections::{BTreeMap, VecDeque};

use crate::command::{Failure, error};
use crate::resp::Args;

use super::Node;
use super::session::Session;

/// Samples of one event that are kept.
const SAMPLES: usize = 160;

/// One event's samples, the latest last: a second, and the longest time in it, in milliseconds.
#[derive(Debug, Default)]
struct Series {
    samples: VecDeque<(u64, u64)>,
    longest_ms: u64,
}

/// The events that were too long.
#[derive(Debug, Default)]
pub(super) struct Latency {
    events: BTreeMap<&'static str, Series>,
}

impl Latency {
    /// An event of that second took so many milliseconds. A second has one sample: the longest.
    #[cold]
    pub(super) fn add(&mut self, event: &'static str, at_s: u64, took_ms: u64) {
        let series = self.events.entry(event).or_default();
        series.longest_ms = series.longest_ms.max(took_ms);
        match series.samples.back_mut() {
            Some((second, longest)) if *second == at_s => *longest = took_ms.max(*longest),
            _ => series.samples.push_back((at_s, took_ms)),
        }
        if series.samples.len() > SAMPLES {
            series.samples.pop_front();
        }
    }
}

impl Node {
    /// `LATENCY LATEST`, `HISTORY event`, `RESET [event …]`, `HISTOGRAM [command …]`
    pub(super) fn latency(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let events = &mut self.latency.events;
        let reply = &mut session.reply;
        match args.get(1).to_ascii_lowercase().as_slice() {
            b"latest" => {
                reply.array(events.len());
                for (event, series) in events {
                    let (at_s, took_ms) = series.samples.back().copied().unwrap_or_default();
                    reply.array(4);
                    reply.bulk(event.as_bytes());
                    for figure in [at_s, took_ms, series.longest_ms] {
                        reply.int(number(figure));
                    }
                }
            }
            b"history" => {
                let series = str::from_utf8(args.get(2)).ok().and_then(|event| events.get(event));
                let samples = series.map_or(&VecDeque::new(), |series| &series.samples).clone();
                reply.array(samples.len());
                for (at_s, took_ms) in samples {
                    reply.array(2);
                    reply.int(number(at_s));
                    reply.int(number(took_ms));
                }
            }
            b"reset" => {
                let before = events.len();
                let named = |event: &str| args.iter_from(2).any(|name| name == event.as_bytes());
                events.retain(|event, _| args.len() > 2 && !named(event));
                reply.int(number((before - events.len()) as u64));
            }
            b"histogram" => self.latency_histogram(session, args),
            _ => return Err(error::SYNTAX),
        }
        Ok(())
    }

    fn latency_histogram(&self, session: &mut Session, args: Args<'_>) {
        let asked = |name: &str| {
            let container = name.split('|').next().unwrap_or_default();
            let is = |asked: &[u8], name: &str| asked.eq_ignore_ascii_case(name.as_bytes());
            args.len() == 2 || args.iter_from(2).any(|word| is(word, name) || is(word, container))
        };
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let spreads: Vec<_> = self.stats.calls.spreads().filter(|(name, _)| asked(name)).collect();
        let reply = &mut session.reply;
        reply.map(spreads.len());
        for (name, spread) in spreads {
            reply.bulk(name.as_bytes());
            reply.map(2);
            reply.bulk(b"calls");
            reply.int(number(spread.total()));
            reply.bulk(b"histogram_usec");
            let steps = spread.steps();
            reply.map(steps.len());
            for (upper_us, calls) in steps {
                reply.int(number(upper_us));
                reply.int(number(calls));
            }
        }
    }
}
