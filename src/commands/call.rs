//! `rctl call SEL CMD…`: the same command on many nodes at the same time, each reply under its node.

use serde::Serialize;
use tokio::task::JoinSet;

use rctl_server::resp::Value;

use super::look::auth;
use super::select::{label, select};
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::CallArgs;
use crate::error::{Exit, Result};
use crate::node::client::{CHANGE, Client, ClientError, REPLY_LIMIT_MAX};
use crate::prompt::format::{Delimiters, Form, format};

#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    replies: Vec<One>,
}

#[derive(Serialize)]
struct One {
    node: u16,
    ok: bool,
    reply: Option<serde_json::Value>,
    error: Option<String>,
}

/// Asks every node that is meant. An error reply is a reply; a node that cannot be asked ends it with 3.
///
/// # Errors
/// No set runs (3), no such node (2).
pub async fn run(ctx: &Ctx, args: &CallArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.selector]).await?;
    let ports = select(&mut set, std::slice::from_ref(&args.selector)).await?;
    let mut asked = JoinSet::new();
    for (index, &port) in ports.iter().enumerate() {
        let (words, auth) = (args.command.clone(), set.topology().node(port).and_then(auth));
        let host = set.topology().host(port).to_owned();
        asked.spawn(async move { (index, port, ask(&host, port, auth, &words).await) });
    }
    let mut replies: Vec<(usize, u16, std::result::Result<Value, ClientError>)> = Vec::new();
    while let Some(Ok(reply)) = asked.join_next().await {
        replies.push(reply);
    }
    replies.sort_by_key(|(index, ..)| *index);
    let lost = replies.iter().any(|(.., reply)| reply.is_err());
    let exit = if lost { Exit::NotRunning } else { Exit::Done };
    if args.json {
        let replies = replies.into_iter().map(|(_, port, reply)| one(port, reply)).collect();
        return Ok(Outcome { text: json(&Answer { schema: "rctl.call/1", replies })?, exit });
    }
    let mut text = String::new();
    for (_, port, reply) in &replies {
        let shown = match reply {
            Ok(value) => {
                String::from_utf8_lossy(&format(value, Form::Terminal, &Delimiters::default())).into_owned()
            }
            Err(error) => format!("({error})\n"),
        };
        text.push_str(&beside(&label(&set.facts, *port), &shown));
    }
    Ok(Outcome { text, exit })
}

async fn ask(
    host: &str,
    port: u16,
    auth: Option<crate::node::client::Auth>,
    words: &[String],
) -> std::result::Result<Value, ClientError> {
    let mut client = Client::connect(host, port, CHANGE).await?.with_reply_limit(REPLY_LIMIT_MAX);
    if let Some(auth) = auth {
        client.auth(&auth, CHANGE).await?;
    }
    client.call(words, CHANGE).await
}

/// Every line of a reply behind its node.
fn beside(label: &str, reply: &str) -> String {
    reply.lines().map(|line| format!("{label}> {line}\n")).collect()
}

fn one(port: u16, reply: std::result::Result<Value, ClientError>) -> One {
    match reply {
        Ok(Value::Error(text)) => One { node: port, ok: false, reply: None, error: Some(text) },
        Ok(value) => {
            let text = format(&value, Form::Json, &Delimiters::default());
            One { node: port, ok: true, reply: serde_json::from_slice(&text).ok(), error: None }
        }
        Err(error) => One { node: port, ok: false, reply: None, error: Some(error.to_string()) },
    }
}
