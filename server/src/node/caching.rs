//! CLIENT TRACKING and what belongs to it: asking for invalidations, and asking about them.

use crate::command::args::is;
use crate::command::spec::Caching;
use crate::command::{Failure, error};
use crate::resp::Args;
use crate::resp::number::parse_i64;

use super::Node;
use super::session::Session;
use super::tracking::{Choice, Tracked};

/// What the words behind `CLIENT TRACKING on|off` say.
#[derive(Debug, Default)]
struct Asked {
    redirect: Option<u64>,
    bcast: bool,
    optin: bool,
    optout: bool,
    noloop: bool,
    prefixes: Vec<Box<[u8]>>,
}

impl Node {
    /// The subcommands of CLIENT about caching.
    pub(super) fn client_caching(
        &mut self,
        session: &mut Session,
        which: Caching,
        args: Args<'_>,
    ) -> Result<(), Failure> {
        match which {
            Caching::Tracking => self.client_tracking(session, args)?,
            Caching::Caching => self.caching_of_next(session, args)?,
            Caching::GetRedir => session.reply.int(self.redirect_of(session)),
            Caching::TrackingInfo => self.client_tracking_info(session),
        }
        Ok(())
    }

    /// `CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]`
    fn client_tracking(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        let (asked, redirect) = self.tracking_asked(session, args)?;
        if is(args.get(2), "on") {
            self.track_as_asked(session, asked, redirect)?;
        } else if is(args.get(2), "off") {
            self.stop_tracking(session);
        } else {
            return Err(error::SYNTAX);
        }
        session.reply.ok();
        Ok(())
    }

    fn tracking_asked(
        &self,
        session: &Session,
        args: Args<'_>,
    ) -> Result<(Asked, Option<(u64, super::ConnId)>), Failure> {
        let mut asked = Asked::default();
        let mut redirect = None;
        let mut at = 3;
        while at < args.len() {
            let (word, more) = (args.get(at), at + 1 < args.len());
            if is(word, "REDIRECT") && more {
                if asked.redirect.is_some() {
                    return Err(Failure::fixed("ERR A client can only redirect to a single other client"));
                }
                at += 1;
                let id = parse_i64(args.get(at)).ok_or(error::NOT_AN_INTEGER)?;
                let id = u64::try_from(id).unwrap_or(0);
                let conn = if id == session.id {
                    Some(session.conn)
                } else {
                    self.sessions
                        .iter()
                        .find(|other| other.id == id && !other.closing)
                        .map(|other| other.conn)
                };
                let missing = Failure::fixed("ERR The client ID you want redirect to does not exist");
                redirect = Some((id, conn.ok_or(missing)?));
                asked.redirect = Some(id);
            } else if is(word, "BCAST") {
                asked.bcast = true;
            } else if is(word, "OPTIN") {
                asked.optin = true;
            } else if is(word, "OPTOUT") {
                asked.optout = true;
            } else if is(word, "NOLOOP") {
                asked.noloop = true;
            } else if is(word, "PREFIX") && more {
                at += 1;
                asked.prefixes.push(args.get(at).into());
            } else {
                return Err(error::SYNTAX);
            }
            at += 1;
        }
        Ok((asked, redirect))
    }

    fn track_as_asked(
        &mut self,
        session: &mut Session,
        asked: Asked,
        redirect: Option<(u64, super::ConnId)>,
    ) -> Result<(), Failure> {
        let old = self.tracking.clients.get(&session.conn);
        asked.agrees_with(old)?;
        let mut prefixes = old.map(|old| old.prefixes.clone()).unwrap_or_default();
        if asked.bcast {
            no_overlap(&prefixes, &asked.prefixes)?;
            prefixes.extend(asked.prefixes);
            if prefixes.is_empty() {
                prefixes.push(Box::default());
            }
        }
        let choice = match (asked.optin, asked.optout) {
            (true, _) => Choice::OptIn,
            (_, true) => Choice::OptOut,
            _ => Choice::All,
        };
        if !self.tracking.any() {
            self.keyspace.note_changed(true);
        }
        session.tracking = true;
        let (bcast, noloop) = (asked.bcast, asked.noloop);
        let tracked = Tracked { redirect, bcast, choice, noloop, prefixes, ..Tracked::default() };
        self.tracking.add(session.conn, tracked);
        Ok(())
    }

    /// `CLIENT CACHING YES|NO`
    fn caching_of_next(&mut self, session: &mut Session, args: Args<'_>) -> Result<(), Failure> {
        let Some(tracked) = self.tracking.clients.get_mut(&session.conn) else {
            return Err(Failure::fixed(
                "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
            ));
        };
        if is(args.get(2), "yes") {
            if tracked.choice != Choice::OptIn {
                return Err(Failure::fixed(
                    "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
                ));
            }
        } else if is(args.get(2), "no") {
            if tracked.choice != Choice::OptOut {
                return Err(Failure::fixed(
                    "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
                ));
            }
        } else {
            return Err(error::SYNTAX);
        }
        tracked.caching = true;
        session.reply.ok();
        Ok(())
    }

    /// The client that is told instead of this one, as CLIENT GETREDIR says it: -1 when it tracks nothing, 0 when nobody
    /// else is told.
    pub(super) fn redirect_of(&self, session: &Session) -> i64 {
        self.tracking
            .clients
            .get(&session.conn)
            .map_or(-1, |tracked| tracked.redirect.map_or(0, |(id, _)| i64::try_from(id).unwrap_or(i64::MAX)))
    }

    /// `CLIENT TRACKINGINFO`
    fn client_tracking_info(&self, session: &mut Session) {
        let redirect = self.redirect_of(session);
        let tracked = self.tracking.clients.get(&session.conn);
        let reply = &mut session.reply;
        reply.map(3);
        reply.bulk(b"flags");
        let flags = tracked.map(flags_of).unwrap_or_else(|| vec!["off"]);
        reply.set(flags.len());
        for flag in flags {
            reply.bulk(flag.as_bytes());
        }
        reply.bulk(b"redirect");
        reply.int(redirect);
        reply.bulk(b"prefixes");
        let mut prefixes = tracked.map(|tracked| tracked.prefixes.clone()).unwrap_or_default();
        prefixes.sort_unstable();
        reply.array(prefixes.len());
        for prefix in &prefixes {
            reply.bulk(prefix);
        }
    }
}

impl Asked {
    /// The options fit each other and what the client asked for before.
    fn agrees_with(&self, old: Option<&Tracked>) -> Result<(), Failure> {
        if !self.bcast && !self.prefixes.is_empty() {
            return Err(Failure::fixed("ERR PREFIX option requires BCAST mode to be enabled"));
        }
        if old.is_some_and(|old| old.bcast != self.bcast) {
            return Err(Failure::fixed(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling \
                 it with a different mode.",
            ));
        }
        if self.bcast && (self.optin || self.optout) {
            return Err(Failure::fixed("ERR OPTIN and OPTOUT are not compatible with BCAST"));
        }
        if self.optin && self.optout {
            return Err(Failure::fixed("ERR You can't specify both OPTIN mode and OPTOUT mode"));
        }
        let was = |choice| old.is_some_and(|old| old.choice == choice);
        if (self.optin && was(Choice::OptOut)) || (self.optout && was(Choice::OptIn)) {
            return Err(Failure::fixed(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling \
                 it with a different mode.",
            ));
        }
        Ok(())
    }
}

/// No prefix begins with another one: each key is told of once.
fn no_overlap(old: &[Box<[u8]>], new: &[Box<[u8]>]) -> Result<(), Failure> {
    let overlap = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
    let refused = |one: &[u8], kind: &str, other: &[u8]| {
        let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
        Err(Failure::worded(format!(
            "ERR Prefix '{one}' overlaps with {kind} prefix '{other}'. Prefixes for a single client must not overlap."
        )))
    };
    for (index, prefix) in new.iter().enumerate() {
        if let Some(other) = old.iter().find(|other| overlap(prefix, other)) {
            return refused(prefix, "an existing", other);
        }
        if let Some(other) = new.iter().skip(index + 1).find(|other| overlap(prefix, other)) {
            return refused(prefix, "another provided", other);
        }
    }
    Ok(())
}

fn flags_of(tracked: &Tracked) -> Vec<&'static str> {
    let caching = tracked.caching;
    let (optin, optout) = (tracked.choice == Choice::OptIn, tracked.choice == Choice::OptOut);
    [
        ("on", true),
        ("bcast", tracked.bcast),
        ("optin", optin),
        ("caching-yes", optin && caching),
        ("optout", optout),
        ("caching-no", optout && caching),
        ("noloop", tracked.noloop),
        ("broken_redirect", tracked.broken),
    ]
    .into_iter()
    .filter(|(_, on)| *on)
    .map(|(name, _)| name)
    .collect()
}
