//! How deep tables lie in one another, told before anything descends into them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Deepest nesting of tables and arrays that is parsed. The parser recurses once per level.
const DEPTH_MAX: usize = 64;

/// Bytes before a container's content: its type and its length.
const CONTAINER_HEAD: usize = 5;

/// Whether a payload's tables are shallow enough to be parsed.
///
/// Every byte that could begin a table or an array, with a length that fits, counts as one: text that looks so is
/// counted too, a real one never missed. So the answer may err on the safe side, and only for a payload that holds more
/// than 64 such looks inside each other.
pub(super) fn is_shallow(payload: &[u8]) -> bool {
    let mut open: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    for (at, head) in payload.windows(CONTAINER_HEAD).enumerate() {
        let &[kind, a, b, c, d] = head else { continue };
        if kind != b'F' && kind != b'A' {
            continue;
        }
        let end = at.saturating_add(CONTAINER_HEAD).saturating_add(u32::from_be_bytes([a, b, c, d]) as usize);
        if end > payload.len() {
            continue;
        }
        while open.peek().is_some_and(|Reverse(end)| *end <= at) {
            open.pop();
        }
        open.push(Reverse(end));
        if open.len() > DEPTH_MAX {
            return false;
        }
    }
    true
}
