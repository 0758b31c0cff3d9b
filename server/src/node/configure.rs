//! CONFIG: read, change, write back. A change is real only after everybody who has to act on it did.

use crate::command::Failure;
use crate::command::effects::Events;
use crate::data::Limits;
use crate::data::glob;
use crate::resp::Args;

use super::config::Config;
use super::session::Session;
use super::{Level, Node, Sink};

impl Node {
    pub(super) fn config_get(&self, session: &mut Session, args: Args<'_>) {
        let patterns: Vec<&[u8]> = args.iter_from(2).collect();
        let found = self.config.get(&patterns, |pattern, name| glob::matches(pattern, name, true));
        session.reply.map(found.len());
        for (name, value) in found {
            session.reply.bulk(name.as_bytes());
            session.reply.bulk(value.as_bytes());
        }
    }

    pub(super) fn config_set(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        if !args.len().is_multiple_of(2) {
            return Err(Failure::fixed("ERR wrong number of arguments for 'config|set' command"));
        }
        let pairs: Vec<(&[u8], &[u8])> =
            (2..args.len()).step_by(2).map(|at| (args.get(at), args.get(at + 1))).collect();
        let before = self.config.clone();
        let changes = self.config.set(&pairs, session.peer.local).map_err(Failure::worded)?;
        for (index, change) in changes.iter().enumerate().filter(|(_, change)| change.shell) {
            if let Err(why) = sink.configure(change.name, &change.value) {
                for undone in changes.iter().take(index).filter(|change| change.shell) {
                    // What was taken back was good a moment ago.
                    let _ = sink.configure(undone.name, &undone.old);
                }
                self.config = before;
                return Err(Failure::worded(Config::refusal(change.name, &why)));
            }
        }
        self.refresh_settings();
        session.reply.ok();
        Ok(())
    }

    /// Makes what is derived from the configuration agree with it.
    pub(super) fn refresh_settings(&mut self) {
        self.settings.lazy_expire = self.config.lazyfree_lazy_expire;
        self.settings.lazy_user_del = self.config.lazyfree_lazy_user_del;
        self.settings.lazy_server_del = self.config.lazyfree_lazy_server_del;
        self.settings.lazy_user_flush = self.config.lazyfree_lazy_user_flush;
        self.settings.max_string = usize::try_from(self.config.proto_max_bulk_len).unwrap_or(512 << 20);
        // No directive: DEBUG set it.
        let list_plain = self.settings.limits.list_plain;
        self.settings.limits = Limits { list_plain, ..self.config.limits(self.hash_seed) };
        self.watch.set_threshold(self.config.slowlog_log_slower_than);
        self.settings.notify = Events::parse(&self.config.notify_keyspace_events);
        self.keyspace.note_created(self.settings.notify.meets(Events::NEW));
        self.settings.usage = self.usage();
        // Scores of another policy say nothing.
        self.evictor = super::evict::Evictor::default();
        self.refresh_crowd();
        self.stream.resize(self.config.repl_backlog_size);
        self.trim();
        self.refresh_calm();
    }

    pub(super) fn config_rewrite(
        &mut self,
        session: &mut Session,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        if self.config_file.is_empty() {
            return Err(Failure::fixed("ERR The server is running without a config file"));
        }
        let text = self.config.rewrite(&self.config_text);
        if let Err(why) = sink.write_config(&text) {
            self.note(sink, Level::Warning, format_args!("CONFIG REWRITE failed: {why}"));
            return Err(Failure::worded(format!("ERR Rewriting config file: {why}")));
        }
        self.config_text = text;
        self.note(sink, Level::Notice, format_args!("CONFIG REWRITE executed with success."));
        session.reply.ok();
        Ok(())
    }

    pub(super) fn config_reset_stat(&mut self, session: &mut Session, sink: &mut dyn Sink) {
        sink.reset_vitals();
        self.stats.reset();
        self.effects.forget_counts();
        session.reply.ok();
    }
}
