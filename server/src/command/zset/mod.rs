//! Sorted sets: every command on them.
//!
//! Reading order: [`bounds`] (what a range is), [`add`], [`read`], [`range`], [`remove`], [`pop`], [`combine`] (several sets made
//! into one), [`random`] (draws and walks), [`store`] (results that become a key).

pub mod add;
pub mod bounds;
pub mod combine;
pub mod pop;
pub mod random;
pub mod range;
pub mod read;
pub mod remove;
pub mod store;

use super::sets::write_text;
use crate::data::listpack::Item;
use crate::resp::Reply;

/// Writes members, or members with their scores: pairs in RESP3, one after the other in RESP2.
pub(super) fn write_pairs<'a>(
    reply: &mut Reply,
    pairs: impl ExactSizeIterator<Item = (Item<'a>, f64)>,
    scores: bool,
) {
    let nested = scores && reply.resp3();
    reply.array(if scores && !nested { pairs.len().saturating_mul(2) } else { pairs.len() });
    for (member, score) in pairs {
        if nested {
            reply.array(2);
        }
        write_text(reply, member);
        if scores {
            reply.double(score);
        }
    }
}
