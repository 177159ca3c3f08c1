//! Writes the JSON Schema of a recording to standard output.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let schema = serde_json::to_string_pretty(&hopscope_report::export::json::recording_schema())?;
    writeln!(io::stdout().lock(), "{schema}")
}
