//! The document as it comes, by serde_json's reader: what stands before the events as values, the events one by one.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use hopscope_scenario::validate::{Allowance, Strict};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fault::{Code, Fault};
use super::line::{Line, Scalar};
use super::{ImportError, Importer, MAX_EVENT_BYTES, MAX_HEAD_BYTES, MAX_HEAD_VALUES};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Reads the whole document into the importer.
pub(super) fn read<P>(document: impl Read, importer: &mut Importer<P>) -> Result<(), ImportError>
where
    P: FnMut(&[u8]) -> io::Result<()>,
{
    let meter = Rc::new(Cell::new(Meter { left: MAX_HEAD_BYTES, max: MAX_HEAD_BYTES, over: false }));
    let metered = Metered { document, meter: Rc::clone(&meter) };
    let mut reader = serde_json::Deserializer::from_reader(BufReader::with_capacity(CHUNK, metered));
    let allowance = Allowance::new(MAX_HEAD_VALUES);
    let mut walk = Walk { importer, meter: &meter, allowance: &allowance, stopped: None };
    let read = Root(&mut walk).deserialize(&mut reader).and_then(|()| reader.end());
    let Err(error) = read else { return Ok(()) };
    if let Some(stopped) = walk.stopped {
        return Err(stopped);
    }
    if allowance.is_spent() {
        return Err(Fault::new(Code::TooMany, "", [("max", MAX_HEAD_VALUES.to_string().into())]).into());
    }
    let Meter { max, over, .. } = meter.get();
    if over {
        return Err(Fault::new(Code::TooLarge, "", [("max", (max >> 20).to_string().into())]).into());
    }
    if error.is_io() {
        return Err(ImportError::Read(error.into()));
    }
    let full = error.to_string();
    let reason = full.split(" at line ").next().unwrap_or(&full);
    let args = [
        ("line", error.line().to_string().into()),
        ("column", error.column().to_string().into()),
        ("reason", reason.into()),
    ];
    Err(Fault::new(Code::NotJson, "", args).into())
}

/// How much may be read until the next part of the document begins.
#[derive(Clone, Copy)]
struct Meter {
    left: u64,
    max: u64,
    over: bool,
}

/// A reader that ends with an error where a part is longer than any recording has it: no document makes the importer take
/// more memory than that.
struct Metered<R> {
    document: R,
    meter: Rc<Cell<Meter>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let meter = self.meter.get();
        let count = self.document.read(buffer)?;
        match meter.left.checked_sub(count as u64) {
            Some(left) => {
                self.meter.set(Meter { left, ..meter });
                Ok(count)
            }
            None => {
                self.meter.set(Meter { over: true, ..meter });
                Err(io::ErrorKind::FileTooLarge.into())
            }
        }
    }
}

/// What the visitors share. What stops them is kept here: their own errors hold no more than a text.
struct Walk<'w, P> {
    importer: &'w mut Importer<P>,
    meter: &'w Cell<Meter>,
    allowance: &'w Allowance,
    stopped: Option<ImportError>,
}

impl<P> Walk<'_, P> {
    fn stop<E: Error>(&mut self, error: impl Into<ImportError>) -> E {
        self.stopped = Some(error.into());
        E::custom("stopped")
    }
}

/// The document: an object.
struct Root<'r, 'w, P>(&'r mut Walk<'w, P>);

impl<'de, P: FnMut(&[u8]) -> io::Result<()>> DeserializeSeed<'de> for Root<'_, '_, P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, P: FnMut(&[u8]) -> io::Result<()>> Visitor<'de> for Root<'_, '_, P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a recording")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let walk = self.0;
        while let Some(name) = access.next_key::<String>()? {
            if name == "events" {
                walk.importer.begin().map_err(|error| walk.stop(error))?;
                access.next_value_seed(Events(walk))?;
            } else {
                let value = access.next_value_seed(Strict(walk.allowance))?;
                walk.importer.field(name, value).map_err(|error| walk.stop(error))?;
            }
        }
        Ok(())
    }
}

/// The list of events.
struct Events<'r, 'w, P>(&'r mut Walk<'w, P>);

impl<'de, P: FnMut(&[u8]) -> io::Result<()>> DeserializeSeed<'de> for Events<'_, '_, P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, P: FnMut(&[u8]) -> io::Result<()>> Visitor<'de> for Events<'_, '_, P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let walk = self.0;
        let allowance = Meter { left: MAX_EVENT_BYTES, max: MAX_EVENT_BYTES, over: false };
        walk.meter.set(allowance);
        walk.importer.line.clear();
        while access.next_element_seed(Fields { line: &mut walk.importer.line, stopped: &mut walk.stopped })?.is_some()
        {
            walk.importer.event().map_err(|error| {
                walk.stopped = Some(error);
                A::Error::custom("stopped")
            })?;
            walk.importer.line.clear();
            walk.meter.set(allowance);
        }
        Ok(())
    }
}

/// One event: an object of plain values.
struct Fields<'f> {
    line: &'f mut Line,
    stopped: &'f mut Option<ImportError>,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while let Some(column) = access.next_key_seed(Column { line: self.line, stopped: self.stopped })? {
            let scalar = access.next_value_seed(Value(self.line))?;
            self.line.put(column, scalar);
        }
        Ok(())
    }
}

/// A field's name.
struct Column<'f> {
    line: &'f Line,
    stopped: &'f mut Option<ImportError>,
}

impl<'de> DeserializeSeed<'de> for Column<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Column<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        self.line.column(name).map_err(|fault| {
            *self.stopped = Some(fault.into());
            E::custom("stopped")
        })
    }
}

/// A field's value. Which one it may be is told later, with its path.
struct Value<'f>(&'f mut Line);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Scalar;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Scalar, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other("null"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(if value { Scalar::True } else { Scalar::Other("false") })
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(value).map_or(Scalar::Negative(value), Scalar::Unsigned))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Unsigned(value))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other("a fraction"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(self.0.keep(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Scalar, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("[…]"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Scalar, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("{…}"))
    }
}
