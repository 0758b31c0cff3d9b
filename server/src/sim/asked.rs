//! What one process asked of its machine and did not get yet.

use std::collections::BTreeSet;
use std::fmt;

use crate::node::{ConnId, Level, Sink, Vitals, Voice};

/// What a node asked of the world.
#[derive(Debug, Default)]
pub struct Asked {
    pub(super) output: Vec<ConnId>,
    pub(super) closing: Vec<(ConnId, bool)>,
    pub(super) deaf: BTreeSet<ConnId>,
    /// Files for people, by name, that were not taken yet.
    pub kept: Vec<(String, Vec<u8>)>,
    /// How many connections may let small output wait.
    pub coalesced: usize,
    pub(super) dials: Vec<(u64, u16)>,
    pub(super) save: Option<bool>,
    pub(super) abandoned: bool,
    pub(super) exit: Option<i32>,
    pub(super) quiet: bool,
    pub(super) stalled_us: u64,
    /// Log lines that were not taken yet, `M* text`.
    pub log: Vec<String>,
    /// The configuration file as last written.
    pub config_text: Option<String>,
}

impl Sink for Asked {
    fn output_ready(&mut self, conn: ConnId) {
        self.output.push(conn);
    }

    fn close(&mut self, conn: ConnId, after_output: bool) {
        self.closing.push((conn, after_output));
    }

    fn reading(&mut self, conn: ConnId, on: bool) {
        if on {
            self.deaf.remove(&conn);
        } else {
            self.deaf.insert(conn);
        }
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.kept.push((name.to_owned(), bytes.to_vec()));
        Ok(())
    }

    fn coalesce(&mut self, _conn: ConnId) {
        self.coalesced += 1;
    }

    fn dial(&mut self, ticket: u64, _host: &str, port: u16) {
        self.dials.push((ticket, port));
    }

    fn log(&mut self, level: Level, voice: Voice, text: fmt::Arguments<'_>) {
        let voice = if voice == Voice::Master { 'M' } else { 'S' };
        let sign = match level {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning => '#',
        };
        self.log.push(format!("{voice} {sign} {text}"));
    }

    fn logs(&self, level: Level) -> bool {
        !self.quiet && level >= Level::Notice
    }

    fn save(&mut self, urgent: bool) {
        self.save = Some(urgent);
    }

    fn save_abandoned(&mut self) {
        self.save = None;
        self.abandoned = true;
    }

    fn write_config(&mut self, text: &str) -> Result<(), String> {
        self.config_text = Some(text.to_owned());
        Ok(())
    }

    fn configure(&mut self, _name: &str, _value: &str) -> Result<(), String> {
        Ok(())
    }

    /// Only sleeping on purpose takes time here.
    fn clock_ns(&mut self) -> u64 {
        self.stalled_us.saturating_mul(1000)
    }

    fn stall(&mut self, micros: u64) {
        self.stalled_us = self.stalled_us.saturating_add(micros);
    }

    fn vitals(&mut self) -> Vitals {
        Vitals {
            rss: 8 << 20,
            rss_peak: 8 << 20,
            allocated: 1 << 20,
            system_memory: 8 << 30,
            ..Vitals::default()
        }
    }

    fn exit(&mut self, code: i32) {
        self.exit = Some(code);
    }
}
