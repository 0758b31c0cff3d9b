//! Places found: GEOSEARCH, GEOSEARCHSTORE, GEORADIUS, GEORADIUSBYMEMBER and their reading forms.

use super::distance_text;
use super::places::write_point;
use super::request::{Form, Order, Request};
use crate::command::context::Context;
use crate::command::error::Failure;
use crate::command::zset::store::store;
use crate::data::geo_shape::Shape;
use crate::data::geohash::Point;
use crate::data::{Kind, zset::Zset};
use crate::resp::{Args, Reply};

/// `GEORADIUS key longitude latitude radius M|KM|FT|MI [option ...]`
pub fn georadius(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    search(ctx, args, Form::Radius { stores: true })
}

/// `GEORADIUS_RO key longitude latitude radius M|KM|FT|MI [option ...]`
pub fn georadius_ro(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    search(ctx, args, Form::Radius { stores: false })
}

/// `GEORADIUSBYMEMBER key member radius M|KM|FT|MI [option ...]`
pub fn georadiusbymember(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    search(ctx, args, Form::RadiusByMember { stores: true })
}

/// `GEORADIUSBYMEMBER_RO key member radius M|KM|FT|MI [option ...]`
pub fn georadiusbymember_ro(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    search(ctx, args, Form::RadiusByMember { stores: false })
}

/// `GEOSEARCH key FROMMEMBER member|FROMLONLAT longitude latitude BYRADIUS radius unit|BYBOX width height unit [option ...]`
pub fn geosearch(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    search(ctx, args, Form::Search)
}

/// `GEOSEARCHSTORE destination source`, and as GEOSEARCH.
pub fn geosearchstore(ctx: &mut Context<'_>, args: Args<'_>) -> Result<(), Failure> {
    search(ctx, args, Form::SearchStore)
}

fn search(ctx: &mut Context<'_>, args: Args<'_>, form: Form) -> Result<(), Failure> {
    let (request, hits) = ctx.view(args.get(form.source()), |found: Option<&Zset>, _| {
        let request = Request::read(args, form, found)?;
        let mut hits = match (found, request.shape) {
            (Some(zset), Some(shape)) => find(zset, &shape, if request.any { request.count } else { 0 }),
            _ => Vec::new(),
        };
        arrange(&mut hits, &request);
        Ok::<_, Failure>((request, hits))
    })??;
    let Some(target) = request.store else {
        show(ctx.reply, &request, &hits);
        return Ok(());
    };
    let score = |hit: &Hit| if request.store_distances { hit.distance / request.unit } else { hit.score };
    let pairs = hits.iter().map(|hit| (score(hit), &hit.member[..])).collect();
    let made = Zset::from_pairs(pairs, &ctx.settings.limits).unwrap_or_default();
    let further = made.len().saturating_sub(1);
    let event = if form == Form::SearchStore { "geosearchstore" } else { "georadiusstore" };
    store(ctx, target, made, event);
    ctx.effects.changed(u64::try_from(further).unwrap_or(u64::MAX));
    Ok(())
}

/// A place that was found.
struct Hit {
    member: Vec<u8>,
    score: f64,
    point: Point,
    /// In metres.
    distance: f64,
}

/// The places within a shape, at most `most` of them unless that is 0.
fn find(zset: &Zset, shape: &Shape, most: usize) -> Vec<Hit> {
    let mut hits = Vec::new();
    for cell in shape.cells() {
        let scores = cell.scores();
        let first = zset.count_before(|score, _| score < scores.start);
        for (member, score) in zset.walk(first..zset.len(), false) {
            if score >= scores.end {
                break;
            }
            let point = Point::of_score(score);
            if let Some(distance) = shape.within(point) {
                hits.push(Hit { member: member.to_vec(), score, point, distance });
                if hits.len() == most {
                    return hits;
                }
            }
        }
    }
    hits
}

/// Brings places into the order that is asked for, and leaves out what is too many.
fn arrange(hits: &mut Vec<Hit>, request: &Request<'_>) {
    match request.order {
        Order::None => {}
        Order::Ascending => hits.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
        Order::Descending => hits.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
    }
    if request.count > 0 {
        hits.truncate(request.count);
    }
}

fn show(reply: &mut Reply, request: &Request<'_>, hits: &[Hit]) {
    let extras = [request.distances, request.hashes, request.coordinates];
    let extras = extras.into_iter().filter(|extra| *extra).count();
    reply.array(hits.len());
    for hit in hits {
        if extras > 0 {
            reply.array(1 + extras);
        }
        reply.bulk(&hit.member);
        if request.distances {
            reply.bulk(distance_text(hit.distance / request.unit).as_bytes());
        }
        if request.hashes {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "of a score that is no place, what is whole"
            )]
            reply.int(hit.score as i64);
        }
        if request.coordinates {
            write_point(reply, hit.point);
        }
    }
}
