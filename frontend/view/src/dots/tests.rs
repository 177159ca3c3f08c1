use std::collections::BTreeSet;

use hopscope_record::decoder::Framing;
use hopscope_scenario::edits::Document;
use proptest::prelude::*;

use super::live::Stretch;
use super::paint::{Area, Style, Surface};
use super::*;
use crate::buffer::RunBuffer;
use crate::buffer::synthetic::{Fate, MS, READY, events, frames, given_back, queue_buffer, queued};
use crate::geometry::{Rect, Viewport, worker_boxes};
use crate::scene::Scene;

fn buffer(calls: &[(i64, Fate)]) -> RunBuffer {
    let mut buffer = RunBuffer::new(Framing::Stream);
    for frame in frames(&events(calls), 50) {
        buffer.push(&frame).unwrap();
    }
    buffer
}

fn stage(buffer: &RunBuffer) -> Stage {
    let plan = buffer.plan().unwrap();
    let document = serde_json::to_string(&plan.scenario).unwrap();
    let scene = Scene::of(&Document::open(&document).unwrap(), &BTreeSet::new(), Point::default());
    Stage::new(plan, &scene, |_| 3)
}

fn replay(buffer: &RunBuffer, time: i64) -> Layout {
    let mut layout = Layout::default();
    layout.update(buffer, &stage(buffer), Picture::Replay { time, linger: 0 });
    layout
}

fn only(layout: &Layout) -> Dot {
    assert_eq!(layout.dots.len(), 1);
    layout.dots[0]
}

const SHOP: Rect = Rect::new(400.0, 0.0, 160.0, 80.0);

#[test]
fn a_message_is_where_its_stamps_say() {
    let buffer = buffer(&[(0, Fate::Answered)]);
    let path = stage(&buffer).links[0].clone().unwrap().path;
    let journey = buffer.journeys().unwrap().rows()[0];
    assert!(replay(&buffer, journey.sent - 1).dots.is_empty());
    let there = only(&replay(&buffer, journey.sent + 25_000));
    assert_eq!((there.at, there.shape, there.color), (path.at(0.25), Shape::Request, 3));
    let waiting = replay(&buffer, journey.received + 1);
    assert!(SHOP.contains(only(&waiting).at));
    assert_eq!(waiting.levels[1], super::layout::Level { waiting: 1, busy: 0 });
    let working = replay(&buffer, journey.started + 1);
    assert_eq!(only(&working).at, worker_boxes(SHOP, 2, 2).boxes[0].center());
    assert_eq!(working.levels[1], super::layout::Level { waiting: 0, busy: 1 });
    let back = only(&replay(&buffer, journey.replied + 50_000));
    assert_eq!((back.at, back.shape), (path.at(0.75), Shape::Reply));
    assert_eq!(only(&replay(&buffer, journey.closed)).at, path.at(0.0));
    assert!(replay(&buffer, journey.closed + 1).dots.is_empty());
}

#[test]
fn a_message_through_queues_is_where_its_stamps_say() {
    let buffer = queue_buffer(&queued(0, 0));
    let stage = stage(&buffer);
    let path = |link: usize| stage.links[link].clone().unwrap().path;
    let dot = |time| only(&replay(&buffer, time));
    let put = 100_000;
    assert_eq!((dot(50_000).at, dot(50_000).shape), (path(0).at(0.5), Shape::Request));
    assert_eq!((dot(put + MS).at, dot(put + MS).shape), (stage.places[1].clone().unwrap().waiting(0), Shape::Queued));
    let taken = put + READY;
    assert_eq!((dot(taken + 50_000).at, dot(taken + 50_000).shape), (path(1).at(0.5), Shape::Request));
    assert_eq!(dot(taken + MS).at, stage.places[2].clone().unwrap().worker(0));
    let back = taken + 100_000 + 10 * MS;
    assert_eq!((dot(back + 50_000).at, dot(back + 50_000).shape), (path(2).at(0.5), Shape::Reply));
    assert_eq!(dot(back + 120_000).at, stage.places[3].clone().unwrap().waiting(0));
    assert_eq!(dot(back + 200_000).at, path(3).at(0.5));
    assert!(replay(&buffer, back + 260_000).dots.is_empty());
}

#[test]
fn messages_stand_in_a_queue_one_by_one_and_what_went_back_is_at_the_front() {
    let (mut events, mut later) = (given_back(), queued(1, 10));
    later.retain(|event| event.time <= 200_000);
    events.extend(later);
    events.sort_by_key(|event| event.time);
    let buffer = queue_buffer(&events);
    let layout = replay(&buffer, 3 * MS);
    let place = stage(&buffer).places[1].clone().unwrap();
    let mut dots: Vec<_> = layout.dots.iter().map(|dot| (dot.trace, dot.at)).collect();
    dots.sort_by_key(|(trace, _)| *trace);
    assert_eq!(dots, [(0, place.waiting(0)), (1, place.waiting(1))]);
    assert!(place.waiting(1).x < place.waiting(0).x);
}

#[test]
fn live_a_message_goes_through_its_queues() {
    let buffer = queue_buffer(&queued(0, 0));
    let (stage, mut layout) = (stage(&buffer), Layout::default());
    let mut shapes = Vec::new();
    for time in (0..6_000 * MS).step_by(1_000_000) {
        layout.update(&buffer, &stage, Picture::Live { time });
        assert!(layout.dots.len() <= 1);
        shapes.extend(layout.dots.iter().map(|dot| dot.shape));
    }
    shapes.dedup();
    use Shape::{Queued, Reply, Request};
    // It is ready in the reply queue for less than the step of this look.
    assert_eq!(shapes, [Request, Queued, Request, Reply]);
    assert!(layout.dots.is_empty());
}

#[test]
fn what_ends_badly_is_a_cross_and_lingers() {
    let buffer = buffer(&[(0, Fate::Failed), (50 * MS, Fate::Refused)]);
    let (stage, rows) = (stage(&buffer), buffer.journeys().unwrap().rows());
    let mut layout = Layout::default();
    layout.update(&buffer, &stage, Picture::Replay { time: rows[0].closed + 10, linger: 1_000 });
    assert_eq!(only(&layout).shape, Shape::Bad);
    layout.update(&buffer, &stage, Picture::Replay { time: rows[0].closed + 1_010, linger: 1_000 });
    assert!(layout.dots.is_empty());
    layout.update(&buffer, &stage, Picture::Replay { time: rows[1].replied + 10, linger: 0 });
    assert_eq!(only(&layout).shape, Shape::Bad);
}

#[test]
fn work_that_goes_on_after_a_time_out_is_counted_and_has_no_dot() {
    let buffer = buffer(&[(0, Fate::TimedOut)]);
    let journey = buffer.journeys().unwrap().rows()[0];
    assert!(journey.started < journey.closed && journey.closed < journey.finished);
    let given_up = replay(&buffer, journey.closed + MS);
    assert_eq!((given_up.levels[1], given_up.dots.len()), (super::layout::Level { waiting: 0, busy: 1 }, 0));
    let freed = replay(&buffer, journey.finished);
    assert_eq!(freed.levels[1], super::layout::Level::default());
}

#[test]
fn those_that_wait_stand_side_by_side() {
    let buffer = buffer(&[(0, Fate::Answered), (100, Fate::Answered), (200, Fate::Answered)]);
    let layout = replay(&buffer, 500_000);
    assert_eq!(layout.levels[1].waiting, 3);
    let mut places: Vec<_> = layout.dots.iter().map(|dot| dot.at.x).collect();
    places.dedup();
    assert_eq!(places.len(), 3);
}

#[test]
fn above_the_limit_dots_are_sampled_and_levels_are_not() {
    let calls: Vec<_> = (0..100).map(|n| (n * 10, Fate::Answered)).collect();
    let (buffer, mut layout) = (buffer(&calls), Layout::default());
    layout.update_with(&buffer, &stage(&buffer), Picture::Replay { time: 600_000, linger: 0 }, 30);
    assert_eq!((layout.dots.len(), layout.messages_per_dot, layout.levels[1].waiting), (25, 4, 100));
    layout.update_with(&buffer, &stage(&buffer), Picture::Live { time: 2_000_000 }, 30);
    assert_eq!((layout.dots.len(), layout.messages_per_dot), (25, 4));
}

#[test]
fn what_is_over_and_has_no_dot_takes_no_room_from_those_that_have_one() {
    let calls: Vec<_> = (0..100).map(|n| (n * 200_000, Fate::Answered)).collect();
    let (buffer, mut layout) = (buffer(&calls), Layout::default());
    // Each takes 10.32 ms: the 49 that began by 9.6 ms are over and would linger, were they bad.
    layout.update_with(&buffer, &stage(&buffer), Picture::Replay { time: 20 * MS, linger: 20 * MS }, 52);
    assert_eq!((layout.dots.len(), layout.messages_per_dot), (51, 1));
}

#[test]
fn live_a_trace_takes_about_a_second_and_a_half() {
    let buffer = buffer(&[(0, Fate::Answered)]);
    let (stage, mut layout) = (stage(&buffer), Layout::default());
    let mut shapes = Vec::new();
    let mut visible = 0;
    for time in (0..4_000 * MS).step_by(10_000_000) {
        layout.update(&buffer, &stage, Picture::Live { time });
        visible += layout.dots.len();
        shapes.extend(layout.dots.iter().map(|dot| dot.shape));
    }
    assert!((120..220).contains(&visible), "{visible} frames of 10 ms");
    shapes.dedup();
    assert_eq!(shapes, [Shape::Request, Shape::Reply]);
    assert!(layout.dots.is_empty());
}

#[test]
fn the_nearest_dot_is_found_within_reach() {
    let dot = |x, trace| Dot { at: Point::new(x, 0.0), shape: Shape::Request, color: 0, trace };
    let dots = [dot(0.0, 1), dot(6.0, 2), dot(6.0, 3)];
    assert_eq!(nearest(&dots, Point::new(5.0, 0.0), 3.0).map(|dot| dot.trace), Some(3));
    assert_eq!(nearest(&dots, Point::new(1.0, 2.0), 3.0).map(|dot| dot.trace), Some(1));
    assert_eq!(nearest(&dots, Point::new(1.0, 9.0), 3.0), None);
}

const STYLE: Style<'static> = Style {
    viewport: Viewport { pan: Point { x: 0.0, y: 0.0 }, zoom: 1.0 },
    ratio: 1.0,
    colors: &[[10, 20, 30]],
    bad: [200, 0, 0],
    halo: [1, 2, 3],
    selected: None,
};

fn at(x: f64, y: f64, shape: Shape) -> Dot {
    Dot { at: Point::new(x, y), shape, color: 0, trace: 5 }
}

fn pixel(surface: &Surface, x: usize, y: usize) -> &[u8] {
    &surface.pixels()[(y * surface.size().0 + x) * 4..][..4]
}

#[test]
fn shapes_differ_in_their_pixels_and_are_cleared_again() {
    let mut surface = Surface::default();
    surface.resize(60, 40);
    let area = surface.paint(&[at(20.5, 20.5, Shape::Request)], &STYLE);
    assert_eq!(pixel(&surface, 20, 20), [10, 20, 30, 255]);
    assert_eq!(pixel(&surface, 30, 20), [0, 0, 0, 0]);
    assert!(area.x <= 16 && area.x + area.w >= 25 && area.w < 20);
    surface.paint(&[at(20.5, 20.5, Shape::Reply)], &STYLE);
    assert_eq!(pixel(&surface, 20, 20)[3], 0);
    assert_eq!(pixel(&surface, 17, 20)[3], 255);
    surface.paint(&[at(20.5, 20.5, Shape::Bad)], &STYLE);
    assert_eq!(pixel(&surface, 20, 20), [200, 0, 0, 255]);
    assert_eq!(pixel(&surface, 17, 20)[3], 0);
    assert_eq!(surface.paint(&[], &STYLE), area);
    assert!(surface.pixels().iter().all(|byte| *byte == 0));
    assert_eq!(surface.paint(&[], &STYLE), Area::default());
}

#[test]
fn the_selected_trace_has_a_halo() {
    let mut surface = Surface::default();
    surface.resize(60, 40);
    surface.paint(&[at(20.5, 20.5, Shape::Request)], &Style { selected: Some(5), ..STYLE });
    assert_eq!(&pixel(&surface, 27, 20)[..3], [1, 2, 3]);
    surface.paint(&[at(20.5, 20.5, Shape::Request)], &Style { selected: Some(6), ..STYLE });
    assert_eq!(pixel(&surface, 27, 20)[3], 0);
}

#[test]
fn of_many_dots_alike_in_one_position_one_is_painted_and_the_last_of_another_form_is_on_top() {
    let (here, away) = (at(20.5, 20.5, Shape::Request), at(-900.0, 20.5, Shape::Request));
    let mut surface = Surface::default();
    surface.resize(60, 40);
    let mut painted = |dots: &[Dot]| {
        // A frame knows nothing of what the one before it painted.
        surface.paint(dots, &STYLE);
        surface.paint(dots, &STYLE);
        surface.pixels().to_vec()
    };
    let mut dots = vec![away; 5_000];
    assert!(painted(&dots).iter().all(|byte| *byte == 0));
    dots[0] = here;
    let one = painted(&dots);
    assert!(one.iter().any(|byte| *byte != 0));
    assert_eq!(painted(&[here; 5_000]), one);
    dots[4_999] = Dot { shape: Shape::Bad, ..here };
    assert_eq!(painted(&dots)[(20 * 60 + 20) * 4..][..4], [200, 0, 0, 255]);
    // What was covered in between is painted again.
    (dots[4_998], dots[4_999]) = (dots[4_999], here);
    assert_eq!(painted(&dots)[(20 * 60 + 20) * 4..][..4], [10, 20, 30, 255]);
    // Half a pixel beside it is another position.
    dots.iter_mut().step_by(2).for_each(|dot| *dot = Dot { at: Point::new(21.0, 20.5), ..here });
    assert_ne!(painted(&dots), one);
}

proptest! {
    #[test]
    fn painting_never_leaves_the_surface_nor_the_area_it_tells(
        dots in prop::collection::vec((-20.0_f64..80.0, -20.0_f64..60.0), 0..40),
        size in (0_usize..50, 0_usize..50),
    ) {
        let mut surface = Surface::default();
        surface.resize(size.0, size.1);
        let dots: Vec<_> = dots.into_iter().map(|(x, y)| at(x, y, Shape::Request)).collect();
        let area = surface.paint(&dots, &STYLE);
        for (index, pixel) in surface.pixels().chunks_exact(4).enumerate() {
            let (x, y) = (index % size.0, index / size.0);
            let inside = (area.x..area.x + area.w).contains(&x) && (area.y..area.y + area.h).contains(&y);
            prop_assert!(inside || pixel == [0; 4]);
        }
    }

    #[test]
    fn live_is_never_ahead_of_what_is_known(now in 0_i64..9_000 * MS, at in 0_i64..10 * MS) {
        let buffer = buffer(&[(at, Fate::Answered), (at + 100, Fate::TimedOut)]);
        let stretch = Stretch::new(buffer.median_flight(), buffer.median_hold());
        for row in buffer.journeys().unwrap().rows() {
            // All that was stamped up to `now` has come when the head is there.
            let moment = stretch.moment(std::iter::once(row), now, &mut Vec::new());
            let trace = buffer.traces()[row.trace as usize];
            prop_assert!(!Stretch::is_past(&trace, now) || moment.is_none());
            prop_assert!(moment.is_none_or(|moment| row.sent <= moment.time && moment.time <= now));
            prop_assert!(moment.is_some() || row.sent > now || now > row.sent + 300 * MS);
        }
    }
}

#[test]
fn figures_of_a_busy_picture_are_told_seldom_and_those_of_a_calm_one_with_each_frame() {
    let mut turns = Turns::default();
    assert_eq!([0, 1, MANY].map(|dots| turns.is_due(dots, true)), [true; 3]);
    let told: Vec<_> = (0..24).filter(|_| turns.is_due(MANY + 1, true)).collect();
    assert_eq!(told, [0, 12], "the first busy frame tells them");
    assert!(turns.is_due(MANY + 1, false), "a picture that rests is told in full");
}
