//! What of each trace is under way.

use hopscope_record::kind::{Admission, Attempt, KindInfo};
use hopscope_record::{Event, Kind, MessageId, PlaceIndex};
use hopscope_scenario::plan::{Passage, Plan, PlanLink};

use super::{awaits, whole};
use crate::numbered::Numbered;

/// Open attempts, messages at workers, copies in queues; each with the row of its trace.
#[derive(Default)]
pub(super) struct Open {
    /// Whether the broker stamps nothing.
    bounded: bool,
    /// Places of queues that nobody takes from: what is ready there waits for nothing.
    parked: Vec<u32>,
    /// Whether each link leads to such a queue, and whether it delivers.
    links: Vec<(bool, bool)>,
    /// Attempts, with who opened them.
    attempts: Numbered<(PlaceIndex, u32)>,
    /// Messages that wait for a worker or have one, with where.
    at_work: Numbered<(PlaceIndex, u32)>,
    /// Messages that are to come out of a queue that stamps nothing, without their attempt.
    put: Numbered<()>,
    /// The publish, without its attempt, of each delivery that no worker has taken up yet.
    publishes: Numbered<u64>,
}

impl Open {
    /// Nothing, in a run of this plan.
    pub(super) fn of(plan: &Plan) -> Self {
        // Replies are taken by whoever waits for them.
        let taken = |node: u32| plan.links.iter().any(|link| link.from == node || link.replies == Some(node));
        let parked = plan.queues.iter().filter(|queue| !taken(queue.node));
        let link = |link: &PlanLink| {
            let parks = plan.queue_at(link.to).is_some() && !taken(link.to);
            (parks, plan.passage(link) == Passage::Deliver)
        };
        Self {
            bounded: plan.broker.is_some(),
            parked: parked.map(|queue| queue.place).collect(),
            links: plan.links.iter().map(link).collect(),
            ..Self::default()
        }
    }

    /// By how much more of its trace is under way after an event.
    pub(super) fn apply(&mut self, row: u32, event: &Event, info: &KindInfo) -> i32 {
        let mut by = self.at_work(row, event, info);
        if !self.parked.contains(&event.place.0) {
            by += i32::from(info.steps.ready);
        }
        match info.attempt {
            Attempt::Opens => by += self.opens(row, event),
            Attempt::Closes if !event.is_late() && !awaits(event, info) => {
                by -= i32::from(self.attempts.remove(event.message.0).is_some());
            }
            Attempt::Closes | Attempt::None => {}
        }
        if !event.parent.is_none() && (event.kind == Kind::DELIVERED || event.kind == Kind::RECEIVED) {
            self.publishes.insert(event.message.0, whole(event.parent));
        }
        if self.bounded {
            by += self.behind(row, event);
        }
        by
    }

    /// What a place had under way ends with it, what it was at and what it had asked of others: the row of each.
    pub(super) fn exit(&mut self, place: PlaceIndex) -> Vec<u32> {
        let mut gone = leave(&mut self.at_work, place);
        gone.append(&mut leave(&mut self.attempts, place));
        gone
    }

    /// What a worker takes up when it takes up this: a call's message, or what was published, each without its attempt.
    pub(super) fn publish_of(&mut self, message: MessageId) -> u64 {
        self.publishes.remove(message.0).unwrap_or_else(|| whole(message))
    }

    fn opens(&mut self, row: u32, event: &Event) -> i32 {
        i32::from(self.attempts.insert(event.message.0, (event.place, row)).is_none())
    }

    /// Whoever waits for a worker or has one is at work until it is freed.
    fn at_work(&mut self, row: u32, event: &Event, info: &KindInfo) -> i32 {
        if info.steps.only_if_a.is_some_and(|a| a != event.a) {
            return 0;
        }
        let key = event.message.0;
        match (info.steps.waiting, info.steps.busy) {
            (0, 0) => 0,
            (-1, 0) | (0, -1) => -i32::from(self.at_work.remove(key).is_some()),
            _ => i32::from(self.at_work.insert(key, (event.place, row)).is_none()),
        }
    }

    /// What is in a queue that stamps nothing, by what its publishers and consumers say.
    fn behind(&mut self, row: u32, event: &Event) -> i32 {
        let (parks, delivers) = self.links.get(usize::from(event.link.0)).copied().unwrap_or_default();
        match event.kind {
            Kind::PUBLISHED if !parks => i32::from(self.put.insert(whole(event.message), ()).is_none()),
            Kind::RETURNED | Kind::CONFIRM_REFUSED => -i32::from(self.put.remove(whole(event.message)).is_some()),
            Kind::RECEIVED if delivers => {
                let opened = if event.a == Admission::Taken as u64 { 0 } else { self.opens(row, event) };
                opened - i32::from(self.put.remove(whole(event.parent)).is_some())
            }
            Kind::REQUEUED => {
                let publish = self.publishes.get(event.message.0).copied();
                publish.map_or(0, |publish| i32::from(self.put.insert(publish, ()).is_none()))
            }
            _ => 0,
        }
    }
}

/// Takes out what a place has: the rows.
fn leave(of: &mut Numbered<(PlaceIndex, u32)>, place: PlaceIndex) -> Vec<u32> {
    let there: Vec<_> =
        of.iter().filter(|(_, (at, _))| *at == place).map(|(number, (_, row))| (number, *row)).collect();
    let out = |(number, row)| {
        of.remove(number);
        row
    };
    there.into_iter().map(out).collect()
}
