//! The time of a turn, handed in from outside: the core reads no clock.

/// When an input happened, on both clocks. Taken once per turn by the shell; made up by the simulation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, milliseconds since the Unix epoch: expiry, TIME, LASTSAVE. May jump.
    pub wall_ms: u64,
    /// Monotonic clock, microseconds since some start: timers, durations, lag. Never goes back.
    pub mono_us: u64,
}

impl Now {
    /// Monotonic milliseconds.
    #[must_use]
    pub fn mono_ms(self) -> u64 {
        self.mono_us / 1000
    }
}
