//! Places on a sorted set.

use super::{OOM, R, W};
use crate::command::geo::{places, search};
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, behind, row};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("geoadd",               -5, W | OOM, "geo", &[at(1, "RW update")], Data(places::geoadd))
        .doc("key [NX | XX] [CH] longitude:double latitude:double member [longitude:double latitude:double member ...]", "Adds places", "3.2.0", "O(log(N)) a place", "geo"),
    row("geodist",              -4, R,       "geo", &[at(1, "RO access")], Data(places::geodist))
        .doc("key member1 member2 [M | KM | FT | MI]", "The distance between two places", "3.2.0", "O(log(N))", "geo"),
    row("geohash",              -2, R,       "geo", &[at(1, "RO access")], Data(places::geohash))
        .doc("key [member [member ...]]", "The geohashes of places", "3.2.0", "O(log(N)) a place", "geo"),
    row("geopos",               -2, R,       "geo", &[at(1, "RO access")], Data(places::geopos))
        .doc("key [member [member ...]]", "The longitudes and latitudes of places", "3.2.0", "O(log(N)) a place", "geo"),
    row("georadius",            -6, W | OOM, "geo", &[at(1, "RO access"), behind("STORE", 6, 0, 0, "OW update"), behind("STOREDIST", 6, 0, 0, "OW update")], Data(search::georadius))
        .doc("key longitude:double latitude:double radius:double <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE storekey | STOREDIST storedistkey]", "The places within a distance of a point, given or stored", "3.2.0", "O(N+log(M)) in places near and given", "geo"),
    row("georadius_ro",         -6, R,       "geo", &[at(1, "RO access")], Data(search::georadius_ro))
        .doc("key longitude:double latitude:double radius:double <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]", "The places within a distance of a point", "3.2.10", "O(N+log(M)) in places near and given", "geo"),
    row("georadiusbymember",    -5, W | OOM, "geo", &[at(1, "RO access"), behind("STORE", 5, 0, 0, "OW update"), behind("STOREDIST", 5, 0, 0, "OW update")], Data(search::georadiusbymember))
        .doc("key member radius:double <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC] [STORE storekey | STOREDIST storedistkey]", "The places within a distance of another, given or stored", "3.2.0", "O(N+log(M)) in places near and given", "geo"),
    row("georadiusbymember_ro", -5, R,       "geo", &[at(1, "RO access")], Data(search::georadiusbymember_ro))
        .doc("key member radius:double <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]", "The places within a distance of another", "3.2.10", "O(N+log(M)) in places near and given", "geo"),
    row("geosearch",            -7, R,       "geo", &[at(1, "RO access")], Data(search::geosearch))
        .doc("key <FROMMEMBER member | FROMLONLAT longitude:double latitude:double> <BYRADIUS radius:double <M | KM | FT | MI> | BYBOX width:double height:double <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]", "The places within a circle or a box", "6.2.0", "O(N+log(M)) in places near and given", "geo"),
    row("geosearchstore",       -8, W | OOM, "geo", &[at(1, "OW update"), at(2, "RO access")], Data(search::geosearchstore))
        .doc("destination source <FROMMEMBER member | FROMLONLAT longitude:double latitude:double> <BYRADIUS radius:double <M | KM | FT | MI> | BYBOX width:double height:double <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] [STOREDIST]", "Stores the places within a circle or a box", "6.2.0", "O(N+log(M)) in places near and given", "geo"),
];
