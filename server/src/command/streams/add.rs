//! XADD and XTRIM.
//!
//! Replicas are told the id that was chosen, and, where trimming stopped at the border of a node, what it came to: nodes may end
//! elsewhere there.

use super::super::args::{integer, is};
use super::super::context::{Context, Expiry};
use super::super::effects::Events;
use super::super::error::{self, Failure};
use super::ids;
use crate::data::Limits;
use crate::data::stream::{Id, Keep, Log, Stream, Trim};
use crate::resp::Args;

/// Largest sum of texts that an entry may have, in bytes: a node's.
const LARGEST: usize = 1 << 30;

/// `XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]`
pub fn xadd(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let request = Request::parse(args, true, &Parsing::of(ctx))?;
    let first = request.id_at + 1;
    let words = args.len().saturating_sub(first);
    if words < 2 || words % 2 == 1 {
        return Err(error::wrong_arity("xadd"));
    }
    if request.id == Wanted::Exactly(Id::MIN) {
        return Err(Failure::fixed("ERR The ID specified in XADD must be greater than 0-0"));
    }
    if args.iter_from(first).map(<[u8]>::len).sum::<usize>() > LARGEST {
        return Err(Failure::fixed("ERR Elements are too large to be stored"));
    }
    let (now_ms, limits) = (ctx.now_ms, ctx.settings.limits);
    let change = |stream: &mut Stream| -> Result<_, Failure> {
        let log = stream.log_mut();
        let id = request.id.choose(log.last(), now_ms)?;
        log.append(id, words / 2, |n| args.get(first + n), &limits);
        let trimmed = request.trim.map_or(0, |trim| log.trim(&trim.how));
        Ok((id, trimmed, request.trim.map(|trim| trim.outcome(log))))
    };
    let change = |stream: &mut Stream, _: &mut _| {
        let outcome = change(stream);
        let changed = outcome.is_ok();
        (outcome, changed)
    };
    let key = args.get(1);
    let outcome = if request.no_new {
        ctx.edit(key, change)?.map(|edited| edited.result)
    } else {
        Some(ctx.edit_or_new(key, change)?.result)
    };
    let Some(outcome) = outcome else {
        ctx.reply.null();
        return Ok(());
    };
    let (id, trimmed, outcome) = outcome?;
    ids::write(ctx.reply, id);
    ctx.notify(Events::STREAM, "xadd", key);
    if trimmed > 0 {
        ctx.notify(Events::STREAM, "xtrim", key);
    }
    id.with_text(|text| request.propagate(ctx, args, Some(text), outcome.as_deref()));
    Ok(())
}

/// `XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]`
pub fn xtrim(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let request = Request::parse(args, false, &Parsing::of(ctx))?;
    let Some(trim) = request.trim else { return Err(error::SYNTAX) };
    let key = args.get(1);
    let edited = ctx.edit(key, |stream: &mut Stream, _| {
        let went = stream.log_mut().trim(&trim.how);
        ((went, trim.outcome(stream.log())), went > 0)
    })?;
    let (went, outcome) = edited.map_or((0, Vec::new()), |edited| edited.result);
    ctx.reply.count(went);
    if went > 0 {
        ctx.notify(Events::STREAM, "xtrim", key);
        request.propagate(ctx, args, None, Some(&outcome));
        ctx.effects.changed(went as u64 - 1);
    }
    Ok(())
}

/// The id that XADD was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// `*`
    Any,
    /// `ms-*`
    In(u64),
    Exactly(Id),
}

impl Wanted {
    fn parse(word: &[u8]) -> Result<Self, Failure> {
        match word {
            b"*" => Ok(Self::Any),
            [ms @ .., b'-', b'*'] if !ms.contains(&b'-') => ids::id(ms).map(|id| Self::In(id.ms)),
            word => ids::id(word).map(Self::Exactly),
        }
    }

    /// The id that the entry gets, which is greater than the last.
    fn choose(self, last: Id, now_ms: u64) -> Result<Id, Failure> {
        let next = last.next().ok_or(Failure::fixed(
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        ))?;
        let id = match self {
            Self::Any => next.max(Id { ms: now_ms, seq: 0 }),
            Self::In(ms) if ms == last.ms && next.ms == ms => next,
            Self::In(ms) => Id { ms, seq: 0 },
            Self::Exactly(id) => id,
        };
        let smaller = "ERR The ID specified in XADD is equal or smaller than the target stream top item";
        if id > last { Ok(id) } else { Err(Failure::fixed(smaller)) }
    }
}

/// A trimming, and where the request says so.
#[derive(Debug, Clone, Copy)]
struct Trimming {
    how: Trim,
    /// The argument with the threshold. `~` stands before it, if it is there.
    at: usize,
}

impl Trimming {
    /// What the stream came to: a threshold that trims another one to the same.
    fn outcome(&self, log: &Log) -> Vec<u8> {
        if !self.how.approximate {
            return Vec::new();
        }
        match self.how.keep {
            Keep::Len(_) => itoa::Buffer::new().format(log.len()).as_bytes().to_vec(),
            Keep::From(_) if log.is_empty() => Id::MAX.with_text(<[u8]>::to_vec),
            Keep::From(_) => log.first().with_text(<[u8]>::to_vec),
        }
    }
}

/// What of the context is needed to read a request.
struct Parsing {
    /// It comes from the master, which has trimmed to what it says.
    obeys: bool,
    limits: Limits,
}

impl Parsing {
    fn of(ctx: &Context<'_>) -> Self {
        Self { obeys: ctx.expiry == Expiry::Ignore, limits: ctx.settings.limits }
    }

    /// How many entries may go when the request says nothing: those of a hundred nodes.
    fn default_limit(&self) -> u64 {
        match self.limits.stream_entries.saturating_mul(100) as u64 {
            0 => 10_000,
            entries => entries.min(1_000_000),
        }
    }
}

/// What stands before the fields of an XADD, or behind the key of an XTRIM.
struct Request {
    trim: Option<Trimming>,
    no_new: bool,
    id: Wanted,
    /// The argument with the id; behind the last when there is none.
    id_at: usize,
}

impl Request {
    fn parse(args: Args<'_>, adds: bool, parsing: &Parsing) -> Result<Self, Failure> {
        let mut request = Self { trim: None, no_new: false, id: Wanted::Any, id_at: args.len() };
        let (mut limit, mut at) = (None, 2);
        while at < args.len() {
            let (word, more) = (args.get(at), args.len() - 1 - at);
            if adds && word == b"*" {
                request.id_at = at;
                break;
            } else if more > 0 && (is(word, "MAXLEN") || is(word, "MINID")) {
                if request.trim.is_some() {
                    return Err(BOTH);
                }
                let (approximate, exact) = (args.get(at + 1) == b"~", args.get(at + 1) == b"=");
                at += if more >= 2 && (approximate || exact) { 2 } else { 1 };
                let keep = threshold(args.get(at), is(word, "MAXLEN"))?;
                let how = Trim { keep, approximate: approximate && more >= 2, limit: 0 };
                request.trim = Some(Trimming { how, at });
            } else if more > 0 && is(word, "LIMIT") {
                at += 1;
                let refused = Failure::fixed("ERR The LIMIT argument must be >= 0.");
                limit = Some(u64::try_from(integer(args.get(at))?).map_err(|_| refused)?);
            } else if adds && is(word, "NOMKSTREAM") {
                request.no_new = true;
            } else if adds {
                request.id = Wanted::parse(word)?;
                request.id_at = at;
                break;
            } else {
                return Err(error::SYNTAX);
            }
            at += 1;
        }
        request.limit(limit, adds, parsing)?;
        Ok(request)
    }

    /// Sets how many entries may go.
    fn limit(&mut self, limit: Option<u64>, adds: bool, parsing: &Parsing) -> Result<(), Failure> {
        let Some(trim) = &mut self.trim else {
            return match limit {
                Some(1..) => Err(LIMIT_OF_NOTHING),
                _ if !adds => Err(NO_STRATEGY),
                Some(_) if !parsing.obeys => Err(LIMIT_OF_EXACT),
                _ => Ok(()),
            };
        };
        if parsing.obeys {
            return Ok(());
        }
        trim.how.limit = match limit {
            Some(_) if !trim.how.approximate => return Err(LIMIT_OF_EXACT),
            Some(limit) => limit,
            None if trim.how.approximate => parsing.default_limit(),
            None => 0,
        };
        Ok(())
    }

    /// Tells replicas, with the id and what the trimming came to.
    fn propagate(&self, ctx: &mut Context<'_>, args: Args<'_>, id: Option<&[u8]>, outcome: Option<&[u8]>) {
        // What is not replaced stands at a place that no argument has.
        const NOWHERE: (usize, &[u8]) = (usize::MAX, &[]);
        let id = match (id, self.id) {
            (None, _) | (_, Wanted::Exactly(_)) => NOWHERE,
            (Some(id), _) => (self.id_at, id),
        };
        let (sign, threshold): (_, (_, &[u8])) = match (self.trim, outcome) {
            (Some(trim), Some(outcome)) if trim.how.approximate => {
                ((trim.at - 1, &b"="[..]), (trim.at, outcome))
            }
            _ => (NOWHERE, NOWHERE),
        };
        let replaced = [id, sign, threshold];
        if replaced.iter().all(|word| *word == NOWHERE) {
            ctx.effects.as_sent(ctx.db);
        } else {
            ctx.effects.reworded(ctx.db, args, &replaced);
        }
    }
}

fn threshold(word: &[u8], is_len: bool) -> Result<Keep, Failure> {
    if !is_len {
        return ids::id(word).map(Keep::From);
    }
    let refused = Failure::fixed("ERR The MAXLEN argument must be >= 0.");
    u64::try_from(integer(word)?).map(Keep::Len).map_err(|_| refused)
}

const BOTH: Failure =
    Failure::fixed("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
const LIMIT_OF_NOTHING: Failure =
    Failure::fixed("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
const NO_STRATEGY: Failure =
    Failure::fixed("ERR syntax error, XTRIM must be called with specifying a trimming strategy");
const LIMIT_OF_EXACT: Failure =
    Failure::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option");
