//! The stage: where the run's links and places are on the canvas.

use hopscope_scenario::plan::{Plan, Role};
use hopscope_scenario::protocol::Protocol;

use crate::buffer::Journey;
use crate::geometry::{LinkPath, Point, Rect, SLOT, queue_front, worker_boxes};
use crate::scene::Scene;

/// Distance between messages that wait in a row.
const WAITING_STEP: f64 = 7.0;
/// The row of those that wait stands so far below the workers.
const BELOW_WORKERS: f64 = 9.0;

/// A link of the plan on the canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct StageLink {
    /// Where its messages go.
    pub path: LinkPath,
    /// The number of its colour.
    pub color: u8,
    /// Whether its messages are replies.
    pub carries_replies: bool,
}

/// A place of the plan on the canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct StagePlace {
    /// The middles of its workers' boxes, the first worker first; at least one point.
    workers: Vec<Point>,
    /// Where the first of those that wait stands.
    waiting: Point,
    /// From one of them to the next.
    step: f64,
    /// How many stand apart before the others share the last spot.
    room: usize,
}

impl StagePlace {
    /// Where the worker of that number is.
    #[must_use]
    pub fn worker(&self, worker: u16) -> Point {
        let last = self.workers.len().saturating_sub(1);
        self.workers.get(usize::from(worker).min(last)).copied().unwrap_or(self.waiting)
    }

    /// Where the one stands that has `rank` others before it.
    #[must_use]
    pub fn waiting(&self, rank: usize) -> Point {
        self.waiting.plus(Point::new(rank.min(self.room.saturating_sub(1)) as f64 * self.step, 0.0))
    }
}

/// Links and places by their numbers in the plan; `None` where the canvas no longer has the node or link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// The links.
    pub links: Vec<Option<StageLink>>,
    /// The places.
    pub places: Vec<Option<StagePlace>>,
    /// Of the links that lead to exchanges: the queue's place, and the link that binds it.
    onward: Vec<(u16, u32, u16)>,
}

impl Stage {
    /// The stage of a plan on a scene, with a colour for each protocol.
    #[must_use]
    pub fn new(plan: &Plan, scene: &Scene, color: impl Fn(Protocol) -> u8) -> Self {
        let link = |link: &hopscope_scenario::plan::PlanLink| {
            let path = scene.link(&link.id)?.path.clone();
            Some(StageLink { path, color: color(link.protocol), carries_replies: link.replies_of.is_some() })
        };
        let mut onward = Vec::new();
        for (number, link) in (0_u16..).zip(&plan.links).filter(|(_, link)| plan.exchange_at(link.to).is_some()) {
            let routes = plan.routes(link).into_iter();
            onward.extend(routes.filter_map(|(binding, row)| Some((number, plan.keeper_at(row.to)?, binding))));
        }
        Self { links: plan.links.iter().map(link).collect(), places: places(plan, scene), onward }
    }

    /// Where a message goes on over from the exchange that its link leads to.
    pub(super) fn onward(&self, journey: &Journey) -> Option<&StageLink> {
        let of_it = |(link, queue, _): &&(u16, u32, u16)| *link == journey.link.0 && *queue == journey.queue.0;
        let (_, _, binding) = self.onward.iter().find(of_it)?;
        self.links.get(usize::from(*binding))?.as_ref()
    }
}

fn places(plan: &Plan, scene: &Scene) -> Vec<Option<StagePlace>> {
    let place = |place: &hopscope_scenario::plan::Place| {
        let node = plan.nodes.get(place.node as usize)?;
        let rect = scene.node(&node.id)?.rect;
        Some(match (place.role, plan.service_at(place.node)) {
            (Role::Replica, Some(service)) => replica(rect, service.replicas, service.workers, place.ordinal),
            (Role::Queue | Role::Topic | Role::Group, _) => queue(rect),
            _ => StagePlace { workers: vec![rect.center()], waiting: rect.center(), step: 0.0, room: 1 },
        })
    };
    plan.places.iter().map(place).collect()
}

fn replica(node: Rect, replicas: u32, workers: u32, ordinal: u32) -> StagePlace {
    let layout = worker_boxes(node, replicas, workers);
    let per_replica = if layout.workers_per_box == 1 { workers as usize } else { 0 };
    let first = ordinal.saturating_sub(1) as usize * per_replica;
    let own = layout.boxes.get(first..first + per_replica).filter(|own| !own.is_empty()).unwrap_or(&layout.boxes);
    let bounds = own.iter().copied().reduce(Rect::around).unwrap_or(node);
    let waiting = Point::new(bounds.x + 3.0, bounds.bottom() + BELOW_WORKERS);
    let room = ((node.right() - 6.0 - waiting.x) / WAITING_STEP).max(1.0) as usize;
    let workers = own.iter().map(|rect| rect.center()).collect();
    StagePlace { workers, waiting, step: WAITING_STEP, room }
}

/// The messages of a queue stand in its bar, the oldest at the right end.
fn queue(node: Rect) -> StagePlace {
    let (front, room) = queue_front(node);
    StagePlace { workers: vec![front], waiting: front, step: -SLOT, room }
}
