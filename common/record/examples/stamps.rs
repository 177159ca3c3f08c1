//! Prints docs/stamps.md.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(hopscope_record::stamps::render().as_bytes())
}
