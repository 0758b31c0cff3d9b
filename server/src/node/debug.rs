//! DEBUG, as far as tools and tests rely on it.

use crate::command::args::is;
use crate::command::{Failure, error};
use crate::data::Now;
use crate::fault::Rule;
use crate::keyspace::{NewValue, Ttl};
use crate::persist::decode::Decoder;
use crate::persist::encode::{Header, Writer};
use crate::resp::Args;
use crate::resp::double;
use crate::resp::number::{parse_i64, parse_u64};

use super::config::Debugging;
use super::debug_encoding::nodes_of;
use super::loading::Loader;
use super::session::Session;
use super::{Node, Sink};

impl Node {
    /// `enable-debug-command`: `no`, `yes`, or `local` connections only.
    pub(super) fn may_debug(&self, session: &Session) -> Result<(), Failure> {
        let allowed = match self.config.enable_debug_command {
            Debugging::Yes => true,
            Debugging::Local => session.peer.local,
            Debugging::No => false,
        };
        if allowed {
            return Ok(());
        }
        Err(Failure::fixed(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a \
             local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
        ))
    }

    pub(super) fn debug_sleep(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.may_debug(session)?;
        let seconds =
            double::parse(args.get(2)).filter(|s| (0.0..=3600.0).contains(s)).ok_or(error::NOT_A_FLOAT)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 3.6e9, checked above"
        )]
        sink.stall((seconds * 1e6) as u64);
        session.reply.ok();
        Ok(())
    }

    /// `DEBUG LINK LIST`, `DEBUG LINK RESET`, `DEBUG LINK port rule…`: see [`Rule`].
    pub(super) fn debug_link(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.may_debug(session)?;
        let refused = |why: String| Failure::worded(format!("ERR {why}"));
        if args.len() == 3 && is(args.get(2), "LIST") {
            let links = sink.faulted_links();
            session.reply.array(links.len());
            for (port, rule) in links {
                session.reply.bulk(format!("{port} {rule}").as_bytes());
            }
            return Ok(());
        }
        if args.len() == 3 && is(args.get(2), "RESET") {
            sink.fault_link(None, Rule::default()).map_err(refused)?;
            session.reply.ok();
            return Ok(());
        }
        let port = parse_u64(args.get(2)).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        let port =
            port.ok_or_else(|| refused("a link is named by the port of the node it comes from".into()))?;
        let words: Vec<_> = (3..args.len()).map(|at| String::from_utf8_lossy(args.get(at))).collect();
        let rule = words.join(" ").parse().map_err(refused)?;
        sink.fault_link(Some(port), rule).map_err(refused)?;
        session.reply.ok();
        Ok(())
    }

    /// `DEBUG DIGEST`, and `DEBUG DIGEST-VALUE key...`, which gives a digest for each.
    pub(super) fn debug_digest(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        self.may_debug(session)?;
        let text = |digest: [u8; 20]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if is(args.get(1), "DIGEST-VALUE") {
            session.reply.array(args.len() - 2);
            for key in args.iter_from(2) {
                session.reply.simple(&text(self.keyspace.value_digest(session.db, key)));
            }
        } else {
            session.reply.simple(&text(self.keyspace.digest()));
        }
        Ok(())
    }

    /// `DEBUG POPULATE count [prefix [size]]`.
    pub(super) fn debug_populate(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        self.may_debug(session)?;
        let count = parse_u64(args.get(2)).ok_or(error::NOT_POSITIVE)?;
        let prefix = if args.len() > 3 { args.get(3) } else { b"key" };
        let size =
            if args.len() > 4 { Some(parse_u64(args.get(4)).ok_or(error::NOT_POSITIVE)?) } else { None };
        let size = match size {
            Some(size) => Some(
                usize::try_from(size)
                    .ok()
                    .filter(|&size| size <= self.settings.max_string)
                    .ok_or(error::OUT_OF_RANGE)?,
            ),
            None => None,
        };
        if count > 1 << 32 {
            return Err(error::OUT_OF_RANGE);
        }
        for index in 0..count {
            let mut key = prefix.to_vec();
            key.extend_from_slice(format!(":{index}").as_bytes());
            if self.keyspace.get(session.db, &key).is_some() {
                continue;
            }
            let mut value = format!("value:{index}").into_bytes();
            if let Some(size) = size {
                value.resize(size, 0);
            }
            self.keyspace.set(session.db, &key, NewValue::Bytes(&value), Ttl::Clear);
            self.dirty += 1;
        }
        session.reply.ok();
        Ok(())
    }

    pub(super) fn debug_set_active_expire(
        &mut self,
        session: &mut Session,
        args: Args<'_>,
    ) -> Result<(), Failure> {
        self.may_debug(session)?;
        self.active_expire = parse_i64(args.get(2)).ok_or(error::NOT_AN_INTEGER)? != 0;
        session.reply.ok();
        Ok(())
    }

    /// `DEBUG RELOAD`: everything is written as a snapshot and read back.
    pub(super) fn debug_reload(
        &mut self,
        session: &mut Session,
        now: Now,
        _sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        self.may_debug(session)?;
        let header = Header {
            version: u32::from(self.config.repl_rdb_floor),
            aux: self.replication_aux(now),
            checksum: true,
            compress: true,
            exact: true,
        };
        let busy = Failure::fixed("ERR Too many snapshots are being taken, try again later");
        let snapshot = self.keyspace.begin_snapshot(Box::new(Writer::new(header))).ok_or(busy)?;
        let mut bytes = Vec::new();
        while !self.keyspace.drive_snapshot(snapshot, 1 << 20) {
            self.keyspace.take_snapshot_bytes(snapshot, &mut bytes);
        }
        self.keyspace.take_snapshot_bytes(snapshot, &mut bytes);
        if let Some(mut capture) = self.keyspace.end_snapshot(snapshot)
            && let Some(writer) = capture.as_any().downcast_mut::<Writer>()
        {
            writer.finish();
            writer.take(&mut bytes);
        }
        let mut loader = Loader::new(self.fresh_keyspace(), self.settings.limits);
        match loader.feed(&mut Decoder::new(), &bytes) {
            Ok(Some(_)) => {
                self.keyspace.replace_with(loader.into_keyspace());
                session.reply.ok();
                Ok(())
            }
            Ok(None) => Err(Failure::fixed("ERR Error trying to load the RDB dump")),
            Err(why) => Err(Failure::worded(format!("ERR Error trying to load the RDB dump: {why}"))),
        }
    }

    pub(super) fn debug_ignored(&mut self, session: &mut Session) -> Result<(), Failure> {
        self.may_debug(session)?;
        session.reply.ok();
        Ok(())
    }

    pub(super) fn debug_object(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        self.may_debug(session)?;
        let entry = self.keyspace.get(session.db, args.get(2)).ok_or(error::NO_SUCH_KEY)?;
        let length = match entry.value() {
            crate::keyspace::ValueRef::Int(n) => n.to_string().len(),
            crate::keyspace::ValueRef::Bytes(bytes) => bytes.len(),
            crate::keyspace::ValueRef::Collection(collection) => collection.memory(),
        };
        let text = format!(
            "Value at:0x0 refcount:1 encoding:{} serializedlength:{length} lru:0 lru_seconds_idle:0{}",
            entry.encoding(),
            nodes_of(entry)
        );
        session.reply.simple(&text);
        Ok(())
    }
}
