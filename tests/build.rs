//! Makes functions of the programs in Rust that the page offers, so that tests compile and run them as they are offered but for where
//! they send to.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

/// What the page offers.
const SNIPPETS: &str = "../frontend/page/static/snippets.json";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={SNIPPETS}");
    println!("cargo:rerun-if-changed=build.rs");
    let snippets: Value = serde_json::from_str(&std::fs::read_to_string(SNIPPETS)?)?;
    let (mut modules, mut cases) = (String::new(), String::new());
    for (key, programs) in snippets.as_object().ok_or("no table")? {
        let programs = programs.as_array().ok_or("no list")?.iter();
        for code in programs.filter(|program| program["tool"] == "Rust").filter_map(|program| program["code"].as_str())
        {
            let module = key.replace(' ', "_");
            writeln!(modules, "mod {module} {{\n{}\n}}", callable(code))?;
            writeln!(cases, "    (\"{key}\", || told({module}::main())),")?;
        }
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    let text = format!("{modules}\n/// Each by its key.\nconst PROGRAMS: &[(&str, fn() -> String)] = &[\n{cases}];\n");
    Ok(std::fs::write(out.join("snippets.rs"), text)?)
}

/// The program with a `main` that others call, and with `filled("…")` for each text that says where to send to.
fn callable(code: &str) -> String {
    let code =
        code.replacen("fn main()", "pub(super) fn main()", 1).replacen("async pub(super) fn", "pub(super) async fn", 1);
    // No text of theirs has a quotation mark in it, so that every second piece is one.
    let pieces = code.split('"').enumerate().map(|(index, piece)| match (index % 2 == 1, piece.contains('{')) {
        (true, true) if piece.contains("{address}") || piece.contains("{name}") => {
            format!("super::filled(\"{piece}\")")
        }
        (true, _) => format!("\"{piece}\""),
        (false, _) => piece.to_owned(),
    });
    pieces.collect()
}
