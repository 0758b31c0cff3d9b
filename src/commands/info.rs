//! `rctl info NODE [SECTION]`: INFO as an aligned table; `--explain` says what each field means.
//!
//! The sentences are in `info/fields.txt`. Text of a node reaches the screen without its control bytes.

use serde::Serialize;

use super::promote::one;
use super::status::json;
use super::{Ctx, Outcome, set};
use crate::cli::InfoArgs;
use crate::error::{Error, Exit, Result};
use crate::node::client::LOOK;

const FIELDS: &str = include_str!("info/fields.txt");

/// One section of INFO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Section {
    section: String,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Field {
    field: String,
    value: String,
    /// Asked for, and known.
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Answer {
    schema: &'static str,
    node: u16,
    sections: Vec<Section>,
}

/// Asks the node, and lays the answer out.
///
/// # Errors
/// No such node (2), one that does not answer (3 or 6), a section it does not have (2).
pub async fn run(ctx: &Ctx, args: &InfoArgs) -> Result<Outcome> {
    let mut set = set::running(ctx, &[&args.node]).await?;
    let port = one(&mut set, &args.node).await?;
    let mut client = set.connect(port, LOOK).await?;
    let words: Vec<&str> = ["INFO"].into_iter().chain(args.section.as_deref()).collect();
    let reply = client.command(&words, LOOK).await?;
    let text = reply.to_text().unwrap_or_default();
    let sections = read(&text, args.explain);
    if sections.is_empty() {
        let section = args.section.as_deref().unwrap_or_default();
        return Err(Error::new(Exit::Usage, format!("{port} has no section {section:?}"))
            .hint(format!("rctl info {port}"))
            .hint(format!("rctl info {port} everything")));
    }
    if args.json {
        return Ok(Outcome::done(json(&Answer { schema: "rctl.info/1", node: port, sections })?));
    }
    Ok(Outcome::done(painted(&sections)))
}

fn read(text: &str, explain: bool) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        if let Some(name) = line.strip_prefix("# ") {
            sections.push(Section { section: clean(name), fields: Vec::new() });
        } else if let Some((field, value)) = line.split_once(':')
            && let Some(section) = sections.last_mut()
        {
            let meaning = if explain { meaning(field) } else { None };
            section.fields.push(Field { field: clean(field), value: clean(value), meaning });
        }
    }
    sections
}

/// What a field means; fields with a number in their name share one sentence.
fn meaning(field: &str) -> Option<&'static str> {
    let rows =
        || FIELDS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    let exact = rows().find(|(name, _)| *name == field);
    let shared = || {
        rows().find(|(name, _)| {
            let rest = name.strip_suffix('*').and_then(|stem| field.strip_prefix(stem));
            let stem_is_open = name.ends_with("_*");
            rest.is_some_and(|rest| {
                !rest.is_empty() && (stem_is_open || rest.bytes().all(|byte| byte.is_ascii_digit()))
            })
        })
    };
    exact.or_else(shared).map(|(_, meaning)| meaning)
}

/// Names and values in columns; a meaning stands below its field, where no width cuts it.
fn painted(sections: &[Section]) -> String {
    let names = sections.iter().flat_map(|section| &section.fields).map(|field| field.field.chars().count());
    let width = names.max().unwrap_or(0);
    let mut text = String::new();
    for (index, section) in sections.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&format!("{}\n", section.section.to_uppercase()));
        for field in &section.fields {
            text.push_str(format!("{:width$}  {}", field.field, field.value).trim_end());
            text.push('\n');
            if let Some(meaning) = field.meaning {
                text.push_str(&format!("    {meaning}\n"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_one_sentence() {
        let mut names: Vec<&str> = Vec::new();
        for line in FIELDS.lines().filter(|line| !line.starts_with('#')) {
            let (name, sentence) = line.split_once(": ").unwrap();
            assert!(sentence.ends_with('.') && !names.contains(&name), "{line}");
            names.push(name);
        }
    }

    #[test]
    fn numbered_fields_share_a_sentence_and_others_do_not() {
        assert_eq!(meaning("listener1"), meaning("listener0"));
        assert!(meaning("db15").is_some() && meaning("errorstat_ERR").is_some());
        assert_eq!((meaning("listener"), meaning("dbs"), meaning("listener_x")), (None, None, None));
    }

    #[test]
    fn sections_are_read_as_they_come_and_control_bytes_are_taken_out() {
        let sections = read("# Server\r\nos:Linux\x1b[2J\r\n\r\n# CPU\r\nx:1:2\r\n", false);
        assert_eq!(sections.len(), 2);
        assert_eq!(painted(&sections), "SERVER\nos  Linux[2J\n\nCPU\nx   1:2\n");
    }
}
