//! XCLAIM: entries that are pending get another owner.

use super::super::args::is;
use super::super::context::Context;
use super::super::error::Failure;
use super::read_group::join;
use super::told::Told;
use super::{groups, ids};
use crate::data::stream::{Group, Id, Log, Owner, Pending};
use crate::resp::number::parse_i64;
use crate::resp::{Args, Reply};

/// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE]
/// [JUSTID] [LASTID lastid]`
pub fn xclaim(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, name, consumer) = (args.get(1), args.get(2), args.get(3));
    if !groups::has_group(ctx, key, name)? {
        return Err(groups::no_key_or_group(key, name));
    }
    let now_ms = i64::try_from(ctx.now_ms).unwrap_or(i64::MAX);
    let request = Request::parse(args, now_ms)?;
    let mut written = Reply::new(Vec::new(), ctx.reply.resp3());
    let told = groups::change(ctx, key, name, |group, log| {
        let mut told = Told::default();
        let moved = request.last.is_some_and(|last| last > group.last);
        if moved {
            group.last = request.last.unwrap_or_default();
        }
        let owner = join(group, consumer, now_ms, &mut told)?;
        let mut claimed = 0;
        for &id in &request.ids {
            claimed += usize::from(request.claim(group, log, owner, id, &mut written, &mut told));
        }
        written.before(0, |reply| reply.array(claimed));
        if claimed > 0 {
            group.note(owner, now_ms, true);
        }
        told.moved = (moved && told.claimed.is_empty()).then_some((group.last, group.read));
        Some(told)
    })?;
    if let Some(told) = told.flatten() {
        ctx.reply.raw(written.bytes());
        told.tell(ctx, key, name, consumer);
    }
    Ok(())
}

struct Request {
    min_idle_ms: i64,
    ids: Vec<Id>,
    /// What counts as the time of delivery.
    delivered_ms: i64,
    now_ms: i64,
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last: Option<Id>,
}

impl Request {
    fn parse(args: Args<'_>, now_ms: i64) -> Result<Self, Failure> {
        let min_idle_ms = number(args.get(4), "min-idle-time")?.max(0);
        let ids: Vec<Id> = args.iter_from(5).map_while(|word| ids::id(word).ok()).collect();
        let mut at = 5 + ids.len();
        let mut request = Self {
            min_idle_ms,
            ids,
            delivered_ms: now_ms,
            now_ms,
            deliveries: None,
            force: false,
            just_id: false,
            last: None,
        };
        while at < args.len() {
            let (word, value) = (args.get(at), (at + 1 < args.len()).then(|| args.get(at + 1)));
            at += 1 + usize::from(request.option(word, value)?);
        }
        Ok(request)
    }

    /// Reads an option; says whether it took its value.
    fn option(&mut self, word: &[u8], value: Option<&[u8]>) -> Result<bool, Failure> {
        if is(word, "FORCE") {
            self.force = true;
            return Ok(false);
        }
        if is(word, "JUSTID") {
            self.just_id = true;
            return Ok(false);
        }
        let Some(value) = value else { return Err(unknown(word)) };
        if is(word, "IDLE") {
            let idle = number(value, "IDLE option")?;
            self.deliver_at(self.now_ms.saturating_sub(idle));
        } else if is(word, "TIME") {
            self.deliver_at(number(value, "TIME option")?);
        } else if is(word, "RETRYCOUNT") {
            self.deliveries = u64::try_from(number(value, "RETRYCOUNT option")?).ok();
        } else if is(word, "LASTID") {
            self.last = Some(ids::id(value)?);
        } else {
            return Err(unknown(word));
        }
        Ok(true)
    }

    /// A time that cannot be is now: clients may have another clock.
    fn deliver_at(&mut self, at_ms: i64) {
        self.delivered_ms = if (0..=self.now_ms).contains(&at_ms) { at_ms } else { self.now_ms };
    }

    /// Gives an entry to its new owner and writes it; false if that may not be.
    fn claim(
        &self,
        group: &mut Group,
        log: &Log,
        owner: Owner,
        id: Id,
        reply: &mut Reply,
        told: &mut Told,
    ) -> bool {
        let old = group.pending(id);
        let Some(entry) = log.range(id, id).next() else {
            if let Some(old) = old {
                told.gone(old, group);
                group.acknowledge(id);
            }
            return false;
        };
        let before = match old {
            Some(old) if self.now_ms.saturating_sub(old.delivered_ms) >= self.min_idle_ms => old.deliveries,
            Some(old) if self.min_idle_ms == 0 => old.deliveries,
            None if self.force => 1,
            _ => return false,
        };
        let deliveries = self.deliveries.unwrap_or(before.saturating_add(u64::from(!self.just_id)));
        let pending = Pending { id, delivered_ms: self.delivered_ms, deliveries, owner };
        group.assign(pending);
        told.claimed(pending, group);
        if self.just_id {
            ids::write(reply, id);
        } else {
            ids::write_entry(reply, entry);
        }
        true
    }
}

fn number(word: &[u8], what: &str) -> Result<i64, Failure> {
    parse_i64(word).ok_or_else(|| Failure::worded(format!("ERR Invalid {what} argument for XCLAIM")))
}

fn unknown(word: &[u8]) -> Failure {
    groups::worded(&[b"ERR Unrecognized XCLAIM option '", word, b"'"])
}
