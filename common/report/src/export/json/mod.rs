//! The recording as JSON: docs/recording-json.md tells the format, docs/recording.schema.json is its schema.

pub(crate) mod head;
pub(crate) mod instant;
mod schema;
mod text;

use std::io::Write;

use hopscope_record::Event;
use hopscope_record::frame::MessageRow;

use super::fields::{Cell, Fields};
use super::{Encoder, ExportError, Format, Parts};

pub use schema::recording_schema;

/// What the document's `format` says.
pub const FORMAT: &str = "hopscope-recording";

/// The version of the document that this build writes and reads.
pub const VERSION: u32 = 1;

/// The recording as one document, events last, one a line.
pub static JSON: Format = Format { id: "json", media_type: "application/json", extension: "json", text: true, begin };

fn begin(parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<Box<dyn Encoder>, ExportError> {
    let start = out.len();
    head::write(parts, out)?;
    text::escape_controls(out, start);
    Ok(Box::new(Json { fields: Fields::new(parts.hello, parts.plan, parts.names), first: true }))
}

struct Json {
    fields: Fields,
    /// No event is in the text yet.
    first: bool,
}

impl Encoder for Json {
    fn event(&mut self, event: &Event, carries: Option<&MessageRow>, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.first { b"\n    {" } else { b",\n    {" });
        self.first = false;
        let mut between = "";
        self.fields.of(event, carries, &mut |name, cell| {
            put(out, format_args!("{between}\"{name}\":"));
            put_cell(out, cell);
            between = ",";
        });
        out.push(b'}');
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.first { b"]\n}\n" } else { b"\n  ]\n}\n" });
    }
}

fn put_cell(out: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Signed(number) => put(out, format_args!("{number}")),
        Cell::Unsigned(number) => put(out, format_args!("{number}")),
        Cell::Id(bits) => put(out, format_args!("\"{bits:016x}\"")),
        Cell::Message(bits) => put(out, format_args!("\"{bits:014x}\"")),
        Cell::True => out.extend_from_slice(b"true"),
        Cell::Text(text) => {
            let start = out.len();
            // A text in memory can always be written.
            serde_json::to_writer(&mut *out, text).unwrap_or_default();
            text::escape_controls(out, start);
        }
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = out.write_fmt(text);
}
