//! Where values live: how each field's type is written as text and set from a rule's canonical text.
//!
//! [`Slot::take`] trusts its rule: it gets canonical text only, and answers `false`, changing nothing, if that
//! does not hold. So the table's rows cannot disagree with their fields in silence.

use std::fmt;

/// A field of [`super::Config`].
pub(super) trait Slot {
    /// The value as CONFIG GET gives it.
    fn show(&self) -> String;
    /// Sets the value from a rule's canonical text; `false` when the type cannot hold it.
    fn take(&mut self, canonical: &str) -> bool;
}

impl Slot for bool {
    fn show(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }

    fn take(&mut self, canonical: &str) -> bool {
        *self = canonical == "yes";
        *self || canonical == "no"
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Slot for $type {
            fn show(&self) -> String {
                self.to_string()
            }

            fn take(&mut self, canonical: &str) -> bool {
                canonical.parse().map(|number| *self = number).is_ok()
            }
        }
    )+};
}

integers!(u8, u16, u32, u64, i64);

impl Slot for String {
    fn show(&self) -> String {
        self.clone()
    }

    fn take(&mut self, canonical: &str) -> bool {
        canonical.clone_into(self);
        true
    }
}

/// File permissions, shown in octal; 0 means: as the umask says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mode(pub u32);

impl Slot for Mode {
    fn show(&self) -> String {
        format!("{:o}", self.0)
    }

    fn take(&mut self, canonical: &str) -> bool {
        u32::from_str_radix(canonical, 8).map(|mode| self.0 = mode).is_ok()
    }
}

/// A password: never in `Debug` output.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl Secret {
    /// Whether there is one.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "(set)" } else { "(none)" })
    }
}

impl Slot for Secret {
    fn show(&self) -> String {
        self.0.clone()
    }

    fn take(&mut self, canonical: &str) -> bool {
        self.0.take(canonical)
    }
}

/// Addresses to listen on, as written: `-` in front means it may fail, `*` and `::*` mean every address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind(pub Vec<String>);

impl Slot for Bind {
    fn show(&self) -> String {
        self.0.join(" ")
    }

    fn take(&mut self, canonical: &str) -> bool {
        self.0 = canonical.split_ascii_whitespace().map(str::to_owned).collect();
        true
    }
}

/// Redis' bound on `bind`.
const MAX_ADDRESSES: usize = 16;

/// The rule of `bind`.
pub(super) fn check_bind(words: &[String]) -> Result<String, String> {
    if words.is_empty() {
        return Err(super::rule::WRONG_COUNT.to_owned());
    }
    if words.len() > MAX_ADDRESSES {
        return Err("Too many bind addresses specified.".to_owned());
    }
    Ok(words.join(" ").trim().to_owned())
}

/// The master a node starts under.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicaOf(pub Option<(String, u16)>);

impl Slot for ReplicaOf {
    fn show(&self) -> String {
        self.0.as_ref().map(|(host, port)| format!("{host} {port}")).unwrap_or_default()
    }

    fn take(&mut self, canonical: &str) -> bool {
        let Some((host, port)) = canonical.split_once(' ') else {
            self.0 = None;
            return canonical.is_empty();
        };
        port.parse().map(|port| self.0 = Some((host.to_owned(), port))).is_ok()
    }
}

/// The rule of `replicaof`: `host port`, or `no one`.
pub(super) fn check_replicaof(words: &[String]) -> Result<String, String> {
    match words {
        [no, one] if no.eq_ignore_ascii_case("no") && one.eq_ignore_ascii_case("one") => Ok(String::new()),
        [host, port] => match port.parse::<u16>() {
            Ok(1..) if !host.is_empty() && !host.contains(char::is_whitespace) => {
                Ok(format!("{host} {port}"))
            }
            Ok(1..) => Err("Invalid master host".to_owned()),
            _ => Err("Invalid master port".to_owned()),
        },
        _ => Err(super::rule::WRONG_COUNT.to_owned()),
    }
}

/// Save after `seconds` when at least `changes` keys changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePoint {
    /// Age of the last save, seconds.
    pub seconds: u64,
    /// Changes since then.
    pub changes: u64,
}

/// All save points; none means that nothing is saved by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavePoints(pub Vec<SavePoint>);

impl Default for SavePoints {
    fn default() -> Self {
        let point = |(seconds, changes)| SavePoint { seconds, changes };
        Self([(3600, 1), (300, 100), (60, 10000)].map(point).to_vec())
    }
}

impl Slot for SavePoints {
    fn show(&self) -> String {
        let points: Vec<String> = self.0.iter().map(|p| format!("{} {}", p.seconds, p.changes)).collect();
        points.join(" ")
    }

    /// Adds to what is there; an empty text clears it.
    fn take(&mut self, canonical: &str) -> bool {
        if canonical.is_empty() {
            self.0.clear();
            return true;
        }
        let mut numbers = canonical.split(' ').map_while(|number| number.parse().ok());
        while let (Some(seconds), Some(changes)) = (numbers.next(), numbers.next()) {
            self.0.push(SavePoint { seconds, changes });
        }
        true
    }
}

/// The rule of `save`.
pub(super) fn check_save(words: &[String]) -> Result<String, String> {
    if words.is_empty() {
        return Err(super::rule::WRONG_COUNT.to_owned());
    }
    if matches!(words, [only] if only.is_empty()) {
        return Ok(String::new());
    }
    let invalid = || "Invalid save parameters".to_owned();
    let numbers: Option<Vec<u64>> = words.iter().map(|word| word.parse().ok()).collect();
    let numbers = numbers.filter(|numbers| numbers.len().is_multiple_of(2)).ok_or_else(invalid)?;
    if numbers.iter().step_by(2).any(|seconds| *seconds < 1) {
        return Err(invalid());
    }
    Ok(words.join(" "))
}

/// When a client that does not read is closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Closed at once above so many unsent bytes; 0 is no limit.
    pub hard: u64,
    /// Closed when above so many unsent bytes for `soft_seconds`; 0 is no limit.
    pub soft: u64,
    /// How long, seconds.
    pub soft_seconds: u64,
}

/// The limits by class of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// Everyone else.
    pub normal: OutputLimit,
    /// Attached replicas.
    pub replica: OutputLimit,
    /// Subscribers.
    pub pubsub: OutputLimit,
}

impl Default for OutputLimits {
    fn default() -> Self {
        let limit = |hard, soft, soft_seconds| OutputLimit { hard, soft, soft_seconds };
        Self {
            normal: limit(256 << 20, 0, 0),
            replica: limit(256 << 20, 64 << 20, 60),
            pubsub: limit(32 << 20, 8 << 20, 60),
        }
    }
}

impl Slot for OutputLimits {
    fn show(&self) -> String {
        let class = |name: &str, l: &OutputLimit| format!("{name} {} {} {}", l.hard, l.soft, l.soft_seconds);
        // Clients parse this value: the old word is part of its format.
        let replica = class("slave", &self.replica);
        [class("normal", &self.normal), replica, class("pubsub", &self.pubsub)].join(" ")
    }

    /// Sets the classes that are named; the others stay.
    fn take(&mut self, canonical: &str) -> bool {
        let mut next = *self;
        let mut words = canonical.split(' ');
        while let Some(class) = words.next() {
            let mut number = || words.next().and_then(|word| word.parse().ok());
            let (Some(hard), Some(soft), Some(soft_seconds)) = (number(), number(), number()) else {
                return false;
            };
            let limit = OutputLimit { hard, soft, soft_seconds };
            match class {
                "normal" => next.normal = limit,
                "slave" => next.replica = limit,
                "pubsub" => next.pubsub = limit,
                _ => return false,
            }
        }
        *self = next;
        true
    }
}

/// The rule of `client-output-buffer-limit`: groups of class, hard, soft, seconds.
pub(super) fn check_output_limits(words: &[String]) -> Result<String, String> {
    if words.is_empty() || !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".to_owned());
    }
    let mut canonical = Vec::new();
    for group in words.chunks_exact(4) {
        let [class, hard, soft, seconds] = group else { continue };
        let class = match class.to_ascii_lowercase().as_str() {
            "normal" => "normal",
            "slave" | "replica" => "slave",
            "pubsub" => "pubsub",
            _ => return Err("Invalid client class specified in buffer limit configuration.".to_owned()),
        };
        let limits =
            super::rule::memory(hard).zip(super::rule::memory(soft)).zip(seconds.parse::<u32>().ok());
        let ((hard, soft), seconds) = limits.ok_or_else(|| {
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.".to_owned()
        })?;
        canonical.push(format!("{class} {hard} {soft} {seconds}"));
    }
    Ok(canonical.join(" "))
}

/// The rule of `notify-keyspace-events`: letters, `A` standing for the common ones.
pub(super) fn check_events(words: &[String]) -> Result<String, String> {
    const ALL: &str = "g$lshzxetd";
    let [word] = words else { return Err(super::rule::WRONG_COUNT.to_owned()) };
    let known = |letter: char| "AKEmn".contains(letter) || ALL.contains(letter);
    if !word.chars().all(known) {
        return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned());
    }
    let has = |letter: char| word.contains(letter) || (word.contains('A') && ALL.contains(letter));
    let mut flags = String::new();
    if ALL.chars().all(has) {
        flags.push('A');
    } else {
        flags.extend(ALL.chars().filter(|letter| has(*letter)));
    }
    flags.extend("KEmn".chars().filter(|letter| has(*letter)));
    Ok(flags)
}

/// The rule of `latency-tracking-info-percentiles`.
pub(super) fn check_percentiles(words: &[String]) -> Result<String, String> {
    let good = |word: &String| word.parse::<f64>().is_ok_and(|p| (0.0..=100.0).contains(&p));
    let words: Vec<&String> = words.iter().filter(|word| !word.is_empty()).collect();
    if !words.iter().all(|word| good(word)) {
        return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".to_owned());
    }
    Ok(words.into_iter().map(String::as_str).collect::<Vec<_>>().join(" "))
}

/// The rule of `oom-score-adj-values`: three numbers that do not go down.
pub(super) fn check_oom_values(words: &[String]) -> Result<String, String> {
    let [_, _, _] = words else { return Err(super::rule::WRONG_COUNT.to_owned()) };
    let numbers: Option<Vec<i32>> = words.iter().map(|word| word.parse().ok()).collect();
    let bounded = |numbers: &Vec<i32>| numbers.iter().all(|n| (-2000..=2000).contains(n));
    match numbers.filter(bounded) {
        Some(numbers) if numbers.is_sorted() => Ok(words.join(" ")),
        Some(_) => Err("Invalid oom-score-adj-values, values must be in non-decreasing order.".to_owned()),
        None => Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".to_owned()),
    }
}

/// A closed choice as an enumeration that knows its names.
macro_rules! choices {
    ($($(#[doc = $doc:literal])+ $type:ident { $($(#[doc = $each:literal])+ $name:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $($(#[doc = $each])+ $name),+ }

        impl $type {
            /// Every name, as written in a file.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The name, as written in a file.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The value of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }
        }

        impl Slot for $type {
            fn show(&self) -> String {
                self.name().to_owned()
            }

            fn take(&mut self, canonical: &str) -> bool {
                Self::from_name(canonical).map(|value| *self = value).is_some()
            }
        }
    )+};
}

choices! {
    /// Who may use DEBUG.
    Debugging {
        /// Nobody.
        No = "no",
        /// Everybody.
        Yes = "yes",
        /// Clients on this machine.
        Local = "local",
    }
    /// How a replica takes a snapshot.
    DisklessLoad {
        /// To a file first.
        Disabled = "disabled",
        /// Straight from the socket when there is nothing to lose.
        OnEmptyDb = "on-empty-db",
        /// Straight from the socket, aside the data it has.
        SwapDb = "swapdb",
    }
    /// What is evicted at `maxmemory`.
    Eviction {
        /// The least recently used key with a time to live.
        VolatileLru = "volatile-lru",
        /// The least frequently used key with a time to live.
        VolatileLfu = "volatile-lfu",
        /// A key with a time to live.
        VolatileRandom = "volatile-random",
        /// The key that expires next.
        VolatileTtl = "volatile-ttl",
        /// The least recently used key.
        AllkeysLru = "allkeys-lru",
        /// The least frequently used key.
        AllkeysLfu = "allkeys-lfu",
        /// Any key.
        AllkeysRandom = "allkeys-random",
        /// Nothing: writes are refused.
        NoEviction = "noeviction",
    }
    /// Which lines are logged.
    LogLevel {
        /// All.
        Debug = "debug",
        /// Rarely useful ones too.
        Verbose = "verbose",
        /// What one wants to read.
        Notice = "notice",
        /// What one must read.
        Warning = "warning",
        /// None.
        Nothing = "nothing",
    }
}

/// What a signal's shutdown does, as words of [`ON_SIGNAL`].
pub(super) const ON_SIGNAL: &[&str] = &["default", "save", "nosave", "now", "force"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_values_read_back_what_they_show() {
        let mut limits = OutputLimits::default();
        let words = ["REPLICA", "1mb", "0", "9"].map(str::to_owned);
        assert!(limits.take(&check_output_limits(&words).unwrap()));
        assert_eq!(limits.show(), "normal 268435456 0 0 slave 1048576 0 9 pubsub 33554432 8388608 60");
        let mut again = OutputLimits { normal: OutputLimit::default(), ..OutputLimits::default() };
        assert!(again.take(&limits.show()));
        assert_eq!(again, limits);

        let mut points = SavePoints::default();
        assert!(points.take("") && points.take("900 1") && points.take("60 5 1 1"));
        assert_eq!(points.show(), "900 1 60 5 1 1");

        let mut master = ReplicaOf::default();
        assert!(master.take(&check_replicaof(&["::1", "6379"].map(str::to_owned)).unwrap()));
        assert_eq!(master.show(), "::1 6379");
        assert!(master.take(&check_replicaof(&["NO", "one"].map(str::to_owned)).unwrap()));
        assert_eq!(master, ReplicaOf(None));
    }

    #[test]
    fn event_flags_are_canonical() {
        for (text, want) in [("KEA", "AKE"), ("g$lshzxetd", "A"), ("Kx", "xK"), ("", ""), ("Em$", "$Em")] {
            assert_eq!(check_events(&[text.to_owned()]).unwrap(), want);
        }
        assert!(check_events(&["?".to_owned()]).is_err());
    }

    #[test]
    fn a_password_is_not_printed() {
        assert!(!format!("{:?}", Secret("hunter2".to_owned())).contains("hunter2"));
    }
}
