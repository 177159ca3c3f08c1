use super::*;

const VIEW: Viewport = Viewport { pan: Point::new(100.0, 50.0), zoom: 2.0 };

fn node(selected: bool) -> Target {
    Target::Node { id: "n1".into(), origin: Point::new(40.0, 60.0), selected }
}

fn press(gesture: &mut Gesture, target: Target, extend: bool) -> Option<Effect> {
    gesture.handle(Input::Press { at: Point::new(300.0, 300.0), target, extend, pan: false }, VIEW)
}

fn drag(gesture: &mut Gesture, x: f64, y: f64) -> Option<Effect> {
    gesture.handle(Input::Move { at: Point::new(x, y) }, VIEW)
}

fn release(gesture: &mut Gesture, x: f64, y: f64) -> Option<Effect> {
    gesture.handle(Input::Release { at: Point::new(x, y), inside: true }, VIEW)
}

#[test]
fn a_drag_selects_at_the_press_and_moves_on_the_grid_at_the_release() {
    let mut gesture = Gesture::default();
    assert_eq!(press(&mut gesture, node(false), false), Some(Effect::Select { id: "n1".into(), extend: false }));
    assert_eq!(drag(&mut gesture, 303.0, 300.0), None);
    assert_eq!(gesture.moved_by(), Point::default());
    assert_eq!(drag(&mut gesture, 350.0, 289.0), None);
    assert_eq!(gesture.moved_by(), Point::new(20.0, 0.0));
    let moved = release(&mut gesture, 384.0, 259.0);
    assert_eq!(moved, Some(Effect::MoveBy { by: Point::new(40.0, -20.0) }));
    assert_eq!(gesture, Gesture::Idle);
}

#[test]
fn a_node_off_the_grid_snaps_to_it() {
    let mut gesture = Gesture::default();
    let target = Target::Node { id: "n1".into(), origin: Point::new(33.0, 7.0), selected: true };
    press(&mut gesture, target, false);
    drag(&mut gesture, 320.0, 300.0);
    assert_eq!(gesture.moved_by(), Point::new(7.0, -7.0));
}

#[test]
fn a_click_on_one_of_several_selected_selects_it_alone_and_with_shift_takes_it_out() {
    let mut gesture = Gesture::default();
    assert_eq!(press(&mut gesture, node(true), false), None);
    let click = release(&mut gesture, 301.0, 301.0);
    assert_eq!(click, Some(Effect::Select { id: "n1".into(), extend: false }));
    assert_eq!(press(&mut gesture, node(true), true), None);
    assert_eq!(release(&mut gesture, 300.0, 300.0), Some(Effect::Deselect { id: "n1".into() }));
}

#[test]
fn shift_adds_a_node_and_its_release_keeps_it() {
    let mut gesture = Gesture::default();
    assert_eq!(press(&mut gesture, node(false), true), Some(Effect::Select { id: "n1".into(), extend: true }));
    assert_eq!(release(&mut gesture, 300.0, 300.0), None);
}

#[test]
fn the_background_pans_by_a_drag_and_clears_by_a_click() {
    let mut gesture = Gesture::default();
    press(&mut gesture, Target::Background, false);
    assert_eq!(drag(&mut gesture, 310.0, 320.0), Some(Effect::Pan { by: Point::new(10.0, 20.0) }));
    assert_eq!(release(&mut gesture, 311.0, 320.0), Some(Effect::Pan { by: Point::new(1.0, 0.0) }));
    press(&mut gesture, Target::Background, false);
    assert_eq!(release(&mut gesture, 300.0, 300.0), Some(Effect::ClearSelection));
}

#[test]
fn space_pans_even_on_a_node() {
    let mut gesture = Gesture::default();
    let at = Point::new(300.0, 300.0);
    assert_eq!(gesture.handle(Input::Press { at, target: node(false), extend: false, pan: true }, VIEW), None);
    assert_eq!(drag(&mut gesture, 305.0, 300.0), Some(Effect::Pan { by: Point::new(5.0, 0.0) }));
}

#[test]
fn shift_on_the_background_draws_a_box_in_the_world() {
    let mut gesture = Gesture::default();
    press(&mut gesture, Target::Background, true);
    drag(&mut gesture, 200.0, 250.0);
    let within = Rect::new(50.0, 100.0, 50.0, 25.0);
    assert_eq!(release(&mut gesture, 200.0, 250.0), Some(Effect::SelectWithin { within, extend: true }));
}

#[test]
fn a_link_follows_from_the_port_and_ends_where_it_is_let_go() {
    let mut gesture = Gesture::default();
    assert_eq!(press(&mut gesture, Target::Port { id: "n1".into() }, false), None);
    drag(&mut gesture, 500.0, 50.0);
    assert_eq!(gesture, Gesture::Linking { from: "n1".into(), at: Point::new(200.0, 0.0) });
    let effect = release(&mut gesture, 500.0, 250.0);
    assert_eq!(effect, Some(Effect::Link { from: "n1".into(), at: Point::new(200.0, 100.0) }));
}

#[test]
fn the_palette_places_where_it_is_dropped_in_view_when_clicked_and_nowhere_outside() {
    let mut gesture = Gesture::default();
    let pick = Input::Pick { at: Point::new(-40.0, 90.0), kind: Kind::Client };
    gesture.handle(pick.clone(), VIEW);
    drag(&mut gesture, 300.0, 250.0);
    let at = Point::new(100.0, 100.0);
    assert_eq!(release(&mut gesture, 300.0, 250.0), Some(Effect::Place { kind: Kind::Client, at }));
    gesture.handle(pick.clone(), VIEW);
    assert_eq!(release(&mut gesture, -40.0, 90.0), Some(Effect::PlaceInView { kind: Kind::Client }));
    gesture.handle(pick, VIEW);
    drag(&mut gesture, -60.0, 90.0);
    let outside = Input::Release { at: Point::new(-60.0, 90.0), inside: false };
    assert_eq!(gesture.handle(outside, VIEW), None);
    assert_eq!(gesture, Gesture::Idle);
}

#[test]
fn a_cancelled_gesture_changes_nothing() {
    for target in [node(true), Target::Port { id: "n1".into() }, Target::Background] {
        let mut gesture = Gesture::default();
        press(&mut gesture, target, false);
        drag(&mut gesture, 400.0, 400.0);
        assert_eq!(gesture.handle(Input::Cancel, VIEW), None);
        assert_eq!(release(&mut gesture, 400.0, 400.0), None);
    }
}
