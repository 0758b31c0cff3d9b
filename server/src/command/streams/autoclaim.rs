//! XAUTOCLAIM: what is pending for too long gets another owner, some at a time.

use super::super::args::{Options, is};
use super::super::context::Context;
use super::super::error::{self, Failure};
use super::read_group::join;
use super::told::Told;
use super::{groups, ids};
use crate::data::stream::{Group, Id, Log, Owner, Pending};
use crate::resp::number::parse_i64;
use crate::resp::{Args, Reply};

/// How many pending entries are looked at for each that may be claimed.
const ATTEMPTS: usize = 10;
/// Most that may be asked for.
const MOST: i64 = i64::MAX / 16;

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`
pub fn xautoclaim(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (key, name, consumer) = (args.get(1), args.get(2), args.get(3));
    let refused = Failure::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM");
    let min_idle_ms = parse_i64(args.get(4)).ok_or(refused)?.max(0);
    let start = ids::start(args.get(5))?;
    let now_ms = i64::try_from(ctx.now_ms).unwrap_or(i64::MAX);
    let mut request = Request { start, min_idle_ms, now_ms, count: 100, just_id: false };
    let mut options = Options::from(args, 6);
    while let Some(word) = options.next() {
        if is(word, "COUNT") {
            let count = parse_i64(options.value()?).filter(|count| (1..=MOST).contains(count));
            request.count = ids::count(count.ok_or(Failure::fixed("ERR COUNT must be > 0"))?);
        } else if is(word, "JUSTID") {
            request.just_id = true;
        } else {
            return Err(error::SYNTAX);
        }
    }
    if !groups::has_group(ctx, key, name)? {
        return Err(groups::no_key_or_group(key, name));
    }
    let mut written = Reply::new(Vec::new(), ctx.reply.resp3());
    let told = groups::change(ctx, key, name, |group, log| {
        let mut told = Told::default();
        let owner = join(group, consumer, now_ms, &mut told)?;
        request.claim(group, log, owner, &mut written, &mut told);
        Some(told)
    })?;
    if let Some(told) = told.flatten() {
        ctx.reply.raw(written.bytes());
        told.tell(ctx, key, name, consumer);
    }
    Ok(())
}

struct Request {
    start: Id,
    min_idle_ms: i64,
    now_ms: i64,
    count: usize,
    just_id: bool,
}

impl Request {
    fn claim(&self, group: &mut Group, log: &Log, owner: Owner, reply: &mut Reply, told: &mut Told) {
        let (mut claimed, mut gone) = (Vec::new(), Vec::new());
        let mut pending = group.pending_from(self.start);
        let (mut left, mut attempts) = (self.count, self.count.saturating_mul(ATTEMPTS));
        while attempts > 0
            && left > 0
            && let Some(next) = pending.next()
        {
            attempts -= 1;
            if !log.contains(next.id) {
                told.gone(next, group);
                gone.push(next.id);
                left -= 1;
            } else if self.min_idle_ms == 0
                || self.now_ms.saturating_sub(next.delivered_ms) >= self.min_idle_ms
            {
                let deliveries = next.deliveries.saturating_add(u64::from(!self.just_id));
                let next = Pending { owner, delivered_ms: self.now_ms, deliveries, ..next };
                told.claimed(next, group);
                claimed.push(next);
                left -= 1;
            }
        }
        let cursor = pending.next().map_or(Id::MIN, |next| next.id);
        drop(pending);
        for id in &gone {
            group.acknowledge(*id);
        }
        for pending in &claimed {
            group.assign(*pending);
        }
        if !claimed.is_empty() {
            group.note(owner, self.now_ms, true);
        }
        reply.array(3);
        ids::write(reply, cursor);
        ids::write_all(reply, claimed.iter(), 0, |reply, pending| {
            if self.just_id {
                ids::write(reply, pending.id);
            } else if let Some(entry) = log.range(pending.id, pending.id).next() {
                ids::write_entry(reply, entry);
            }
        });
        ids::write_all(reply, gone.iter(), 0, |reply, id| ids::write(reply, *id));
    }
}
