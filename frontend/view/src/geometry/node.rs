//! Boxes of nodes and what is drawn in them.

use hopscope_scenario::kinds::Kind;

use super::{Point, Rect};

/// Space between a node's edge and what it shows.
const PADDING: f64 = 12.0;
/// Where the row of workers begins below a service's top edge.
const WORKERS_TOP: f64 = 52.0;
/// Size of one worker's box where there is room.
const WORKER: Point = Point::new(15.0, 10.0);
/// Fewest requests of a window that a client's schedule shows; ten times as many are the most.
const FEWEST_MARKS: f64 = 4.0;
/// Narrowest box of a worker; below, one box stands for all.
const NARROWEST: f64 = 3.0;

/// Where a queue's bar begins below its top edge, and how high it is.
const BAR: (f64, f64) = (30.0, 18.0);
/// Distance between the messages that stand in a queue's bar.
pub(crate) const SLOT: f64 = 8.0;
/// From the bar's end to the middle of the message at the front.
const FRONT: f64 = 5.0;

/// The box of a node of that kind whose left top corner is at (x, y).
#[must_use]
pub fn node_rect(kind: Kind, x: f64, y: f64) -> Rect {
    let (w, h) = match kind {
        Kind::Client | Kind::Service => (160.0, 100.0),
        Kind::Queue | Kind::Topic => (208.0, 66.0),
        Kind::Exchange | Kind::External => (160.0, 66.0),
    };
    Rect::new(x, y, w, h)
}

/// Where a link is dragged out of a node.
#[must_use]
pub fn port(node: Rect) -> Point {
    Point::new(node.right(), node.center().y)
}

/// The topmost node at a point: the last of those that lie over each other.
#[must_use]
pub fn node_at(nodes: impl DoubleEndedIterator<Item = Rect> + ExactSizeIterator, point: Point) -> Option<usize> {
    nodes.enumerate().rev().find(|(_, rect)| rect.contains(point)).map(|(index, _)| index)
}

/// The bar of a queue, in which its messages stand.
#[must_use]
pub fn queue_bar(node: Rect) -> Rect {
    Rect::new(node.x + PADDING, node.y + BAR.0, node.w - 2.0 * PADDING, BAR.1)
}

/// Where the message at the front of a queue stands, and how many stand side by side before the others share the last spot.
/// Those behind it stand to the left, [`SLOT`] apart.
#[must_use]
pub(crate) fn queue_front(node: Rect) -> (Point, usize) {
    let bar = queue_bar(node);
    let room = ((bar.w - 2.0 * FRONT) / SLOT) as usize + 1;
    (Point::new(bar.right() - FRONT, bar.center().y), room)
}

/// The boxes of a service's workers on its node.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerBoxes {
    /// World coordinates, replica by replica, worker by worker; or one for all of them.
    pub boxes: Vec<Rect>,
    /// How many workers one box stands for.
    pub workers_per_box: u32,
}

/// A client's schedule on its node: one mark for each request that it wants to send within a window of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Where the marks are, from the node's left edge.
    pub marks: Vec<f64>,
    /// How long the window is, in ns.
    pub window: u64,
}

/// Draws constant load of `rate` millionths per second: the window is the least power of ten that has enough
/// requests to look like a row of marks. None at a rate of nothing, or one so slow that no window has them.
#[must_use]
pub fn schedule(node: Rect, rate: u64) -> Option<Schedule> {
    let requests = |window: u64| rate as f64 / 1e6 * window as f64 / 1e9;
    let windows = (3..17).map(|exponent| 10_u64.pow(exponent));
    let window = windows.into_iter().find(|window| requests(*window) >= FEWEST_MARKS)?;
    let count = requests(window);
    let mark = |index: u32| PADDING + f64::from(index) / count * (node.w - 2.0 * PADDING);
    Some(Schedule { marks: (0..count.ceil() as u32).map(mark).collect(), window })
}

/// Lays out the workers of a service: a box each, replicas set apart, or one box for all where they are too many.
#[must_use]
pub fn worker_boxes(node: Rect, replicas: u32, workers: u32) -> WorkerBoxes {
    let room = node.w - 2.0 * PADDING;
    let total = replicas.saturating_mul(workers);
    let (left, top) = (node.x + PADDING, node.y + WORKERS_TOP);
    // A step holds a box and a quarter of it as the gap; replicas are half a step apart.
    let steps = f64::from(total) + f64::from(replicas.saturating_sub(1)) * 0.5;
    let width = (room / steps.max(1.0) * 0.8).min(WORKER.x);
    if total == 0 || width < NARROWEST {
        return WorkerBoxes { boxes: vec![Rect::new(left, top, room, WORKER.y)], workers_per_box: total };
    }
    let step = width * 1.25;
    let place = |worker: u32| {
        let apart = f64::from(worker / workers) * step * 0.5;
        Rect::new(left + f64::from(worker) * step + apart, top, width, WORKER.y)
    };
    WorkerBoxes { boxes: (0..total).map(place).collect(), workers_per_box: 1 }
}
