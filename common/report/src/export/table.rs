//! Rows of comma-separated values (RFC 4180, with a line feed at the end of a row).

use std::io::Write;

use super::fields::Cell;

/// Writes a row's cells, one after the other.
pub(super) struct Row<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Row<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    /// The next cell; nothing is an empty one.
    pub(super) fn put(&mut self, cell: Option<Cell<'_>>) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        // Writing to memory cannot fail.
        let _ = match cell {
            None => Ok(()),
            Some(Cell::Signed(number)) => write!(self.out, "{number}"),
            Some(Cell::Unsigned(number)) => write!(self.out, "{number}"),
            Some(Cell::Id(bits)) => write!(self.out, "{bits:016x}"),
            Some(Cell::Message(bits)) => write!(self.out, "{bits:014x}"),
            Some(Cell::Text(text)) => return put_text(text, self.out),
            Some(Cell::True) => write!(self.out, "true"),
        };
    }

    /// Ends the row.
    pub(super) fn end(self) {
        self.out.push(b'\n');
    }
}

/// A row of names.
pub(super) fn put_heading(names: &[&str], out: &mut Vec<u8>) {
    let mut row = Row::new(out);
    names.iter().for_each(|name| row.put(Some(Cell::Text(name))));
    row.end();
}

/// Signs by which programs for tables take a text for a formula.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Text in quotes where it would not be one cell without; a quote in it is written twice. What a program would compute gets an
/// apostrophe in front, by which programs for tables know a text; what steers a terminal is shown and not obeyed.
fn put_text(text: &str, out: &mut Vec<u8>) {
    let shown = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    let mark = if text.starts_with(FORMULA) { "'" } else { "" };
    if !text.contains(|c: char| c.is_control() || c == '"' || c == ',') {
        out.extend_from_slice(mark.as_bytes());
        return out.extend_from_slice(text.as_bytes());
    }
    let shown: String = text.chars().map(shown).collect();
    let quoted = shown.contains(['"', ',', '\n']);
    let cell = if quoted { format!("\"{mark}{}\"", shown.replace('"', "\"\"")) } else { format!("{mark}{shown}") };
    out.extend_from_slice(cell.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = Vec::new();
        put_text(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_is_one_cell_and_neither_computed_nor_obeyed() {
        for (text, written) in [
            ("n1", "n1"),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("-n1", "'-n1"),
            ("@SUM(A1,B2)", "\"'@SUM(A1,B2)\""),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("a\u{1b}[2J", "a\u{fffd}[2J"),
            ("\r=1", "\u{fffd}=1"),
            ("\u{9b}2J", "\u{fffd}2J"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
