//! `rctl export FORM [FILE]`: the same topology for real servers, without rctl.
//!
//! Everything comes from one list of configuration files (`conf`); the other forms wrap them. Nothing is overwritten.

mod conf;
mod container;
mod host;
mod yaml;

use std::fs::OpenOptions;
use std::io::Write;

use super::up::wanted;
use super::{Ctx, Outcome};
use crate::cli::{ExportArgs, ExportForm, WantedArgs};
use crate::error::{Error, Exit, Result};

/// A file of an export: its name and its text.
pub(super) type Exported = (String, String);

/// Prints one file, or writes all into a directory.
///
/// # Errors
/// As `check`; a file that is there already (7), a directory that cannot be written (5).
pub fn run(ctx: &Ctx, args: &ExportArgs) -> Result<Outcome> {
    let asked = WantedArgs {
        file: args.file.clone(),
        replicas: args.replicas,
        port_base: args.port_base,
        engine: None,
        direct: false,
    };
    let topology = wanted(ctx, &asked)?;
    if let Some(node) = topology.nodes.iter().find(|node| node.attach.is_some()) {
        let what = format!(
            "{} is attached: an export starts every server of a set, and that one is there",
            node.port
        );
        return Err(Error::new(Exit::Refused, what));
    }
    let files = match args.form {
        ExportForm::Conf => conf::files(&topology),
        ExportForm::Sh => vec![host::script(&topology)],
        ExportForm::Systemd => host::units(&topology),
        ExportForm::Compose => vec![container::compose(&topology)],
        ExportForm::Kubernetes => vec![container::kubernetes(&topology)],
    };
    let Some(dir) = &args.out else {
        return Ok(Outcome::done(printed(&files)));
    };
    std::fs::create_dir_all(dir)
        .map_err(|error| Error::new(Exit::Environment, format!("cannot make {}: {error}", dir.display())))?;
    for (name, text) in &files {
        let path = dir.join(name);
        let shown = path.display();
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| {
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Error::new(Exit::Refused, format!("{shown} is there already, and was left as it is"))
                        .hint(format!("rm {shown}"))
                }
                _ => Error::new(Exit::Environment, format!("cannot write {shown}: {error}")),
            }
        })?;
        file.write_all(text.as_bytes())
            .map_err(|error| Error::new(Exit::Environment, format!("cannot write {shown}: {error}")))?;
        ctx.console.talk(&format!("wrote {shown}"));
    }
    Ok(Outcome::done(""))
}

/// One file as it is; several with their names before them, as comments.
fn printed(files: &[Exported]) -> String {
    match files {
        [(_, text)] => text.clone(),
        several => several.iter().map(|(name, text)| format!("# file: {name}\n{text}\n")).collect(),
    }
}
