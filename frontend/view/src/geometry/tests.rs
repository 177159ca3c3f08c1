use hopscope_scenario::kinds::Kind;
use proptest::prelude::*;

use super::*;

const EPSILON: f64 = 1e-6;

fn close(a: Point, b: Point) -> bool {
    a.minus(b).length() < EPSILON
}

fn place() -> impl Strategy<Value = Point> {
    (-5_000.0..5_000.0, -5_000.0..5_000.0).prop_map(|(x, y)| Point::new(x, y))
}

fn client(at: Point) -> Rect {
    node_rect(Kind::Client, at.x, at.y)
}

proptest! {
    #[test]
    fn what_stands_beside_a_straight_link_leaves_it_free(dx in 300.0..900.0_f64, up in any::<bool>()) {
        let (from, to) = (client(Point::default()), client(if up { Point::new(0.0, dx) } else { Point::new(dx, 0.0) }));
        let path = LinkPath::between(from, to);
        let middle = path.beside(60.0, 14.0, 6.0);
        let expected = path.at(0.5).plus(if up { Point::new(36.0, 0.0) } else { Point::new(0.0, -13.0) });
        prop_assert!(middle.minus(expected).length() < 0.1, "{middle:?} {expected:?}");
    }

    #[test]
    fn screen_and_world_are_inverse(pan in place(), zoom in MIN_ZOOM..MAX_ZOOM, point in place()) {
        let view = Viewport { pan, zoom };
        prop_assert!(close(view.to_world(view.to_screen(point)), point));
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer(pan in place(), at in place(), factor in 0.01..100.0) {
        let view = Viewport { pan, zoom: 1.0 };
        let zoomed = view.zoomed(at, factor);
        prop_assert!((MIN_ZOOM..=MAX_ZOOM).contains(&zoomed.zoom));
        prop_assert!(close(zoomed.to_screen(view.to_world(at)), at));
    }

    #[test]
    fn what_is_to_be_seen_is_shown_and_nothing_moves_that_need_not(a in place(), pan in place(), zoom in 0.5..2.0_f64) {
        let (rect, size) = (client(a), Point::new(800.0, 600.0));
        let view = Viewport { pan, zoom }.showing(rect, size, 24.0);
        let (from, to) = (view.to_screen(rect.origin()), view.to_screen(Point::new(rect.right(), rect.bottom())));
        prop_assert!(from.x >= 24.0 - EPSILON && from.y >= 24.0 - EPSILON);
        prop_assert!(to.x <= 776.0 + EPSILON && to.y <= 576.0 + EPSILON);
        let again = view.showing(rect, size, 24.0);
        prop_assert!(close(again.pan, view.pan) && view.zoom == zoom);
    }

    #[test]
    fn fit_shows_everything_that_can_be_shown(a in place(), b in place()) {
        let bounds = Rect::between(a, b);
        let view = Viewport::fit(bounds, Point::new(800.0, 600.0), 40.0, 1.0);
        prop_assert!(close(view.to_screen(bounds.center()), Point::new(400.0, 300.0)));
        if view.zoom > MIN_ZOOM {
            let corner = view.to_screen(bounds.origin());
            prop_assert!(corner.x >= 40.0 - EPSILON && corner.y >= 40.0 - EPSILON);
        }
    }

    #[test]
    fn a_path_joins_the_edges_of_its_boxes_and_advances_evenly(a in place(), b in place()) {
        let (from, to) = (client(a), client(b));
        let path = LinkPath::between(from, to);
        prop_assert!(on_edge(from, path.at(0.0)) && on_edge(to, path.at(1.0)));
        let step = path.length() / 10.0;
        for tenth in 0..10 {
            let (t, next) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            // A chord is never longer than its arc, up to the error of measuring by straight pieces.
            prop_assert!(path.at(next).minus(path.at(t)).length() <= step * 1.05 + EPSILON);
        }
    }

    #[test]
    fn worker_boxes_stay_on_their_node_and_apart(replicas in 1_u32..8, workers in 1_u32..12) {
        let node = node_rect(Kind::Service, 100.0, 100.0);
        let drawn = worker_boxes(node, replicas, workers);
        prop_assert_eq!(drawn.boxes.len() as u32 * drawn.workers_per_box, replicas * workers);
        for pair in drawn.boxes.windows(2) {
            prop_assert!(pair[0].right() < pair[1].x);
        }
        prop_assert!(drawn.boxes.iter().all(|rect| rect.x >= node.x && rect.right() <= node.right()));
    }
}

fn on_edge(rect: Rect, point: Point) -> bool {
    let grown = Rect::new(rect.x - EPSILON, rect.y - EPSILON, rect.w + 2.0 * EPSILON, rect.h + 2.0 * EPSILON);
    let vertical = (point.x - rect.x).abs() < EPSILON || (point.x - rect.right()).abs() < EPSILON;
    let horizontal = (point.y - rect.y).abs() < EPSILON || (point.y - rect.bottom()).abs() < EPSILON;
    grown.contains(point) && (vertical || horizontal)
}

#[test]
fn links_of_one_side_leave_apart_in_the_order_of_their_ends() {
    let rects = [(0.0, 200.0), (400.0, 400.0), (400.0, 0.0)].map(|(x, y)| client(Point::new(x, y)));
    let paths = route(&rects, &[(0, 1), (0, 2)]);
    let [Some(low), Some(high)] = &paths[..] else { panic!("both ends exist") };
    assert_eq!(low.at(0.0), Point::new(160.0, 262.0));
    assert_eq!(high.at(0.0), Point::new(160.0, 238.0));
}

#[test]
fn two_links_between_the_same_nodes_do_not_lie_on_each_other() {
    let rects = [client(Point::new(0.0, 0.0)), client(Point::new(400.0, 0.0))];
    let paths = route(&rects, &[(0, 1), (0, 1), (1, 0)]);
    let middles: Vec<_> = paths.iter().flatten().map(|path| path.at(0.5).y).collect();
    assert_eq!(middles, [50.0 - 68.0 / 3.0, 50.0, 50.0 + 68.0 / 3.0]);
}

#[test]
fn a_link_to_nowhere_has_no_path() {
    assert_eq!(route(&[client(Point::default())], &[(0, 1)]), [None]);
}

#[test]
fn the_topmost_of_overlapping_nodes_is_hit() {
    let rects = [client(Point::default()), client(Point::new(10.0, 10.0))];
    assert_eq!(node_at(rects.iter().copied(), Point::new(50.0, 50.0)), Some(1));
    assert_eq!(node_at(rects.iter().copied(), Point::new(5.0, 5.0)), Some(0));
    assert_eq!(node_at(rects.iter().copied(), Point::new(500.0, 5.0)), None);
}

#[test]
fn many_workers_share_one_box() {
    let drawn = worker_boxes(node_rect(Kind::Service, 0.0, 0.0), 4, 100);
    assert_eq!((drawn.boxes.len(), drawn.workers_per_box), (1, 400));
}

#[test]
fn a_schedule_shows_every_request_of_its_window() {
    let node = node_rect(Kind::Client, 0.0, 0.0);
    let twenty = schedule(node, 20_000_000).unwrap();
    assert_eq!((twenty.marks.len(), twenty.window), (20, 1_000_000_000));
    assert_eq!(twenty.marks[0], 12.0);
    let fast = schedule(node, 100_000 * 1_000_000).unwrap();
    assert_eq!((fast.marks.len(), fast.window), (10, 100_000));
    let slow = schedule(node, 1_000).unwrap();
    assert_eq!((slow.marks.len(), slow.window), (10, 10_000_000_000_000));
    assert_eq!(schedule(node, 0), None);
}
