//! What Trunk leaves apart or as people read it: the page's styles in one file, and its script without comments and indents.
//! Both are shorter so, and one file is compressed better than five.

use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

/// Puts both in order in a folder that Trunk has just written.
///
/// # Errors
/// When the folder is not as Trunk writes it, or cannot be read or written.
pub(crate) fn bundle(dist: &Path) -> Result<()> {
    let path = dist.join("index.html");
    let index = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (links, rest) = styles(&index);
    if links.is_empty() {
        bail!(
            "{} names no styles: Trunk writes them otherwise now, and xtask/src/bundle.rs has to follow",
            path.display()
        );
    }
    let mut all = Vec::new();
    for name in &links {
        let path = dist.join(name);
        all.extend(std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        std::fs::remove_file(&path)?;
    }
    let hash = Sha256::digest(&all);
    let name = format!("style-{}.css", hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>());
    std::fs::write(dist.join(&name), all)?;
    std::fs::write(&path, rest.replacen(HERE, &format!("<link href=./{name} rel=stylesheet>"), 1))?;
    for path in crate::page::files(dist)?.iter().filter(|path| path.extension().is_some_and(|kind| kind == "js")) {
        std::fs::write(path, plain(&std::fs::read_to_string(path)?))?;
    }
    Ok(())
}

/// Where the one link goes.
const HERE: &str = "<!--styles-->";

/// The files that links to styles name, in their order, and the document with a mark in place of the first and none of the
/// others.
fn styles(index: &str) -> (Vec<String>, String) {
    let (mut names, mut rest) = (Vec::new(), String::new());
    let mut left = index;
    while let Some((before, link)) = left.split_once("<link ") {
        rest.push_str(before);
        let (tag, after) = link.split_once('>').unwrap_or((link, ""));
        let href = tag.split_ascii_whitespace().find_map(|part| part.strip_prefix("href="));
        match href.filter(|_| tag.contains("stylesheet")) {
            Some(href) => {
                if names.is_empty() {
                    rest.push_str(HERE);
                }
                names.push(href.trim_end_matches('/').trim_matches(['"', '\'']).trim_start_matches("./").to_owned());
            }
            None => rest.push_str(&format!("<link {tag}>")),
        }
        left = after;
    }
    rest.push_str(left);
    (names, rest)
}

/// A script without the lines that are comments, empty ones, and indents; one that has a text of several lines, where these mean
/// something, stays as it is.
fn plain(script: &str) -> String {
    let mut lines = Vec::new();
    let mut comment = false;
    for line in script.lines().map(str::trim) {
        if line.starts_with("/*") || comment {
            comment = !line.ends_with("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            if !line.matches('`').count().is_multiple_of(2) {
                return script.to_owned();
            }
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_styles_are_one_and_others_stay() {
        let index = "<link href=./icon.svg rel=icon><link href=./a-1.css rel=stylesheet><link rel=\"stylesheet\" href=\"./b-2.css\"/><p>";
        let (names, rest) = styles(index);
        assert_eq!(names, ["a-1.css", "b-2.css"]);
        assert_eq!(rest, format!("<link href=./icon.svg rel=icon>{HERE}<p>"));
    }

    #[test]
    fn a_script_loses_what_only_people_read() {
        let script = "/**\n * Says it.\n */\nfunction a() {\n    // now\n    return `b`;\n\n}\n";
        assert_eq!(plain(script), "function a() {\nreturn `b`;\n}");
        let texts = "const a = `\n  b`;\n  // c\n";
        assert_eq!(plain(texts), texts);
    }
}
