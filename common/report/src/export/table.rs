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

/// Text in quotes where it would not be one cell without; a quote in it is written twice.
fn put_text(text: &str, out: &mut Vec<u8>) {
    if !text.contains(['"', ',', '\n', '\r']) {
        return out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
