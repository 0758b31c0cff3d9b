//! Mistakes made on purpose: each breaks one rule of replication, and the simulation has to notice.
//!
//! A checker that cannot fail proves nothing. With the feature `mutants` a test chooses one mistake at a time; without it
//! [`made`] is a constant `false`, and nothing of this is compiled into the server.

/// A rule to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A continuation starts one byte early.
    ContinueOneEarly,
    /// The second id is good for any position.
    SecondIdUnbounded,
    /// An offset moves inside MULTI.
    OffsetInsideMulti,
    /// A promoted replica does not say its database again.
    SelectNotRepeated,
    /// An acknowledgement counts what was received and not applied.
    AckCountsUnapplied,
    /// Sub-replicas stay when the id changes.
    FeedsKeptAtRename,
    /// Sub-replicas stay when a snapshot replaced the data.
    FeedsKeptAtFullSync,
    /// The id in `+CONTINUE` is not adopted.
    ContinueIdIgnored,
    /// A replica deletes keys past their deadline itself.
    ReplicaExpires,
    /// WAIT counts replicas that are still loading.
    WaitCountsSyncing,
    /// WAIT counts connections, not replicas.
    WaitCountsTwice,
    /// The stream is freed before the slowest replica read it.
    TrimPastSlowest,
    /// A promotion draws no new id.
    PromotionKeepsId,
    /// A replica being dropped still reads the stream.
    ClosingFeedReads,
    /// A transaction goes into the stream without its brackets.
    TransactionUnwrapped,
    /// A replica serves its own master.
    RingServed,
    /// An established replica follows a master that came back empty.
    GuardAsleep,
    /// A handover neither waits for the target nor asks it what it holds.
    HandoverEarly,
    /// A replica over its hard output limit is not dropped.
    HardLimitAsleep,
    /// What a demoted master loses is not counted.
    TailUncounted,
    /// A replica takes the data of a master that came back older.
    OlderTaken,
    /// What could be read of a damaged file is taken for all of it.
    DamageLoaded,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::ContinueOneEarly,
        Self::SecondIdUnbounded,
        Self::OffsetInsideMulti,
        Self::SelectNotRepeated,
        Self::AckCountsUnapplied,
        Self::FeedsKeptAtRename,
        Self::FeedsKeptAtFullSync,
        Self::ContinueIdIgnored,
        Self::ReplicaExpires,
        Self::WaitCountsSyncing,
        Self::WaitCountsTwice,
        Self::TrimPastSlowest,
        Self::PromotionKeepsId,
        Self::ClosingFeedReads,
        Self::TransactionUnwrapped,
        Self::RingServed,
        Self::GuardAsleep,
        Self::HandoverEarly,
        Self::HardLimitAsleep,
        Self::TailUncounted,
        Self::OlderTaken,
        Self::DamageLoaded,
    ];
}

#[cfg(feature = "mutants")]
thread_local! {
    static CHOSEN: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// From now on every node of this thread makes this mistake, or none.
#[cfg(feature = "mutants")]
pub fn choose(mutant: Option<Mutant>) {
    CHOSEN.set(mutant);
}

/// The mistake is to be made here.
#[cfg(feature = "mutants")]
pub(crate) fn made(mutant: Mutant) -> bool {
    CHOSEN.get() == Some(mutant)
}

/// The mistake is to be made here: never.
#[cfg(not(feature = "mutants"))]
#[inline(always)]
pub(crate) const fn made(_: Mutant) -> bool {
    false
}
