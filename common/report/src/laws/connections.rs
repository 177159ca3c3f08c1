//! When connections ended: what was on its way then may have been lost, and nobody can know.

use std::collections::BTreeMap;

use hopscope_record::kind::DisconnectReason;
use hopscope_record::{Event, Kind, LinkIndex, PlaceIndex};

/// The last end of a connection, for each end of a link, and of what each place was.
#[derive(Default)]
pub(super) struct Connections {
    ends: BTreeMap<(LinkIndex, PlaceIndex), Ended>,
    exits: BTreeMap<PlaceIndex, i64>,
}

/// Times of the last ends.
#[derive(Clone, Copy)]
struct Ended {
    /// Of whatever reason.
    any: i64,
    /// Not by this end's own will.
    lost: Option<i64>,
}

impl Connections {
    /// Takes an event, if it tells of an end.
    pub(super) fn take(&mut self, event: &Event) {
        if event.kind == Kind::PROCESS_EXITED {
            self.exits.insert(event.place, event.time);
        }
        if event.kind != Kind::DISCONNECTED {
            return;
        }
        let lost = (event.a != DisconnectReason::Closed as u64).then_some(event.time);
        let ended = self.ends.entry((event.link, event.place)).or_insert(Ended { any: event.time, lost });
        ended.any = ended.any.max(event.time);
        ended.lost = ended.lost.max(lost);
    }

    /// Whether a connection of this end ended at `time` or after; `lost`: only if it was not closed by this end.
    pub(super) fn ended(&self, link: LinkIndex, place: PlaceIndex, time: i64, lost: bool) -> bool {
        let ended = self.ends.get(&(link, place));
        ended.is_some_and(|ended| if lost { ended.lost.is_some_and(|at| at >= time) } else { ended.any >= time })
    }

    /// Whether what was at a place died at `time` or after.
    pub(super) fn exited(&self, place: PlaceIndex, time: i64) -> bool {
        self.exits.get(&place).is_some_and(|exit| *exit >= time)
    }
}
