//! docs/protocols.md: what was shown, of which protocol, on which broker.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// Where the table is.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocols.md");
/// Set, the table is written in place of being compared.
const WRITE: &str = "HOPSCOPE_WRITE_TABLES";

const HEAD: &str = "\
# What is shown of each protocol

Written by the conformance suite (`tests/tests/conformance`) when all of it has passed: each case runs on each protocol, and on each
broker that it has. *shown*: the case ran and passed. A number stands for the reason why a case cannot be had there.

Where the table is not what the suite has shown, the suite fails; `HOPSCOPE_WRITE_TABLES=1 cargo xtask test` writes it anew.
";

/// Cases that ran, or cannot be had.
#[derive(Default)]
pub(crate) struct Table {
    /// By title: its columns, and its rows by what they show.
    parts: Vec<Part>,
}

struct Part {
    title: &'static str,
    columns: Vec<String>,
    rows: Vec<(&'static str, BTreeMap<usize, Cell>)>,
}

enum Cell {
    Shown,
    Missing(&'static str),
}

impl Table {
    /// Says that a case of this part runs in a column, or why it cannot be had there.
    pub(crate) fn add(&mut self, title: &'static str, column: &str, case: &'static str, missing: Option<&'static str>) {
        let at = self.parts.iter().position(|part| part.title == title).unwrap_or_else(|| {
            self.parts.push(Part { title, columns: Vec::new(), rows: Vec::new() });
            self.parts.len() - 1
        });
        let Part { columns, rows, .. } = &mut self.parts[at];
        let column = columns.iter().position(|name| name == column).unwrap_or_else(|| {
            columns.push(column.to_owned());
            columns.len() - 1
        });
        let row = rows.iter().position(|(name, _)| *name == case).unwrap_or_else(|| {
            rows.push((case, BTreeMap::new()));
            rows.len() - 1
        });
        rows[row].1.insert(column, missing.map_or(Cell::Shown, Cell::Missing));
    }

    fn print(&self) -> Result<String> {
        let mut text = HEAD.to_owned();
        for Part { title, columns, rows } in &self.parts {
            let mut reasons: Vec<&str> = Vec::new();
            write!(
                text,
                "\n## {title}\n\n| behaviour | {} |\n|{}\n",
                columns.join(" | "),
                " --- |".repeat(columns.len() + 1)
            )?;
            for (case, cells) in rows {
                write!(text, "| {case} |")?;
                for column in 0..columns.len() {
                    match cells.get(&column) {
                        Some(Cell::Shown) => text.push_str(" shown |"),
                        Some(Cell::Missing(reason)) => {
                            let number = reasons.iter().position(|other| other == reason).unwrap_or_else(|| {
                                reasons.push(reason);
                                reasons.len() - 1
                            });
                            write!(text, " {} |", number + 1)?;
                        }
                        None => text.push_str(" |"),
                    }
                }
                text.push('\n');
            }
            for (number, reason) in reasons.iter().enumerate() {
                writeln!(text, "{}{}. {reason}.", if number == 0 { "\n" } else { "" }, number + 1)?;
            }
        }
        Ok(text)
    }

    /// Holds the document against what has been shown.
    ///
    /// # Errors
    /// When it says something else.
    pub(crate) fn check(&self) -> Result<()> {
        let (text, path) = (self.print()?, Path::new(DOCUMENT));
        if std::env::var_os(WRITE).is_some() {
            return std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()));
        }
        let kept = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            kept == text,
            "docs/protocols.md is not what has been shown: `{WRITE}=1 cargo xtask test` writes it anew"
        );
        Ok(())
    }
}
