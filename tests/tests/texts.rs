//! No sentence in code: what the page shows are texts of the catalogue.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

/// Literals that the page may show as they are, in every language.
const ALLOWED: [&str; 1] = ["Hopscope"];

/// Attributes whose values are read out or shown.
const SPOKEN: [&str; 5] = ["aria-label=", "aria-description=", "title=", "placeholder=", "alt="];

#[test]
fn the_page_shows_no_literal_text() -> Result<()> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/page/src"), &mut files)?;
    ensure!(files.len() > 50, "the page's sources are not where they were: {} files", files.len());
    let mut found = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(&file)?;
        found.extend(shown(&source).into_iter().map(|text| format!("{}: {text:?}", file.display())));
    }
    ensure!(found.is_empty(), "put these into the catalogue:\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn literals_are_told_apart_from_what_is_no_text() {
    let source = r#"
        // <b>"a comment"</b>
        let name = match kind { Kind::Client => "client", _ => "other" };
        view! {
            <b class="title" title="a tip">"Run now"</b> <i>{count} " of " {all}</i> <i>"×"</i>
            <span data-kind="x">"Hopscope"</span> <u>{format!("{x} px")}</u>
        }
    "#;
    assert_eq!(shown(source), ["a tip", "Run now", " of "]);
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The literals with letters that stand where markup has text, or in an attribute that is read out.
fn shown(source: &str) -> Vec<String> {
    let code: String =
        source.lines().map(|line| line.split(" //").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(begin) = code[rest..].find('"').map(|at| rest + at) {
        let Some(end) = end_of(&code, begin + 1) else { break };
        let (before, text, after) = (code[..begin].trim_end(), &code[begin + 1..end], code[end + 1..].trim_start());
        // A tag's end or an expression's is before it, and no arrow; a tag or an expression is behind it.
        let opened =
            before.ends_with('}') || before.ends_with('>') && !before.ends_with("=>") && !before.ends_with("->");
        let is_text = opened && after.starts_with(['<', '{']) || SPOKEN.iter().any(|name| before.ends_with(name));
        if is_text && text.chars().any(char::is_alphabetic) && !ALLOWED.contains(&text) {
            found.push(text.to_owned());
        }
        rest = end + 1;
    }
    found
}

/// Where the literal ends that has its first character there.
fn end_of(code: &str, from: usize) -> Option<usize> {
    let mut escaped = false;
    code[from..].char_indices().find_map(|(at, character)| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends.then_some(from + at)
    })
}
