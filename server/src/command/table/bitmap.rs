//! Bitmaps.

use super::{FAST, OOM, R, W};
use crate::command::spec::Handler::Data;
use crate::command::spec::{Command, at, range, row};
use crate::command::{bitfield, bitmap};

#[rustfmt::skip]
pub(super) const ROWS: &[Command] = &[
    row("bitcount",    -2, R,        "bitmap", &[at(1, "RO access")], Data(bitmap::bitcount))
        .doc("key [start end [BYTE | BIT]]", "How many bits of a string are set", "2.6.0", "O(N) in the length counted", "bitmap"),
    row("bitfield",    -2, W | OOM,  "bitmap", &[at(1, "RW access update variable_flags")], Data(bitfield::bitfield))
        .doc("key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] SET encoding offset value | INCRBY encoding offset increment ...]", "Reads and changes integers of any width in a string", "3.2.0", "O(1) for each step", "bitmap"),
    row("bitfield_ro", -2, R | FAST, "bitmap", &[at(1, "RO access")], Data(bitfield::bitfield_ro))
        .doc("key [GET encoding offset [GET encoding offset ...]]", "Reads integers of any width in a string", "6.0.0", "O(1) for each step", "bitmap"),
    row("bitop",       -4, W | OOM,  "bitmap", &[at(2, "OW update"), range(3, -1, 1, "RO access")], Data(bitmap::bitop))
        .doc("<AND | OR | XOR | NOT> destkey key [key ...]", "Joins strings bit by bit and stores the result", "2.6.0", "O(N) in the length of the longest", "bitmap"),
    row("bitpos",      -3, R,        "bitmap", &[at(1, "RO access")], Data(bitmap::bitpos))
        .doc("key bit [start [end [BYTE | BIT]]]", "The first bit of a string that is set, or clear", "2.8.7", "O(N) in the length searched", "bitmap"),
    row("getbit",       3, R | FAST, "bitmap", &[at(1, "RO access")], Data(bitmap::getbit))
        .doc("key offset", "A bit of a string", "2.2.0", "O(1)", "bitmap"),
    row("setbit",       4, W | OOM,  "bitmap", &[at(1, "RW access update")], Data(bitmap::setbit))
        .doc("key offset value", "Sets or clears a bit of a string", "2.2.0", "O(1)", "bitmap"),
];
