//! What the test drivers share: the form of transcripts ([`transcript`]), redis-cli's notation ([`notation`]), a world
//! of nodes without time, network and disk (`rctl_server::sim::World`), and the words of a command transcript played on
//! either that world or a real server ([`session`], [`local`], [`real`]).

pub(crate) mod transcript;
pub(crate) mod notation;
pub(crate) mod session;
pub(crate) mod local;
pub(crate) mod real;
pub(crate) mod cluster;
