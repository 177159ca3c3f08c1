//! Texts that a terminal may show: JSON asks to escape the control characters of ASCII alone.

/// Escapes the control characters that JSON leaves as they are, DEL and those of ISO 8859 (U+0080 to U+009F), from byte `start`
/// on. In JSON they stand in texts alone, where an escape is the same text.
pub(super) fn escape_controls(out: &mut Vec<u8>, start: usize) {
    let written = out.get(start..).unwrap_or_default();
    // Nearly every text has neither byte, and the standard library looks for one of them by whole words.
    if !written.contains(&0x7f) && !written.contains(&0xc2) {
        return;
    }
    let is_control = |pair: &[u8]| matches!(pair, [0x7f, ..] | [0xc2, 0x80..=0x9f, ..]);
    if !(0..written.len()).any(|at| is_control(written.get(at..).unwrap_or_default())) {
        return;
    }
    let text = String::from_utf8_lossy(written).into_owned();
    out.truncate(start);
    for c in text.chars() {
        if matches!(c, '\u{7f}'..='\u{9f}') {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        } else {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_the_same_text() {
        let said = "a\u{7f}b\u{9b}2Jc\u{a0}é";
        let mut out = b"before\x7f".to_vec();
        let start = out.len();
        serde_json::to_writer(&mut out, said).unwrap();
        escape_controls(&mut out, start);
        let written = String::from_utf8(out.split_off(start)).unwrap();
        assert_eq!(written, "\"a\\u007fb\\u009b2Jc\u{a0}é\"");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), said);
        assert_eq!(out, b"before\x7f");
    }
}
