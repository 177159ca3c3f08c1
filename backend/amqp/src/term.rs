//! Values as Erlang writes them: RabbitMQ puts them so into its reply texts.

use amq_protocol::types::{AMQPValue, FieldTable};

/// Bytes as a binary, all of them as numbers.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("<<{}>>", numbers.join(","))
}

/// Bytes as a binary: as a text where they are one.
pub(crate) fn binary(binary: &[u8]) -> String {
    if !binary.is_empty() && binary.iter().all(|byte| is_printable(*byte)) {
        format!("<<{}>>", quoted(binary))
    } else {
        bytes(binary)
    }
}

/// Bytes as a list: as a text where they are one.
pub(crate) fn list(bytes: &[u8]) -> String {
    if !bytes.is_empty() && bytes.iter().all(|byte| is_printable(*byte)) {
        return quoted(bytes);
    }
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// What RabbitMQ calls a value's type.
pub(crate) fn type_name(value: &AMQPValue) -> &'static str {
    match value {
        AMQPValue::Boolean(_) => "bool",
        AMQPValue::ShortShortInt(_) => "byte",
        AMQPValue::ShortShortUInt(_) => "unsignedbyte",
        AMQPValue::ShortInt(_) => "short",
        AMQPValue::ShortUInt(_) => "unsignedshort",
        AMQPValue::LongInt(_) => "signedint",
        AMQPValue::LongUInt(_) => "unsignedint",
        AMQPValue::LongLongInt(_) => "long",
        AMQPValue::Float(_) => "float",
        AMQPValue::Double(_) => "double",
        AMQPValue::DecimalValue(_) => "decimal",
        AMQPValue::ShortString(_) | AMQPValue::LongString(_) => "longstr",
        AMQPValue::FieldArray(_) => "array",
        AMQPValue::Timestamp(_) => "timestamp",
        AMQPValue::FieldTable(_) => "table",
        AMQPValue::ByteArray(_) => "binary",
        AMQPValue::Void => "void",
    }
}

/// A value of a table.
pub(crate) fn value(of: &AMQPValue) -> String {
    match of {
        AMQPValue::Boolean(value) => value.to_string(),
        AMQPValue::ShortShortInt(value) => value.to_string(),
        AMQPValue::ShortShortUInt(value) => value.to_string(),
        AMQPValue::ShortInt(value) => value.to_string(),
        AMQPValue::ShortUInt(value) => value.to_string(),
        AMQPValue::LongInt(value) => value.to_string(),
        AMQPValue::LongUInt(value) => value.to_string(),
        AMQPValue::LongLongInt(value) => value.to_string(),
        AMQPValue::Timestamp(value) => value.to_string(),
        AMQPValue::Float(value) => format!("{:?}", f64::from(*value)),
        AMQPValue::Double(value) => format!("{value:?}"),
        AMQPValue::DecimalValue(value) => format!("{{{},{}}}", value.scale, value.value),
        AMQPValue::ShortString(value) => binary(value.as_str().as_bytes()),
        AMQPValue::LongString(value) => binary(value.as_bytes()),
        AMQPValue::ByteArray(value) => binary(value.as_slice()),
        AMQPValue::FieldArray(values) => {
            let values = values.as_slice().iter();
            let values: Vec<String> = values.map(|it| format!("{{{},{}}}", type_name(it), value(it))).collect();
            format!("[{}]", values.join(","))
        }
        AMQPValue::FieldTable(values) => table(values),
        AMQPValue::Void => "undefined".to_owned(),
    }
}

/// A value of a table, a text without anything around it.
pub(crate) fn text(of: &AMQPValue) -> String {
    match of {
        AMQPValue::ShortString(text) => text.to_string(),
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::ByteArray(bytes) => String::from_utf8_lossy(bytes.as_slice()).into_owned(),
        other => value(other),
    }
}

fn table(values: &FieldTable) -> String {
    let entries = values.into_iter();
    let entries =
        entries.map(|(name, it)| format!("{{{},{},{}}}", binary(name.as_str().as_bytes()), type_name(it), value(it)));
    format!("[{}]", entries.collect::<Vec<_>>().join(","))
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, 8..=13 | 27 | 32..=126)
}

/// A text between quotation marks.
pub(crate) fn quoted(text: impl AsRef<[u8]>) -> String {
    let mut quoted = String::from("\"");
    for byte in text.as_ref() {
        match byte {
            8 => quoted.push_str("\\b"),
            9 => quoted.push_str("\\t"),
            10 => quoted.push_str("\\n"),
            11 => quoted.push_str("\\v"),
            12 => quoted.push_str("\\f"),
            13 => quoted.push_str("\\r"),
            27 => quoted.push_str("\\e"),
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            byte => quoted.push(char::from(*byte)),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_erlang_writes_them() {
        assert_eq!(binary(b"ab\"\n"), "<<\"ab\\\"\\n\">>");
        assert_eq!(binary(&[0, 60, 200]), "<<0,60,200>>");
        assert_eq!(binary(b""), "<<>>");
        assert_eq!(bytes(b"ab"), "<<97,98>>");
        assert_eq!(list(b"s "), "\"s \"");
        assert_eq!(list(&[200]), "[200]");
        let mut inner = FieldTable::default();
        inner.insert("k".into(), AMQPValue::LongInt(-1));
        let array = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(inner), AMQPValue::Double(1.0)].into());
        assert_eq!(value(&array), "[{table,[{<<\"k\">>,signedint,-1}]},{double,1.0}]");
        assert_eq!((type_name(&AMQPValue::Void), value(&AMQPValue::Void)), ("void", "undefined".to_owned()));
    }
}
