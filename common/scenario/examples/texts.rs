//! Writes the file of the texts that the page fetches late, in English, to standard output.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let file = serde_json::to_string_pretty(&hopscope_scenario::catalogue::english_file())?;
    writeln!(io::stdout().lock(), "{file}")
}
