//! Which tracks there are, and on which an event stands.
//!
//! A process per node, a thread per place. What overlaps at a place (messages in flight, requests being worked on) goes to
//! lanes below the place's thread: as many as there ever were at once, each holding one at a time.

use std::collections::{BTreeMap, BTreeSet};

use hopscope_record::PlaceIndex;
use hopscope_record::frame::Measure;
use hopscope_scenario::plan::Plan;

use super::proto::{CounterDescriptor, ProcessDescriptor, ThreadDescriptor, TrackDescriptor, UNIT_COUNT, UNIT_TIME_NS};

/// What a lane holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Lane {
    /// Attempts that are open, at the caller; at a queue, deliveries that are not settled.
    Open,
    /// Requests that a worker is held for.
    Work,
}

impl Lane {
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Work => "work",
        }
    }
}

/// Uuids of tracks: what sort in the high half, which one in the low half.
const PROCESS: u64 = 2 << 32;
const THREAD: u64 = 3 << 32;
const LANE: u64 = 4 << 32;
const COUNTER: u64 = 5 << 32;
const SURROUNDINGS: u64 = 16 << 32;

/// The track of the run as a whole.
pub(super) const RUN: u64 = 1;

/// The track of a place; of none, the run's.
pub(super) fn thread(place: PlaceIndex) -> u64 {
    if place.is_none() { RUN } else { THREAD | u64::from(place.0) }
}

/// The track of a place's level.
pub(super) fn counter(place: PlaceIndex, level: usize) -> u64 {
    (COUNTER + ((level as u64) << 32)) | u64::from(place.0)
}

/// The track of a figure of the surroundings.
pub(super) fn surroundings(measure: Measure) -> u64 {
    SURROUNDINGS | u64::from(measure.0)
}

/// The same, described.
pub(super) fn of_measure(measure: Measure) -> TrackDescriptor {
    let name = measure.name().map_or_else(|| measure.0.to_string(), str::to_owned);
    let unit = if name.ends_with("_ns") { UNIT_TIME_NS } else { UNIT_COUNT };
    TrackDescriptor {
        uuid: Some(surroundings(measure)),
        parent_uuid: Some(RUN),
        name: Some(name),
        counter: Some(CounterDescriptor { unit: Some(unit) }),
        ..TrackDescriptor::default()
    }
}

/// The tracks that every recording of the plan has.
pub(super) fn of_plan(plan: &Plan) -> Vec<TrackDescriptor> {
    let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let run = TrackDescriptor { uuid: Some(RUN), name: Some("run".to_owned()), ..TrackDescriptor::default() };
    let process = |(index, node): (usize, &hopscope_scenario::plan::PlanNode)| TrackDescriptor {
        uuid: Some(PROCESS | index as u64),
        process: Some(ProcessDescriptor { pid: Some(number(index + 1)), process_name: Some(node.name.clone()) }),
        ..TrackDescriptor::default()
    };
    let thread = |(index, place): (usize, &hopscope_scenario::plan::Place)| TrackDescriptor {
        uuid: Some(THREAD | index as u64),
        parent_uuid: Some(PROCESS | u64::from(place.node)),
        thread: Some(ThreadDescriptor {
            pid: Some(number(place.node as usize + 1)),
            // A thread with its process's number would be taken for its main thread.
            tid: Some(number(plan.nodes.len() + index + 1)),
            thread_name: Some(place.instance()),
        }),
        ..TrackDescriptor::default()
    };
    let processes = plan.nodes.iter().enumerate().map(process);
    std::iter::once(run).chain(processes).chain(plan.places.iter().enumerate().map(thread)).collect()
}

/// The track of a place's level, described.
pub(super) fn of_level(place: PlaceIndex, level: usize, name: &str) -> TrackDescriptor {
    TrackDescriptor {
        uuid: Some(counter(place, level)),
        parent_uuid: Some(thread(place)),
        name: Some(name.to_owned()),
        counter: Some(CounterDescriptor { unit: Some(UNIT_COUNT) }),
        ..TrackDescriptor::default()
    }
}

/// The lanes: which are free, and how many there are.
#[derive(Default)]
pub(super) struct Lanes {
    free: BTreeMap<(PlaceIndex, Lane), BTreeSet<u64>>,
    count: u64,
}

impl Lanes {
    /// A free lane, the lowest there is; with its description if it is new.
    pub(super) fn take(&mut self, place: PlaceIndex, lane: Lane) -> (u64, Option<TrackDescriptor>) {
        if let Some(track) = self.free.entry((place, lane)).or_default().pop_first() {
            return (track, None);
        }
        let track = LANE + self.count;
        self.count += 1;
        let described = TrackDescriptor {
            uuid: Some(track),
            parent_uuid: Some(thread(place)),
            name: Some(lane.name().to_owned()),
            ..TrackDescriptor::default()
        };
        (track, Some(described))
    }

    /// Gives a lane back.
    pub(super) fn give(&mut self, place: PlaceIndex, lane: Lane, track: u64) {
        self.free.entry((place, lane)).or_default().insert(track);
    }
}
