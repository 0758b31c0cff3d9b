//! Sorted sets.

use super::{BLOCKING, FAST, NOSCRIPT, OOM, R, W};
use crate::command::blocking;
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, counted, range as keys, row};
use crate::command::zset::{add, combine, pop, random, range, read, remove};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("bzmpop",           -5, W | BLOCKING,   "sortedset", &[counted(2, "RW access delete")], Data(blocking::bzmpop))
        .doc("timeout:double numkeys key [key ...] <MIN | MAX> [COUNT count]", "Takes members out of the first set that has any, waiting for one", "7.0.0", "O(K+M*log(N)) in keys and members taken out", "sorted-set"),
    row("bzpopmax",         -3, W | NOSCRIPT | BLOCKING | FAST, "sortedset", &[keys(1, -2, 1, "RW access delete")], Data(blocking::bzpopmax))
        .doc("key [key ...] timeout:double", "Takes the member of the highest score out of the first set that has one, waiting for it", "5.0.0", "O(log(N))", "sorted-set"),
    row("bzpopmin",         -3, W | NOSCRIPT | BLOCKING | FAST, "sortedset", &[keys(1, -2, 1, "RW access delete")], Data(blocking::bzpopmin))
        .doc("key [key ...] timeout:double", "Takes the member of the lowest score out of the first set that has one, waiting for it", "5.0.0", "O(log(N))", "sorted-set"),
    row("zadd",             -4, W | OOM | FAST, "sortedset", &[at(1, "RW update")], Data(add::zadd))
        .doc("key [NX | XX] [GT | LT] [CH] [INCR] score:double member [score:double member ...]", "Gives members a score", "1.2.0", "O(log(N)) a member", "sorted-set"),
    row("zcard",             2, R | FAST,       "sortedset", &[at(1, "RO")], Data(read::zcard))
        .doc("key", "The number of members", "1.2.0", "O(1)", "sorted-set"),
    row("zcount",            4, R | FAST,       "sortedset", &[at(1, "RO access")], Data(read::zcount))
        .doc("key min:double max:double", "How many members have a score in a range", "2.0.0", "O(log(N))", "sorted-set"),
    row("zdiff",            -3, R,              "sortedset", &[counted(1, "RO access")], Data(combine::zdiff))
        .doc("numkeys key [key ...] [WITHSCORES]", "The members of the first set that no other has", "6.2.0", "O(L) in members of all sets", "sorted-set"),
    row("zdiffstore",       -4, W | OOM,        "sortedset", &[at(1, "OW update"), counted(2, "RO access")], Data(combine::zdiffstore))
        .doc("destination numkeys key [key ...]", "Stores the members of the first set that no other has", "6.2.0", "O(L) in members of all sets", "sorted-set"),
    row("zincrby",           4, W | OOM | FAST, "sortedset", &[at(1, "RW access update")], Data(add::zincrby))
        .doc("key increment:double member", "Adds to the score of a member", "1.2.0", "O(log(N))", "sorted-set"),
    row("zinter",           -3, R,              "sortedset", &[counted(1, "RO access")], Data(combine::zinter))
        .doc("numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]", "The members that all sets have", "6.2.0", "O(N*K) in members of the smallest set and sets", "sorted-set"),
    row("zintercard",       -3, R,              "sortedset", &[counted(1, "RO access")], Data(combine::zintercard))
        .doc("numkeys key [key ...] [LIMIT limit]", "How many members all sets have", "7.0.0", "O(N*K) in members of the smallest set and sets", "sorted-set"),
    row("zinterstore",      -4, W | OOM,        "sortedset", &[at(1, "OW update"), counted(2, "RO access")], Data(combine::zinterstore))
        .doc("destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]", "Stores the members that all sets have", "2.0.0", "O(N*K) in members of the smallest set and sets", "sorted-set"),
    row("zlexcount",         4, R | FAST,       "sortedset", &[at(1, "RO access")], Data(read::zlexcount))
        .doc("key min:string max:string", "How many members of one score are in a range", "2.8.9", "O(log(N))", "sorted-set"),
    row("zmpop",            -4, W,              "sortedset", &[counted(1, "RW access delete")], Data(pop::zmpop))
        .doc("numkeys key [key ...] <MIN | MAX> [COUNT count]", "Takes members out of the first set that has any", "7.0.0", "O(K+M*log(N)) in keys and members taken out", "sorted-set"),
    row("zmscore",          -3, R | FAST,       "sortedset", &[at(1, "RO access")], Data(read::zmscore))
        .doc("key member [member ...]", "The scores of several members", "6.2.0", "O(log(N)) a member", "sorted-set"),
    row("zpopmax",          -2, W | FAST,       "sortedset", &[at(1, "RW access delete")], Data(pop::zpopmax))
        .doc("key [count]", "Takes the members of the highest scores out", "5.0.0", "O(log(N)) a member", "sorted-set"),
    row("zpopmin",          -2, W | FAST,       "sortedset", &[at(1, "RW access delete")], Data(pop::zpopmin))
        .doc("key [count]", "Takes the members of the lowest scores out", "5.0.0", "O(log(N)) a member", "sorted-set"),
    row("zrandmember",      -2, R,              "sortedset", &[at(1, "RO access")], Data(random::zrandmember))
        .doc("key [count [WITHSCORES]]", "Members drawn at random", "6.2.0", "O(N) in members given", "sorted-set").tips("nondeterministic_output"),
    row("zrange",           -4, R,              "sortedset", &[at(1, "RO access")], Data(range::zrange))
        .doc("key start:string stop:string [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]", "The members in a range", "1.2.0", "O(log(N)+M) in members given", "sorted-set"),
    row("zrangebylex",      -4, R,              "sortedset", &[at(1, "RO access")], Data(range::zrangebylex))
        .doc("key min:string max:string [LIMIT offset count]", "The members of one score in a range of members", "2.8.9", "O(log(N)+M) in members given", "sorted-set"),
    row("zrangebyscore",    -4, R,              "sortedset", &[at(1, "RO access")], Data(range::zrangebyscore))
        .doc("key min:double max:double [WITHSCORES] [LIMIT offset count]", "The members in a range of scores", "1.0.5", "O(log(N)+M) in members given", "sorted-set"),
    row("zrangestore",      -5, W | OOM,        "sortedset", &[at(1, "OW update"), at(2, "RO access")], Data(range::zrangestore))
        .doc("destination source min:string max:string [BYSCORE | BYLEX] [REV] [LIMIT offset count]", "Stores the members in a range", "6.2.0", "O(log(N)+M) in members stored", "sorted-set"),
    row("zrank",            -3, R | FAST,       "sortedset", &[at(1, "RO access")], Data(read::zrank))
        .doc("key member [WITHSCORE]", "The place of a member, counted from the lowest score", "2.0.0", "O(log(N))", "sorted-set"),
    row("zrem",             -3, W | FAST,       "sortedset", &[at(1, "RW delete")], Data(remove::zrem))
        .doc("key member [member ...]", "Removes members", "1.2.0", "O(log(N)) a member", "sorted-set"),
    row("zremrangebylex",    4, W,              "sortedset", &[at(1, "RW delete")], Data(remove::zremrangebylex))
        .doc("key min:string max:string", "Removes the members of one score in a range of members", "2.8.9", "O(M*log(N)) in members removed", "sorted-set"),
    row("zremrangebyrank",   4, W,              "sortedset", &[at(1, "RW delete")], Data(remove::zremrangebyrank))
        .doc("key start stop", "Removes the members in a range of places", "2.0.0", "O(M*log(N)) in members removed", "sorted-set"),
    row("zremrangebyscore",  4, W,              "sortedset", &[at(1, "RW delete")], Data(remove::zremrangebyscore))
        .doc("key min:double max:double", "Removes the members in a range of scores", "1.2.0", "O(M*log(N)) in members removed", "sorted-set"),
    row("zrevrange",        -4, R,              "sortedset", &[at(1, "RO access")], Data(range::zrevrange))
        .doc("key start stop [WITHSCORES]", "The members in a range of places, from the highest score", "1.2.0", "O(log(N)+M) in members given", "sorted-set"),
    row("zrevrangebylex",   -4, R,              "sortedset", &[at(1, "RO access")], Data(range::zrevrangebylex))
        .doc("key max:string min:string [LIMIT offset count]", "The members of one score in a range of members, from the last", "2.8.9", "O(log(N)+M) in members given", "sorted-set"),
    row("zrevrangebyscore", -4, R,              "sortedset", &[at(1, "RO access")], Data(range::zrevrangebyscore))
        .doc("key max:double min:double [WITHSCORES] [LIMIT offset count]", "The members in a range of scores, from the highest", "2.2.0", "O(log(N)+M) in members given", "sorted-set"),
    row("zrevrank",         -3, R | FAST,       "sortedset", &[at(1, "RO access")], Data(read::zrevrank))
        .doc("key member [WITHSCORE]", "The place of a member, counted from the highest score", "2.0.0", "O(log(N))", "sorted-set"),
    row("zscan",            -3, R,              "sortedset", &[at(1, "RO access")], Data(random::zscan))
        .doc("key cursor [MATCH pattern] [COUNT count]", "Some members with their scores, and where to go on", "2.8.0", "O(1) a call, O(N) in all", "sorted-set").tips("nondeterministic_output"),
    row("zscore",            3, R | FAST,       "sortedset", &[at(1, "RO access")], Data(read::zscore))
        .doc("key member", "The score of a member", "1.2.0", "O(log(N))", "sorted-set"),
    row("zunion",           -3, R,              "sortedset", &[counted(1, "RO access")], Data(combine::zunion))
        .doc("numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]", "The members that any set has", "6.2.0", "O(N*log(N)) in members of all sets", "sorted-set"),
    row("zunionstore",      -4, W | OOM,        "sortedset", &[at(1, "OW update"), counted(2, "RO access")], Data(combine::zunionstore))
        .doc("destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>]", "Stores the members that any set has", "2.0.0", "O(N*log(N)) in members of all sets", "sorted-set"),
];
