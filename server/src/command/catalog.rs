//! What can be asked about the table itself: COMMAND and its subcommands, HELP of every container; and the two data
//! commands that touch no key, ECHO and TIME.

use super::context::Context;
use super::error::{self, Failure};
use super::lookup::{KeyPositions, keys_of, lookup, lookup_sub};
use super::spec::{Begin, Command, Find, KeySpec};
use super::table::TABLE;
use crate::data::glob;
use crate::resp::{Args, Reply};

/// `ECHO message`
pub fn echo(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.reply.bulk(args.get(1));
    Ok(())
}

/// `TIME`: seconds and the microseconds within the second. The clock of a turn counts milliseconds.
pub fn time(ctx: &mut Context<'_>, _: Args<'_>) -> Result<(), Failure> {
    let seconds = i64::try_from(ctx.now_ms / 1000).unwrap_or(i64::MAX);
    let micros = i64::try_from(ctx.now_ms % 1000 * 1000).unwrap_or(0);
    ctx.reply.array(2);
    ctx.reply.bulk_int(seconds);
    ctx.reply.bulk_int(micros);
    Ok(())
}

/// `COMMAND`: every row, as `COMMAND INFO` shows it.
pub fn command(ctx: &mut Context<'_>, _: Args<'_>) -> Result<(), Failure> {
    ctx.reply.array(TABLE.len());
    for command in TABLE {
        write_info(ctx.reply, command);
    }
    Ok(())
}

/// `COMMAND COUNT`
pub fn count(ctx: &mut Context<'_>, _: Args<'_>) -> Result<(), Failure> {
    ctx.reply.count(TABLE.len());
    Ok(())
}

/// `COMMAND INFO [name ...]`: a null for what is no command.
pub fn info(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    if args.len() == 2 {
        return command(ctx, args);
    }
    ctx.reply.array(args.len() - 2);
    for name in args.iter_from(2) {
        match named(name) {
            Some(command) => write_info(ctx.reply, command),
            None => ctx.reply.null_array(),
        }
    }
    Ok(())
}

/// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`
pub fn list(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let (by, value) = (args.get(3), args.get(4));
    let keep: &dyn Fn(&Command) -> bool = match args.len() {
        2 => &|command: &Command| !command.name.contains('|'),
        5 if !args.get(2).eq_ignore_ascii_case(b"filterby") => return Err(error::SYNTAX),
        5 if by.eq_ignore_ascii_case(b"module") => &|_: &Command| false,
        5 if by.eq_ignore_ascii_case(b"aclcat") => {
            &|command: &Command| command.categories().any(|name| name.as_bytes().eq_ignore_ascii_case(value))
        }
        5 if by.eq_ignore_ascii_case(b"pattern") => {
            &|command: &Command| glob::matches(value, command.name.as_bytes(), true)
        }
        _ => return Err(error::SYNTAX),
    };
    let all = TABLE.iter().flat_map(|command| std::iter::once(command).chain(command.subcommands));
    let names: Vec<&str> = all.filter(|command| keep(command)).map(|command| command.name).collect();
    ctx.reply.array(names.len());
    for name in names {
        ctx.reply.bulk(name.as_bytes());
    }
    Ok(())
}

/// `COMMAND GETKEYS command [arg ...]`
pub fn getkeys(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let keys = key_positions(args)?;
    ctx.reply.array(keys.clone().count());
    for position in keys {
        ctx.reply.bulk(args.get(position + 2));
    }
    Ok(())
}

/// `COMMAND GETKEYSANDFLAGS command [arg ...]`
pub fn getkeysandflags(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let mut keys = key_positions(args)?;
    let says =
        |from: usize, wanted: &[u8]| args.iter_from(from).any(|word| word.eq_ignore_ascii_case(wanted));
    let set = args.get(2).eq_ignore_ascii_case(b"set");
    let get = set && says(5, b"get");
    let only_reads = !set && !says(4, b"set") && !says(4, b"incrby");
    ctx.reply.array(keys.clone().count());
    while let Some((position, access)) = keys.next_with_access() {
        // SET reads the old value only when GET asks for it; BITFIELD may do nothing but read.
        let access = match access {
            "RW access update variable_flags" if only_reads => "RO access",
            "RW access update variable_flags" if get || !set => "RW access update",
            "RW access update variable_flags" => "OW update",
            other => other,
        };
        ctx.reply.array(2);
        ctx.reply.bulk(args.get(position + 2));
        write_words(ctx.reply, access);
    }
    Ok(())
}

/// `HELP` of a container, from its rows.
pub fn help(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let Some(container) = lookup(args.get(0)) else { return Err(error::unknown_command(args)) };
    let name = container.name.to_ascii_uppercase();
    ctx.reply.array(1 + 2 * container.subcommands.len());
    ctx.reply.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for sub in container.subcommands {
        let word = sub.word().to_ascii_uppercase();
        ctx.reply.simple(format!("{word} {}", sub.synopsis).trim_end());
        ctx.reply.simple(&format!("    {}.", sub.summary));
    }
    Ok(())
}

/// A row by its name as one word: `get`, `config|get`.
pub(super) fn named(name: &[u8]) -> Option<&'static Command> {
    match memchr::memchr(b'|', name) {
        None => lookup(name),
        Some(bar) => {
            let (container, word) = name.split_at_checked(bar)?;
            lookup_sub(lookup(container)?, word.get(1..)?)
        }
    }
}

/// The keys of the request that follows the two words of `COMMAND GETKEYS`.
fn key_positions(args: Args<'_>) -> Result<KeyPositions<'_>, Failure> {
    let request = args.skip(2);
    let command = super::lookup::resolve(request).ok_or(Failure::fixed("ERR Invalid command specified"))?;
    if command.keys.iter().all(|spec| spec.access == super::spec::NOT_KEY) {
        return Err(Failure::fixed("ERR The command has no key arguments"));
    }
    if !command.takes(request.len()) {
        return Err(Failure::fixed("ERR Invalid number of arguments specified for command"));
    }
    Ok(keys_of(command, request))
}

/// One row, as `COMMAND` shows it.
fn write_info(reply: &mut Reply, command: &Command) {
    reply.array(10);
    reply.bulk(command.name.as_bytes());
    reply.int(i64::from(command.arity));
    reply.set(command.flags.names().count());
    command.flags.names().for_each(|name| reply.simple(name));
    let (first, last, step) = legacy_range(command.keys);
    reply.int(i64::from(first));
    reply.int(i64::from(last));
    reply.int(i64::from(step));
    reply.set(command.categories().count());
    command.categories().for_each(|name| reply.simple(&format!("@{name}")));
    let tips = command.tips.split_ascii_whitespace();
    reply.set(tips.clone().count());
    tips.for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(command.keys.len());
    command.keys.iter().for_each(|spec| write_key_spec(reply, spec));
    // An oddity of Redis that RESP3 shows: none is an empty set, some are an array.
    match command.subcommands.len() {
        0 => reply.set(0),
        count => reply.array(count),
    }
    command.subcommands.iter().for_each(|sub| write_info(reply, sub));
}

/// First key, last key and step, as old clients know them: one range over all specs that are plain ranges.
fn legacy_range(keys: &[KeySpec]) -> (i16, i16, i16) {
    let plain = |spec: &KeySpec| match (spec.begin, spec.find) {
        (Begin::Index(first), Find::Range { last, step, .. }) => Some((first, last, step)),
        _ => None,
    };
    let mut ranges = keys.iter().filter_map(plain);
    let Some((first, last, step)) = ranges.next() else { return (0, 0, 0) };
    let end = |first: i16, last: i16| if last < 0 { last } else { first.saturating_add(last) };
    let last = ranges.fold(end(first, last), |_, (first, last, _)| end(first, last));
    (first, last, step)
}

fn write_key_spec(reply: &mut Reply, spec: &KeySpec) {
    reply.map(3);
    reply.bulk(b"flags");
    write_words(reply, spec.access);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => write_search(reply, "index", &[("index", index)], None),
        Begin::Keyword(word, from) => write_search(reply, "keyword", &[("startfrom", from)], Some(word)),
        Begin::Unknown(_) => write_search(reply, "unknown", &[], None),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Unknown => write_search(reply, "unknown", &[], None),
        Find::Range { last, step, limit } => {
            write_search(reply, "range", &[("lastkey", last), ("keystep", step), ("limit", limit)], None);
        }
        Find::Count { at, first } => {
            write_search(reply, "keynum", &[("keynumidx", at), ("firstkey", first), ("keystep", 1)], None);
        }
    }
}

fn write_search(reply: &mut Reply, kind: &str, numbers: &[(&str, i16)], keyword: Option<&str>) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(numbers.len() + usize::from(keyword.is_some()));
    if let Some(word) = keyword {
        reply.bulk(b"keyword");
        reply.bulk(word.as_bytes());
    }
    for (name, value) in numbers {
        reply.bulk(name.as_bytes());
        reply.int(i64::from(*value));
    }
}

/// Words separated by spaces, as a set of simple strings.
fn write_words(reply: &mut Reply, words: &str) {
    let words = words.split_ascii_whitespace();
    reply.set(words.clone().count());
    words.for_each(|word| reply.simple(word));
}
