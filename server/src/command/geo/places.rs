//! Places added and asked for: GEOADD, GEOPOS, GEODIST, GEOHASH.

use super::{distance_text, read_point, read_unit};
use crate::command::args::is;
use crate::command::context::Context;
use crate::command::error::{self, Failure};
use crate::command::zset::add;
use crate::data::geohash::Point;
use crate::data::zset::Zset;
use crate::resp::double::Printed;
use crate::resp::request::OwnedArgs;
use crate::resp::{Args, Reply};

/// `GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]`: a ZADD, which is also what replicas see.
pub fn geoadd(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let mut first = 2;
    let (mut only_new, mut only_old) = (false, false);
    while first < args.len() {
        match args.get(first) {
            word if is(word, "NX") => only_new = true,
            word if is(word, "XX") => only_old = true,
            word if is(word, "CH") => {}
            _ => break,
        }
        first += 1;
    }
    if !(args.len() - first).is_multiple_of(3) || (only_new && only_old) {
        return Err(error::SYNTAX);
    }
    let mut request = OwnedArgs::default();
    request.push(b"ZADD");
    (1..first).for_each(|at| request.push(args.get(at)));
    for at in (first..args.len()).step_by(3) {
        let score = read_point(args.get(at), args.get(at + 1))?.score();
        request.push(Printed::new(score).as_bytes());
        request.push(args.get(at + 2));
    }
    add::zadd_as(ctx, request.args(), true)
}

/// `GEOPOS key [member [member ...]]`
pub fn geopos(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        reply.array(args.len() - 2);
        for member in args.iter_from(2) {
            match found.and_then(|zset| zset.score(member)) {
                Some(score) => write_point(reply, Point::of_score(score)),
                None => reply.null_array(),
            }
        }
    })
}

/// `GEODIST key member1 member2 [M | KM | FT | MI]`
pub fn geodist(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    let unit = match args.len() {
        4 => 1.0,
        5 => read_unit(args.get(4))?,
        _ => return Err(error::SYNTAX),
    };
    ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        let place = |at| found.and_then(|zset| zset.score(args.get(at))).map(Point::of_score);
        match (place(2), place(3)) {
            (Some(one), Some(other)) => reply.bulk(distance_text(one.distance(other) / unit).as_bytes()),
            _ => reply.null(),
        }
    })
}

/// `GEOHASH key [member [member ...]]`
pub fn geohash(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    ctx.view(args.get(1), |found: Option<&Zset>, reply| {
        reply.array(args.len() - 2);
        for member in args.iter_from(2) {
            match found.and_then(|zset| zset.score(member)) {
                Some(score) => reply.bulk(&Point::of_score(score).letters()),
                None => reply.null(),
            }
        }
    })
}

/// Writes a longitude and a latitude.
pub(super) fn write_point(reply: &mut Reply, point: Point) {
    reply.array(2);
    reply.printed(&Printed::decimals(point.longitude));
    reply.printed(&Printed::decimals(point.latitude));
}
