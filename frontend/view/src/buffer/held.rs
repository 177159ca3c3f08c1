//! The encoded frames, by their number, and the holes between them.

use std::ops::Range;

use hopscope_record::decoder::Frame;
use hopscope_record::frame::{FrameType, HEADER_LEN, Payload};

/// Most bytes of frames that are kept while frames before them are missing. What comes beyond stays a hole and is
/// fetched again in its turn.
const MOST_AHEAD: usize = 64 << 20;

/// What is here of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Slot {
    /// Nothing.
    Hole,
    /// All of it.
    Here(Box<[u8]>),
    /// Nothing any more: it was folded, and the buffer was full.
    Folded,
}

/// Every frame that is known to be there, from number 0.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Held {
    slots: Vec<Slot>,
    /// The first frame that is not folded.
    next: u32,
    /// How many of them are holes.
    holes: u32,
    /// Bytes of frames that are here and not folded.
    ahead: usize,
}

impl Held {
    /// The first frame that is not folded.
    pub(super) const fn next(&self) -> u32 {
        self.next
    }

    /// The number after the last frame that is known to be there.
    pub(super) fn known(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// How many frames are missing.
    pub(super) const fn holes(&self) -> u32 {
        self.holes
    }

    /// The first hole: always where the folded frames end.
    pub(super) fn first_hole(&self) -> Option<Range<u32>> {
        let from = self.next as usize;
        let rest = self.slots.get(from..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|slot| *slot != Slot::Hole).unwrap_or(rest.len());
        let end = u32::try_from(from + length).unwrap_or(u32::MAX);
        Some(self.next..end)
    }

    /// There are as many frames, whether they are here or not.
    pub(super) fn extend(&mut self, known: u32) {
        let more = known.saturating_sub(self.known());
        self.holes += more;
        self.slots.resize(self.slots.len() + more as usize, Slot::Hole);
    }

    /// Keeps a frame whose turn has not come. One that is there already is left as it is.
    pub(super) fn keep_ahead(&mut self, number: u32, bytes: &[u8]) {
        self.extend(number.saturating_add(1));
        let Some(slot) = self.slots.get_mut(number as usize) else { return };
        if *slot == Slot::Hole && self.ahead + bytes.len() <= MOST_AHEAD {
            *slot = Slot::Here(bytes.into());
            self.holes -= 1;
            self.ahead += bytes.len();
        }
    }

    /// The next frame to fold, if it is here; it is to be brought back by [`Held::folded`].
    pub(super) fn take_next(&mut self) -> Option<Box<[u8]>> {
        let slot = self.slots.get_mut(self.next as usize)?;
        let Slot::Here(bytes) = std::mem::replace(slot, Slot::Hole) else { return None };
        self.holes += 1;
        self.ahead -= bytes.len();
        Some(bytes)
    }

    /// The next frame was folded; `None` if it is not to be kept.
    pub(super) fn folded(&mut self, bytes: Option<Box<[u8]>>) {
        self.extend(self.next.saturating_add(1));
        if let Some(slot) = self.slots.get_mut(self.next as usize) {
            *slot = bytes.map_or(Slot::Folded, Slot::Here);
            self.holes -= 1;
        }
        self.next = self.next.saturating_add(1);
    }

    /// The batch of an Events frame that was folded and kept.
    pub(super) fn batch(&self, number: u32) -> Option<&[u8]> {
        let Slot::Here(bytes) = self.slots.get(number as usize)? else { return None };
        match Payload::read(FrameType::EVENTS, false, bytes.get(HEADER_LEN..)?) {
            Ok(Payload::Events(events)) => Some(events.batch),
            _ => None,
        }
    }

    /// Forgets the frames from `known` on, none of which was folded.
    pub(super) fn cut(&mut self, known: u32) {
        for slot in self.slots.drain((known as usize).min(self.slots.len())..) {
            match slot {
                Slot::Hole => self.holes -= 1,
                Slot::Here(bytes) => self.ahead -= bytes.len(),
                Slot::Folded => {}
            }
        }
    }

    /// The frames that are here, in the order of their numbers.
    pub(super) fn into_frames(self) -> impl Iterator<Item = Box<[u8]>> {
        self.slots.into_iter().filter_map(|slot| if let Slot::Here(bytes) = slot { Some(bytes) } else { None })
    }
}

/// A frame that was whole when it was kept.
pub(super) fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    Frame::from_bytes(bytes, 0)
}
