//! Members that are given scores: ZADD, ZINCRBY.

use crate::command::args::is;
use crate::command::context::Context;
use crate::command::effects::Events;
use crate::command::error::{self, Failure};
use crate::data::Limits;
use crate::data::zset::Zset;
use crate::resp::{Args, double};

const NEW_AND_OLD: Failure = Failure::fixed("ERR XX and NX options at the same time are not compatible");
const TOO_MANY_RULES: Failure =
    Failure::fixed("ERR GT, LT, and/or NX options at the same time are not compatible");
const SINGLE_INCREMENT: Failure = Failure::fixed("ERR INCR option supports a single increment-element pair");
const NOT_A_NUMBER: Failure = Failure::fixed("ERR resulting score is not a number (NaN)");

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`
pub fn zadd(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    zadd_as(ctx, args, false)
}

/// Runs a ZADD that another command became, if it is `rewritten`: it then is what replicas see.
///
/// # Errors
/// What ZADD says to it.
pub fn zadd_as(ctx: &mut Context<'_>, args: Args<'_>, rewritten: bool) -> Result<(), Failure> {
    let (rules, first) = Rules::read(args);
    let words = args.len() - first;
    if words == 0 || !words.is_multiple_of(2) {
        return Err(error::SYNTAX);
    }
    rules.check(words / 2)?;
    add(ctx, args, first, rules, rewritten)
}

/// `ZINCRBY key increment member`
pub fn zincrby(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    add(ctx, args, 2, Rules { increment: true, ..Rules::default() }, false)
}

/// Which scores may be given, and what is answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// `NX`: only members that are not there.
    pub only_new: bool,
    /// `XX`: only members that are there.
    pub only_old: bool,
    /// `GT`: a member that is there only gets a higher score.
    pub greater: bool,
    /// `LT`: a member that is there only gets a lower score.
    pub less: bool,
    /// `CH`: members that were changed count too.
    pub changed: bool,
    /// `INCR`: the score is added to the one that is there.
    pub increment: bool,
}

impl Rules {
    /// The rules behind the key, and the position of the first score.
    fn read(args: Args<'_>) -> (Self, usize) {
        let mut rules = Self::default();
        let mut at = 2;
        while at < args.len() {
            let word = args.get(at);
            // A score is no letter but for `inf` and `nan`: nearly always this is one look.
            if !word.first().is_some_and(u8::is_ascii_alphabetic) {
                break;
            }
            match word {
                word if is(word, "NX") => rules.only_new = true,
                word if is(word, "XX") => rules.only_old = true,
                word if is(word, "GT") => rules.greater = true,
                word if is(word, "LT") => rules.less = true,
                word if is(word, "CH") => rules.changed = true,
                word if is(word, "INCR") => rules.increment = true,
                _ => break,
            }
            at += 1;
        }
        (rules, at)
    }

    fn check(self, pairs: usize) -> Result<(), Failure> {
        if self.only_new && self.only_old {
            return Err(NEW_AND_OLD);
        }
        if [self.greater, self.less, self.only_new].into_iter().filter(|rule| *rule).count() > 1 {
            return Err(TOO_MANY_RULES);
        }
        if self.increment && pairs > 1 {
            return Err(SINGLE_INCREMENT);
        }
        Ok(())
    }

    /// What becomes of a member: its new score, if it gets one.
    fn decide(self, old: Option<f64>, given: f64, outcome: &mut Outcome) -> Option<f64> {
        let Some(old) = old else {
            if self.only_old {
                return None;
            }
            *outcome = Outcome::Added(given);
            return Some(given);
        };
        if self.only_new {
            return None;
        }
        let new = if self.increment { old + given } else { given };
        if new.is_nan() {
            *outcome = Outcome::NotANumber;
            return None;
        }
        if (self.less && new >= old) || (self.greater && new <= old) {
            return None;
        }
        let different = new != old;
        *outcome = if different { Outcome::Updated(new) } else { Outcome::Same(old) };
        different.then_some(new)
    }
}

/// What became of a member.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Refused,
    Same(f64),
    Added(f64),
    Updated(f64),
    NotANumber,
}

/// Gives one member a score as the rules allow.
fn put(zset: &mut Zset, member: &[u8], score: f64, rules: Rules, limits: &Limits) -> Outcome {
    let mut outcome = Outcome::Refused;
    zset.update(member, limits, |old| rules.decide(old, score, &mut outcome));
    outcome
}

/// Adds the pairs from argument `first` on, of which there is one at least and only one for an increment.
fn add(
    ctx: &mut Context<'_>,
    args: Args<'_>,
    first: usize,
    rules: Rules,
    rewritten: bool,
) -> Result<(), Failure> {
    let score_at = |at: usize| double::parse(args.get(at)).ok_or(error::NOT_A_FLOAT);
    let score = score_at(first)?;
    for at in (first + 2..args.len()).step_by(2) {
        score_at(at)?;
    }
    let limits = &ctx.settings.limits;
    let key = args.get(1);
    let edited = ctx.edit_or_new(key, |zset: &mut Zset, _| {
        let (mut added, mut updated) = (0usize, 0usize);
        let mut last = put(zset, args.get(first + 1), score, rules, limits);
        let mut at = first;
        loop {
            match last {
                Outcome::Added(_) => added += 1,
                Outcome::Updated(_) => updated += 1,
                _ => {}
            }
            at += 2;
            match double::parse(args.get(at)).filter(|_| at + 1 < args.len()) {
                Some(score) => last = put(zset, args.get(at + 1), score, rules, limits),
                None => break,
            }
        }
        ((added, updated, last), added + updated > 0)
    })?;
    let (added, updated, last) = edited.result;
    if let Some(further) = (added + updated).checked_sub(1) {
        ctx.notify(Events::ZSET, if rules.increment { "zincr" } else { "zadd" }, key);
        if rewritten {
            let words: Vec<&[u8]> = args.iter_from(0).collect();
            ctx.effects.instead(ctx.db, &words);
        } else {
            ctx.effects.as_sent(ctx.db);
        }
        ctx.effects.changed(u64::try_from(further).unwrap_or(u64::MAX));
    }
    if !rules.increment {
        ctx.reply.count(if rules.changed { added + updated } else { added });
        return Ok(());
    }
    match last {
        Outcome::Added(score) | Outcome::Updated(score) | Outcome::Same(score) => ctx.reply.double(score),
        Outcome::Refused => ctx.reply.null(),
        Outcome::NotANumber => return Err(NOT_A_NUMBER),
    }
    Ok(())
}
