//! What a Sentinel says of the masters it watches.

use std::time::Duration;

use rctl_server::resp::value::Value;
use serde::{Deserialize, Serialize};

use super::client::{Client, ClientError, Failure};
use super::observe::Observation;

/// A master as a Sentinel sees it. What is missing or absurd in the reply is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// What the Sentinels call it.
    pub name: String,
    /// Where it is now.
    pub host: String,
    /// Its port there.
    pub port: u16,
    /// How many replicas of it are known.
    pub replicas: u64,
    /// How many other Sentinels are known that watch it.
    pub others: u64,
    /// How many have to agree that it is gone.
    pub quorum: u64,
    /// Grows with every failover: of two that disagree, the higher one knows better.
    pub epoch: u64,
    /// It is taken for gone, or is being succeeded.
    pub in_doubt: bool,
}

/// Asks a Sentinel for itself (its process and run, as INFO has them) and for its masters.
///
/// # Errors
/// It cannot be asked, or it is no Sentinel.
pub async fn observe_sentinel(
    client: &mut Client,
    timeout: Duration,
) -> Result<(Observation, Vec<Master>), ClientError> {
    let requests: [&[&str]; 2] = [&["INFO", "server"], &["SENTINEL", "MASTERS"]];
    let replies = client.pipeline(&requests, timeout).await?;
    let refused = |kind| ClientError { node: client.node().into(), kind };
    let mut replies = replies.into_iter();
    let info = match replies.next() {
        Some(Value::Error(text)) => return Err(refused(Failure::Reply(text))),
        Some(reply) => Observation::parse(&reply.to_text().unwrap_or_default()),
        None => return Err(refused(Failure::Closed)),
    };
    match replies.next() {
        Some(Value::Array(masters)) => Ok((info, masters.iter().filter_map(master).collect())),
        Some(Value::Error(text)) => Err(refused(Failure::Reply(text))),
        _ => Err(refused(Failure::Malformed("SENTINEL MASTERS gave no list".into()))),
    }
}

/// One row: names and values in turn.
fn master(row: &Value) -> Option<Master> {
    let Value::Array(words) = row else { return None };
    let value = |name: &str| {
        let at = words.iter().step_by(2).position(|word| word.to_text().as_deref() == Some(name))?;
        words.get(at * 2 + 1)?.to_text()
    };
    let number = |name: &str| value(name).and_then(|text| text.parse().ok()).unwrap_or(0);
    let graphic = |text: &String| text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    let flags = value("flags").unwrap_or_default();
    Some(Master {
        name: value("name").filter(graphic)?,
        host: value("ip").filter(graphic)?,
        port: value("port")?.parse().ok()?,
        replicas: number("num-slaves"),
        others: number("num-other-sentinels"),
        quorum: number("quorum"),
        epoch: number("config-epoch"),
        in_doubt: flags.split(',').any(|flag| matches!(flag, "s_down" | "o_down" | "failover_in_progress")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_is_read_by_its_fields_and_a_torn_one_left_out() {
        let row = |words: &[&str]| {
            Value::Array(words.iter().map(|word| Value::Bulk(word.as_bytes().to_vec())).collect())
        };
        let whole = row(&[
            "name",
            "lab-6379",
            "ip",
            "127.0.0.1",
            "port",
            "6381",
            "flags",
            "s_down,master",
            "num-slaves",
            "2",
            "num-other-sentinels",
            "x",
            "quorum",
            "2",
            "config-epoch",
            "7",
            "torn",
        ]);
        let wanted = Master {
            name: "lab-6379".into(),
            host: "127.0.0.1".into(),
            port: 6381,
            replicas: 2,
            others: 0,
            quorum: 2,
            epoch: 7,
            in_doubt: true,
        };
        assert_eq!(master(&whole), Some(wanted));
        for torn in [
            &["name", "lab"][..],
            &[],
            &["name", "\u{1b}[2J", "ip", "h", "port", "1"],
            &["name", "a", "ip", "b", "port", "99999"],
        ] {
            assert_eq!(master(&row(torn)), None, "{torn:?}");
        }
        assert_eq!(master(&Value::Null), None);
    }
}
