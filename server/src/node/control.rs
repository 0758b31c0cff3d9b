//! Control commands: one exhaustive match, one line each.

use crate::command::{Control, Failure};
use crate::data::Now;
use crate::resp::Args;

use super::pubsub::Reach;
use super::session::{ReplyMode, Session};
use super::{Node, Sink, memory};

impl Node {
    /// Runs a command that needs the server.
    #[expect(clippy::too_many_lines, reason = "one line for each command")]
    pub(super) fn control(
        &mut self,
        session: &mut Session,
        control: Control,
        args: Args<'_>,
        now: Now,
        sink: &mut dyn Sink,
    ) -> Result<(), Failure> {
        match control {
            Control::Auth => self.auth(session, args, sink)?,
            Control::Hello => self.hello(session, args, sink)?,
            Control::Quit => quit(session, sink),
            Control::Reset => self.reset(session),
            Control::Ping => ping(session, args)?,
            Control::Select => self.select(session, args)?,
            Control::ClientId => session.reply.int(i64::try_from(session.id).unwrap_or(i64::MAX)),
            Control::ClientList => self.client_list(session, args, now)?,
            Control::ClientInfo => self.client_info(session, args, now),
            Control::ClientSetName => client_set_name(session, args)?,
            Control::ClientGetName => client_get_name(session),
            Control::ClientSetInfo => client_set_info(session, args)?,
            Control::ClientKill => self.client_kill(session, args, now, sink)?,
            Control::ClientPause => self.client_pause(session, args, now)?,
            Control::ClientUnpause => self.client_unpause(session, now, sink),
            Control::ClientReply => client_reply(session, args)?,
            Control::ClientNoEvict => client_switch(session, args, |session, on| session.no_evict = on)?,
            Control::ClientNoTouch => client_switch(session, args, |session, on| session.no_touch = on)?,
            Control::ClientCaching(which) => self.client_caching(session, which, args)?,
            Control::ClientUnblock => self.client_unblock(session, args, now, sink)?,
            Control::ConfigGet => self.config_get(session, args),
            Control::ConfigSet => self.config_set(session, args, sink)?,
            Control::ConfigRewrite => self.config_rewrite(session, sink)?,
            Control::ConfigResetStat => self.config_reset_stat(session, sink),
            Control::Info => self.info(session, args, now, sink),
            Control::Role => self.role(session, now),
            Control::ReplicaOf => self.replicaof(session, args, now, sink)?,
            Control::Psync => self.psync(session, args, now, sink)?,
            Control::Sync => self.sync(session, now, sink)?,
            Control::Replconf => self.replconf(session, args, sink)?,
            Control::Wait => self.wait(session, args, now)?,
            Control::Migrate => self.migrate(session, args, now, sink)?,
            Control::Failover => self.failover(session, args, now, sink)?,
            Control::Multi => self.multi(session)?,
            Control::Exec => self.exec(session, now, sink)?,
            Control::Discard => self.discard(session)?,
            Control::Watch => self.watch(session, args, now)?,
            Control::Unwatch => self.unwatch_all(session),
            Control::Save => self.save(session, now, sink)?,
            Control::BgSave => self.bgsave(session, args, now, sink)?,
            Control::LastSave => session.reply.int(i64::try_from(self.saving.last_s).unwrap_or(0)),
            Control::Shutdown => self.shutdown(session, args, now, sink)?,
            Control::Monitor => self.monitor(session)?,
            Control::Subscribe => self.subscribe(session, Reach::Channel, args),
            Control::Unsubscribe => self.unsubscribe(session, Reach::Channel, args),
            Control::PSubscribe => self.subscribe(session, Reach::Pattern, args),
            Control::PUnsubscribe => self.unsubscribe(session, Reach::Pattern, args),
            Control::SSubscribe => self.subscribe(session, Reach::Shard, args),
            Control::SUnsubscribe => self.unsubscribe(session, Reach::Shard, args),
            Control::Publish | Control::SPublish => self.publish(session, control, args, now, sink),
            Control::PubsubChannels => self.pubsub_channels(session, false, args)?,
            Control::PubsubShardChannels => self.pubsub_channels(session, true, args)?,
            Control::PubsubNumSub => self.pubsub_numsub(session, false, args),
            Control::PubsubShardNumSub => self.pubsub_numsub(session, true, args),
            Control::PubsubNumPat => self.pubsub_numpat(session),
            Control::DebugSleep => self.debug_sleep(session, args, sink)?,
            Control::DebugLink => self.debug_link(session, args, sink)?,
            Control::DebugDigest => self.debug_digest(session, args)?,
            Control::DebugPopulate => self.debug_populate(session, args)?,
            Control::DebugSetActiveExpire => self.debug_set_active_expire(session, args)?,
            Control::DebugReload => self.debug_reload(session, now, sink)?,
            Control::DebugJmap | Control::DebugIgnored => self.debug_ignored(session)?,
            Control::DebugObject => self.debug_object(session, args)?,
            Control::DebugEncoding => self.debug_encoding(session, args, sink)?,
            Control::MemoryUsage => self.memory_usage(session, args, now)?,
            Control::MemoryStats => self.memory_stats(session, sink),
            Control::MemoryDoctor => self.memory_doctor(session, sink),
            Control::MemoryMallocStats => memory::no_malloc_stats(session),
            Control::MemoryPurge => self.memory_purge(session),
            Control::Slowlog => self.slowlog(session, args)?,
            Control::Latency => self.latency(session, args)?,
            Control::CrossProtocol => self.cross_protocol(session, sink),
        }
        Ok(())
    }

    fn unwatch_all(&mut self, session: &mut Session) {
        self.unwatch(session);
        session.reply.ok();
    }

    /// A browser was made to speak to us: `POST` and `Host:` end the connection.
    fn cross_protocol(&mut self, session: &mut Session, sink: &mut dyn Sink) {
        self.note(
            sink,
            super::Level::Warning,
            format_args!(
                "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. \
                 This is likely due to an attacker attempting to use Cross Protocol Scripting. Connection from {} aborted.",
                session.peer.addr
            ),
        );
        session.closing = true;
        sink.close(session.conn, false);
    }
}

fn quit(session: &mut Session, sink: &mut dyn Sink) {
    session.reply.ok();
    session.closing = true;
    sink.close(session.conn, true);
}

fn ping(session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
    if args.len() > 2 {
        return Err(Failure::fixed("ERR wrong number of arguments for 'ping' command"));
    }
    if session.subscribed() && !session.reply.resp3() {
        session.reply.array(2);
        session.reply.bulk(b"pong");
        session.reply.bulk(args.get(1));
    } else if args.len() == 2 {
        session.reply.bulk(args.get(1));
    } else {
        session.reply.simple("PONG");
    }
    Ok(())
}

fn client_set_name(session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
    session.name = printable_word(args.get(2))
        .ok_or(Failure::fixed("ERR Client names cannot contain spaces, newlines or special characters."))?;
    session.reply.ok();
    Ok(())
}

/// `CLIENT SETNAME`, `SETINFO`, `HELLO SETNAME`: visible ASCII without spaces.
pub(super) fn printable_word(word: &[u8]) -> Option<String> {
    word.iter().all(|byte| (b'!'..=b'~').contains(byte)).then(|| String::from_utf8_lossy(word).into_owned())
}

fn client_get_name(session: &mut Session) {
    if session.name.is_empty() {
        session.reply.null();
    } else {
        let name = session.name.clone();
        session.reply.bulk(name.as_bytes());
    }
}

fn client_set_info(session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
    let attribute = args.get(2).to_ascii_lowercase();
    let place = match attribute.as_slice() {
        b"lib-name" => &mut session.lib_name,
        b"lib-ver" => &mut session.lib_ver,
        _ => {
            let shown = String::from_utf8_lossy(args.get(2)).into_owned();
            return Err(Failure::worded(format!("ERR Unrecognized option '{shown}'")));
        }
    };
    let name = String::from_utf8_lossy(&attribute).into_owned();
    *place = printable_word(args.get(3)).ok_or_else(|| {
        Failure::worded(format!("ERR {name} cannot contain spaces, newlines or special characters."))
    })?;
    session.reply.ok();
    Ok(())
}

fn client_reply(session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
    match args.get(2).to_ascii_lowercase().as_slice() {
        b"on" => {
            session.mode = ReplyMode::On;
            session.reply.ok();
        }
        b"off" => session.mode = ReplyMode::Off,
        // The mode advances once at the end of this command, so that the next one is skipped.
        b"skip" if session.mode != ReplyMode::Off => session.mode = ReplyMode::SkipNext,
        b"skip" => {}
        _ => return Err(crate::command::error::SYNTAX),
    }
    Ok(())
}

fn client_switch(
    session: &mut Session,
    args: Args<'_>,
    set: impl Fn(&mut Session, bool),
) -> Result<(), Failure> {
    match args.get(2).to_ascii_lowercase().as_slice() {
        b"on" => set(session, true),
        b"off" => set(session, false),
        _ => return Err(crate::command::error::SYNTAX),
    }
    session.reply.ok();
    Ok(())
}
