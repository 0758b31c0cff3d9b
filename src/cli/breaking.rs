//! What can be typed to break links and to heal them.

use clap::Args;

use super::duration;

/// `rctl cut`.
#[derive(Debug, Clone, Args)]
pub struct CutArgs {
    /// Nodes, each for the link to its upstream, or two nodes: 6379-6381
    #[arg(value_name = "LINK", required = true)]
    pub links: Vec<String>,
    /// Swallow bytes instead of closing: the link looks alive until a timeout
    #[arg(long)]
    pub silent: bool,
}

/// `rctl delay`.
#[derive(Debug, Clone, Args)]
pub struct DelayArgs {
    /// A node, for the link to its upstream, or two nodes: 6379-6381
    #[arg(value_name = "LINK")]
    pub link: String,
    /// How long each way takes: 200ms, 2s
    #[arg(value_name = "TIME", value_parser = duration)]
    pub time: std::time::Duration,
}

/// `rctl throttle`.
#[derive(Debug, Clone, Args)]
pub struct ThrottleArgs {
    /// A node, for the link to its upstream, or two nodes: 6379-6381
    #[arg(value_name = "LINK")]
    pub link: String,
    /// How much each way carries: 64kB/s, 1MB/s, 500B/s
    #[arg(value_name = "RATE", value_parser = rate)]
    pub rate: u64,
}

/// `rctl partition`.
#[derive(Debug, Clone, Args)]
pub struct PartitionArgs {
    /// The nodes of one side, joined by commas; the rest are the other
    #[arg(value_name = "NODES", required = true)]
    pub side: Vec<String>,
    /// Swallow bytes instead of closing
    #[arg(long)]
    pub silent: bool,
}

/// `rctl faults`.
#[derive(Debug, Clone, Args)]
pub struct FaultsArgs {
    /// JSON with a `schema` field
    #[arg(long)]
    pub json: bool,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value = "table", value_name = "FORM")]
    pub output: super::OutputFormat,
}

/// `rctl heal`.
#[derive(Debug, Clone, Args)]
pub struct HealArgs {
    /// The number of a fault, a node, two nodes (6379-6381), or all
    #[arg(value_name = "FAULT", default_value = "all")]
    pub what: String,
}

/// Bytes per second as people type them: `64kB/s`, `1MB/s`, `500`.
fn rate(text: &str) -> Result<u64, String> {
    let plain = text.strip_suffix("/s").unwrap_or(text);
    let digits = plain.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = plain.get(digits.len()..).unwrap_or_default();
    let number: u64 = digits.parse().map_err(|_| "use a number and a unit, such as 64kB/s".to_owned())?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "kib" => 1 << 10,
        "m" | "mb" => 1_000_000,
        "mib" => 1 << 20,
        _ => return Err(format!("unknown unit {unit:?}; use B/s, kB/s or MB/s")),
    };
    let bytes = number.checked_mul(factor).filter(|bytes| (1..=1 << 40).contains(bytes));
    bytes.ok_or_else(|| "from 1 B/s to 1 TB/s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit_of_bytes() {
        for (text, want) in
            [("64kB/s", 64_000), ("1MB/s", 1_000_000), ("500B/s", 500), ("7", 7), ("2KiB/s", 2048)]
        {
            assert_eq!(rate(text), Ok(want), "{text}");
        }
        for bad in ["", "0", "kB/s", "-1", "1.5MB/s", "64kbit/s", "99999999999999999999", "9999999999MB/s"] {
            assert!(rate(bad).is_err(), "{bad} was accepted");
        }
    }
}
