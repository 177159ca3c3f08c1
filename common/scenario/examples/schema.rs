//! Writes the JSON Schema of a scenario to standard output.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let schema = serde_json::to_string_pretty(&hopscope_scenario::schema::scenario_schema())?;
    writeln!(io::stdout().lock(), "{schema}")
}
