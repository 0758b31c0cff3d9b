//! `rctl env`: connection strings by role, as lines that a shell takes or as JSON.

use serde::Serialize;

use super::look::report;
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::EnvArgs;
use crate::error::{Error, Exit, Result};
use crate::status::{Role, StatusReport};
use crate::topology::Topology;

/// Where the nodes of a set are, by role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Addresses {
    schema: &'static str,
    topology: String,
    /// The master that takes writes.
    pub master: String,
    /// The replicas that answer, in the order of the file.
    pub replicas: Vec<String>,
}

/// Prints the addresses of now: after a failover they are others.
///
/// # Errors
/// No set runs (3); no master takes writes, or several do (7).
pub async fn run(ctx: &Ctx, args: &EnvArgs) -> Result<Outcome> {
    let set = set::running(ctx, &[]).await?;
    let report = report(set.topology(), Some(&set.facts)).await;
    let found = addresses(set.topology(), &report)?;
    if args.json {
        return Ok(Outcome::done(json(&found)?));
    }
    let lines =
        found.variables().into_iter().map(|(name, value)| format!("export {name}={}\n", quoted(&value)));
    Ok(Outcome::done(lines.collect::<String>()))
}

/// The addresses of a set, by what its nodes say.
///
/// # Errors
/// No master takes writes, or several do.
pub fn addresses(topology: &Topology, report: &StatusReport) -> Result<Addresses> {
    let answers = |role: Role| {
        let nodes = report.nodes.iter().filter(move |node| node.role == role && node.last_known_ms.is_none());
        nodes.filter(|node| !node.info.is_empty()).map(|node| node.port).collect::<Vec<u16>>()
    };
    let masters = answers(Role::Master);
    let master = match masters.as_slice() {
        [one] => *one,
        [] => {
            let what = format!("no master of {} answers", topology.name);
            return Err(Error::new(Exit::Refused, what).hint("rctl status").hint("rctl failover"));
        }
        // With several masters the one that has replicas is meant.
        several => {
            let followed = |port: &&u16| report.nodes.iter().any(|node| node.upstream == Some(**port));
            match several.iter().filter(followed).collect::<Vec<_>>().as_slice() {
                [one] => **one,
                _ => {
                    let ports: Vec<String> = several.iter().map(u16::to_string).collect();
                    let what = format!("{} masters answer: {}", several.len(), ports.join(", "));
                    return Err(Error::new(Exit::Refused, what).hint("rctl status"));
                }
            }
        }
    };
    let url = |port: u16| match topology.node(port).and_then(|node| node.password()) {
        Some(password) => format!("redis://:{}@{}:{port}", escaped(password), topology.host(port)),
        None => format!("redis://{}:{port}", topology.host(port)),
    };
    Ok(Addresses {
        schema: "rctl.env/1",
        topology: topology.name.clone(),
        master: url(master),
        replicas: answers(Role::Replica).into_iter().map(url).collect(),
    })
}

impl Addresses {
    /// The environment variables and their values.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("REDIS_URL", self.master.clone()),
            ("REDIS_MASTER_URL", self.master.clone()),
            ("REDIS_REPLICA_URLS", self.replicas.join(",")),
            ("RCTL_TOPOLOGY", self.topology.clone()),
        ]
    }
}

/// A word that every POSIX shell takes as it stands.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What may not stand in the user part of a URL, as RFC 3986 writes it.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_stays_inside_its_url_and_its_word() {
        assert_eq!(escaped("a:b@c/d é"), "a%3Ab%40c%2Fd%20%C3%A9");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
