//! Results that become a key.

use crate::command::context::Context;
use crate::command::effects::Events;
use crate::data::{Kind, zset::Zset};
use crate::keyspace::Ttl;

/// Stores a sorted set in the place of whatever the key holds, and answers with its number of members. An empty one leaves no key.
pub fn store(ctx: &mut Context<'_>, key: &[u8], made: Zset, event: &'static str) {
    let len = made.len();
    if len > 0 {
        ctx.keyspace.put_collection(ctx.db, key, made.wrap(), Ttl::Clear);
        ctx.notify(Events::ZSET, event, key);
        ctx.effects.as_sent(ctx.db);
    } else if ctx.exists(key) && ctx.keyspace.remove(ctx.db, key) {
        ctx.notify(Events::GENERIC, "del", key);
        ctx.effects.as_sent(ctx.db);
    }
    ctx.reply.count(len);
}
