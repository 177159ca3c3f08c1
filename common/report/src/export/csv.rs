//! The recording as a table with a row for each event; docs/recording-csv.md tells the columns.

use hopscope_record::Event;
use hopscope_record::frame::MessageRow;

use super::fields::{Fields, columns};
use super::table::{Row, put_heading};
use super::{Encoder, ExportError, Format, Parts};

/// One row per event.
pub(super) static CSV: Format =
    Format { id: "csv", media_type: "text/csv; charset=utf-8", extension: "csv", text: true, begin };

fn begin(parts: &Parts<'_>, out: &mut Vec<u8>) -> Result<Box<dyn Encoder>, ExportError> {
    let columns = columns();
    put_heading(&columns, out);
    Ok(Box::new(Csv { fields: Fields::new(parts.hello, parts.plan, parts.names), columns }))
}

struct Csv {
    fields: Fields,
    columns: Vec<&'static str>,
}

impl Encoder for Csv {
    fn event(&mut self, event: &Event, carries: Option<&MessageRow>, out: &mut Vec<u8>) {
        let mut cells = vec![None; self.columns.len()];
        self.fields.of(event, carries, &mut |name, cell| {
            let column = self.columns.iter().position(|column| *column == name);
            if let Some(slot) = column.and_then(|column| cells.get_mut(column)) {
                *slot = Some(cell);
            }
        });
        let mut row = Row::new(out);
        cells.into_iter().for_each(|cell| row.put(cell));
        row.end();
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}
