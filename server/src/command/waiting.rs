//! Commands that may wait: what a handler says that found nothing, and how timeouts are read.
//!
//! A handler writes the reply for a client that may not block, and then calls [`Context::block`]. The node takes that reply
//! back if the client may, keeps the request, and runs it again once one of the keys holds a value of the right type.

use super::context::Context;
use super::error::Failure;
use crate::data::Kind;
use crate::resp::Args;
use crate::resp::number::parse_i64;
use crate::resp::request::OwnedArgs;

/// What a request waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The keys, each once.
    pub keys: Vec<Box<[u8]>>,
    /// The type that has to be there ([`Kind::NUMBER`]).
    pub kind: u32,
    /// For how long, in milliseconds; `None` is for ever.
    pub timeout_ms: Option<u64>,
    /// A key that is deleted, or holds another type, ends the waiting too: XREADGROUP then says that its group is gone.
    pub until_gone: bool,
    /// Words of the request that are others when it runs again, with their places: XREAD's `$` is the id it meant.
    pub reworded: Vec<(usize, Box<[u8]>)>,
}

impl Waiting {
    /// Waits until one of `keys` holds a collection of type `K`.
    #[must_use]
    pub fn on<'k, K: Kind>(keys: impl IntoIterator<Item = &'k [u8]>, timeout_ms: Option<u64>) -> Self {
        let mut kept: Vec<Box<[u8]>> = keys.into_iter().map(Into::into).collect();
        // Sorted, so that a request of very many keys is not compared with itself.
        kept.sort_unstable();
        kept.dedup();
        Self { keys: kept, kind: K::NUMBER, timeout_ms, until_gone: false, reworded: Vec::new() }
    }

    /// The same, and a key that goes away ends it too.
    #[must_use]
    pub fn or_gone(self) -> Self {
        Self { until_gone: true, ..self }
    }

    /// The request as it is to run again.
    #[must_use]
    pub fn request(&self, args: Args<'_>) -> OwnedArgs {
        let mut request = OwnedArgs::default();
        for (at, word) in args.iter_from(0).enumerate() {
            let new = self.reworded.iter().find(|(place, _)| *place == at);
            request.push(new.map_or(word, |(_, word)| word));
        }
        request
    }
}

impl Context<'_> {
    /// The request found nothing and waits, if its client may. The reply written so far stands if it may not (in a
    /// transaction, in the master's stream).
    pub fn block(&mut self, waiting: Waiting) {
        self.effects.wish(waiting);
    }
}

/// A timeout in seconds, fractions allowed, as milliseconds; `None` for 0, which is for ever.
///
/// # Errors
/// It is no number, negative, or too far away.
pub fn timeout_seconds(word: &[u8], now_ms: u64) -> Result<Option<u64>, Failure> {
    // What is too large for a double is a number all the same, and out of range.
    let seconds: Option<f64> = str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    let seconds = seconds.filter(|seconds| !seconds.is_nan());
    let seconds = seconds.ok_or(Failure::fixed("ERR timeout is not a float or out of range"))?;
    let millis = (seconds * 1000.0).ceil();
    // The largest whole number of milliseconds that is below 2^63.
    if millis >= 9_223_372_036_854_775_807.0 {
        return Err(OUT_OF_RANGE);
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 2^63, and what is below zero is refused")]
    bounded(millis as i64, now_ms)
}

/// A timeout in whole milliseconds; `None` for 0, which is for ever.
///
/// # Errors
/// It is no integer, negative, or too far away.
pub fn timeout_millis(word: &[u8], now_ms: u64) -> Result<Option<u64>, Failure> {
    let millis = parse_i64(word).ok_or(Failure::fixed("ERR timeout is not an integer or out of range"))?;
    bounded(millis, now_ms)
}

const OUT_OF_RANGE: Failure = Failure::fixed("ERR timeout is out of range");

fn bounded(millis: i64, now_ms: u64) -> Result<Option<u64>, Failure> {
    let millis = u64::try_from(millis).map_err(|_| Failure::fixed("ERR timeout is negative"))?;
    let end = now_ms.checked_add(millis).filter(|end| i64::try_from(*end).is_ok());
    end.map(|_| (millis > 0).then_some(millis)).ok_or(OUT_OF_RANGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_in_fractions_of_a_second_and_rounded_up() {
        for (word, want) in [
            ("0", Ok(None)),
            ("0.1", Ok(Some(100))),
            ("0.0001", Ok(Some(1))),
            ("1.5", Ok(Some(1500))),
            ("1e3", Ok(Some(1_000_000))),
            ("-1", Err("ERR timeout is negative")),
            ("x", Err("ERR timeout is not a float or out of range")),
            ("", Err("ERR timeout is not a float or out of range")),
            ("1e400", Err("ERR timeout is out of range")),
            ("nan", Err("ERR timeout is not a float or out of range")),
            ("inf", Err("ERR timeout is out of range")),
            ("9223372036854775807", Err("ERR timeout is out of range")),
        ] {
            let want = want.map_err(Failure::fixed);
            assert_eq!(timeout_seconds(word.as_bytes(), 1000), want, "{word}");
        }
        assert_eq!(timeout_millis(b"1500", 0), Ok(Some(1500)));
        assert_eq!(
            timeout_millis(b"1.5", 0),
            Err(Failure::fixed("ERR timeout is not an integer or out of range"))
        );
        assert_eq!(timeout_millis(b"9223372036854775807", 1), Err(OUT_OF_RANGE));
    }
}
