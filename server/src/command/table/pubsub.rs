//! Pub/sub.

use super::{CHANNEL, FAST, LOADING, MAY_REPL, NOSCRIPT, STALE};
use crate::command::catalog;
use crate::command::spec::Handler::{Container, Control, Data};
use crate::command::spec::{Command, Control as C, NOT_KEY, at, range, row};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("psubscribe",    -2, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::PSubscribe))
        .doc("pattern [pattern ...]", "Listens to channels whose names match", "2.0.0", "O(N) in patterns", "pubsub"),
    row("publish",        3, CHANNEL | LOADING | STALE | FAST | MAY_REPL, "", &[], Control(C::Publish))
        .doc("channel message", "Sends a message to a channel", "2.0.0", "O(N+M) in subscribers and patterns", "pubsub"),
    row("pubsub",        -2, 0,                                           "", &[], Container)
        .doc("", "Channels and who listens", "2.8.0", "Depends on the subcommand", "pubsub").subs(PUBSUB),
    row("punsubscribe",  -1, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::PUnsubscribe))
        .doc("[pattern [pattern ...]]", "Stops listening to patterns", "2.0.0", "O(N+M) in patterns", "pubsub"),
    row("spublish",       3, CHANNEL | LOADING | STALE | FAST | MAY_REPL, "", &[at(1, NOT_KEY)], Control(C::SPublish))
        .doc("shardchannel message", "Sends a message to a shard channel", "7.0.0", "O(N) in subscribers", "pubsub"),
    row("ssubscribe",    -2, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[range(1, -1, 1, NOT_KEY)], Control(C::SSubscribe))
        .doc("shardchannel [shardchannel ...]", "Listens to shard channels", "7.0.0", "O(N) in channels", "pubsub"),
    row("subscribe",     -2, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::Subscribe))
        .doc("channel [channel ...]", "Listens to channels", "2.0.0", "O(N) in channels", "pubsub"),
    row("sunsubscribe",  -1, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[range(1, -1, 1, NOT_KEY)], Control(C::SUnsubscribe))
        .doc("[shardchannel [shardchannel ...]]", "Stops listening to shard channels", "7.0.0", "O(N) in channels", "pubsub"),
    row("unsubscribe",   -1, CHANNEL | NOSCRIPT | LOADING | STALE,        "", &[], Control(C::Unsubscribe))
        .doc("[channel [channel ...]]", "Stops listening to channels", "2.0.0", "O(N) in subscribers", "pubsub"),
];

#[rustfmt::skip]
const PUBSUB: &[Command] = &[
    row("pubsub|channels",  -2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubChannels))
        .doc("[pattern]", "Channels that somebody listens to", "2.8.0", "O(N) in channels", "pubsub"),
    row("pubsub|help",       2, LOADING | STALE,           "", &[], Data(catalog::help))
        .doc("", "Lists the subcommands", "6.2.0", "O(1)", "pubsub"),
    row("pubsub|numpat",     2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubNumPat))
        .doc("", "How many patterns are listened to", "2.8.0", "O(1)", "pubsub"),
    row("pubsub|numsub",    -2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubNumSub))
        .doc("[channel [channel ...]]", "How many listen to each channel", "2.8.0", "O(N) in channels asked", "pubsub"),
    row("pubsub|shardchannels", -2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubShardChannels))
        .doc("[pattern]", "Shard channels that somebody listens to", "7.0.0", "O(N) in shard channels", "pubsub"),
    row("pubsub|shardnumsub",   -2, CHANNEL | LOADING | STALE, "", &[], Control(C::PubsubShardNumSub))
        .doc("[shardchannel [shardchannel ...]]", "How many listen to each shard channel", "7.0.0", "O(N) in channels asked", "pubsub"),
];
