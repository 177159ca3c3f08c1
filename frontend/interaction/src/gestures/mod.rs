//! What a pointer does on the canvas, as one state machine.
//!
//! Fed with presses, moves and releases in screen coordinates, it says what to change ([`Effect`]) and is itself what to
//! paint meanwhile ([`Gesture`]): a drag changes nothing in the document until it is released, and a cancelled one never
//! did. It knows no browser and no document; ids are opaque.

use hopscope_scenario::kinds::Kind;

use hopscope_view::geometry::{Point, Rect, Viewport};

#[cfg(test)]
mod tests;

/// How far a pointer may wander, in screen pixels, and still have clicked.
pub const CLICK: f64 = 4.0;

/// What lies under a press.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Nothing.
    Background,
    /// A node.
    Node {
        /// Its id.
        id: String,
        /// Its left top corner in the world.
        origin: Point,
        /// Whether it is selected already.
        selected: bool,
    },
    /// The port of a node.
    Port {
        /// The node's id.
        id: String,
    },
    /// A link.
    Link {
        /// Its id.
        id: String,
    },
}

/// What happens to the pointer. Points are on the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A button goes down on the canvas.
    Press {
        /// Where.
        at: Point,
        /// On what.
        target: Target,
        /// Whether it adds to the selection (Shift).
        extend: bool,
        /// Whether it pans whatever it is on (Space held, or the middle button).
        pan: bool,
    },
    /// A button goes down on a kind of the palette.
    Pick {
        /// Where.
        at: Point,
        /// Which kind.
        kind: Kind,
    },
    /// The pointer is elsewhere.
    Move {
        /// Where.
        at: Point,
    },
    /// The button is let go.
    Release {
        /// Where.
        at: Point,
        /// Whether that is on the canvas.
        inside: bool,
    },
    /// The gesture is given up: Escape, a lost pointer.
    Cancel,
}

/// What is under way. Points are in the world unless told.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Gesture {
    /// Nothing.
    #[default]
    Idle,
    /// A button is down and has not moved yet.
    Pressed {
        /// Where on the screen.
        at: Point,
        /// On what, as it was before the press.
        target: Target,
        /// Whether it adds to the selection.
        extend: bool,
    },
    /// The world moves under the window.
    Panning {
        /// Where the pointer was last, on the screen.
        last: Point,
    },
    /// The selected nodes move.
    Moving {
        /// Where the button went down, on the screen.
        start: Point,
        /// Where the pressed node was.
        origin: Point,
        /// How far they are now; on the grid for the pressed node.
        by: Point,
    },
    /// A box is drawn around what is to be selected.
    Marquee {
        /// The corner where it began.
        from: Point,
        /// The corner at the pointer.
        to: Point,
        /// Whether it adds to the selection.
        extend: bool,
    },
    /// A link is drawn out of a port.
    Linking {
        /// The id of the port's node.
        from: String,
        /// Where its loose end is.
        at: Point,
    },
    /// A new node comes from the palette.
    Placing {
        /// Its kind.
        kind: Kind,
        /// Where the button went down, on the screen.
        start: Point,
        /// Where the pointer is.
        at: Point,
        /// Whether it has moved far enough to be a drag.
        dragged: bool,
    },
}

/// What to change.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Select this node, alone or beside what is selected.
    Select {
        /// Its id.
        id: String,
        /// Beside what is selected.
        extend: bool,
    },
    /// Take this node out of the selection.
    Deselect {
        /// Its id.
        id: String,
    },
    /// Select this link alone.
    SelectLink {
        /// Its id.
        id: String,
    },
    /// Select nothing.
    ClearSelection,
    /// Select the nodes that this box touches, in the world.
    SelectWithin {
        /// The box.
        within: Rect,
        /// Beside what is selected.
        extend: bool,
    },
    /// Move the window, by screen pixels.
    Pan {
        /// How far the world moves.
        by: Point,
    },
    /// Move the selected nodes, in the world.
    MoveBy {
        /// How far.
        by: Point,
    },
    /// Link this node with whatever is at that point of the world.
    Link {
        /// The id of the node that calls.
        from: String,
        /// Where the loose end was let go.
        at: Point,
    },
    /// Add a node whose middle is at that point of the world.
    Place {
        /// Its kind.
        kind: Kind,
        /// Its middle.
        at: Point,
    },
    /// Add a node in the middle of what the canvas shows: the palette was clicked.
    PlaceInView {
        /// Its kind.
        kind: Kind,
    },
}

impl Gesture {
    /// Takes an input as it is seen through `view`; answers what to change.
    pub fn handle(&mut self, input: Input, view: Viewport) -> Option<Effect> {
        match input {
            Input::Press { at, pan: true, .. } => {
                *self = Self::Panning { last: at };
                None
            }
            Input::Press { at, target, extend, pan: false } => self.press(at, target, extend, view),
            Input::Pick { at, kind } => {
                *self = Self::Placing { kind, start: at, at: view.to_world(at), dragged: false };
                None
            }
            Input::Move { at } => self.follow(at, view),
            Input::Release { at, inside } => {
                let last = self.follow(at, view);
                self.release(inside).or(last)
            }
            Input::Cancel => {
                *self = Self::Idle;
                None
            }
        }
    }

    /// Whether a button is down.
    #[must_use]
    pub fn is_active(&self) -> bool {
        *self != Self::Idle
    }

    /// How far the selected nodes are from where the document has them.
    #[must_use]
    pub fn moved_by(&self) -> Point {
        match self {
            Self::Moving { by, .. } => *by,
            _ => Point::default(),
        }
    }

    fn press(&mut self, at: Point, target: Target, extend: bool, view: Viewport) -> Option<Effect> {
        let effect = match &target {
            Target::Node { id, selected: false, .. } => Some(Effect::Select { id: id.clone(), extend }),
            Target::Link { id } => Some(Effect::SelectLink { id: id.clone() }),
            _ => None,
        };
        *self = match target {
            Target::Port { id } => Self::Linking { from: id, at: view.to_world(at) },
            target => Self::Pressed { at, target, extend },
        };
        effect
    }

    fn follow(&mut self, at: Point, view: Viewport) -> Option<Effect> {
        self.start_drag(at, view);
        match self {
            Self::Panning { last } => {
                let by = at.minus(*last);
                *last = at;
                (by != Point::default()).then_some(Effect::Pan { by })
            }
            Self::Moving { start, origin, by } => {
                let raw = at.minus(*start).times(1.0 / view.zoom);
                *by = origin.plus(raw).snapped().minus(*origin);
                None
            }
            Self::Marquee { to, .. } => {
                *to = view.to_world(at);
                None
            }
            Self::Linking { at: end, .. } => {
                *end = view.to_world(at);
                None
            }
            Self::Placing { start, at: end, dragged, .. } => {
                *end = view.to_world(at);
                *dragged |= at.minus(*start).length() > CLICK;
                None
            }
            Self::Idle | Self::Pressed { .. } => None,
        }
    }

    /// Turns a press into a drag once the pointer has left the place of a click.
    fn start_drag(&mut self, now: Point, view: Viewport) {
        let Self::Pressed { at, target, extend } = self else {
            return;
        };
        if now.minus(*at).length() <= CLICK {
            return;
        }
        let at = *at;
        *self = match target {
            Target::Node { origin, .. } => Self::Moving { start: at, origin: *origin, by: Point::default() },
            Target::Background if *extend => {
                let from = view.to_world(at);
                Self::Marquee { from, to: from, extend: true }
            }
            _ => Self::Panning { last: at },
        };
    }

    fn release(&mut self, inside: bool) -> Option<Effect> {
        match std::mem::take(self) {
            Self::Pressed { target: Target::Background, extend: false, .. } => Some(Effect::ClearSelection),
            Self::Pressed { target: Target::Node { id, selected: true, .. }, extend, .. } => {
                Some(if extend { Effect::Deselect { id } } else { Effect::Select { id, extend: false } })
            }
            Self::Moving { by, .. } if by != Point::default() => Some(Effect::MoveBy { by }),
            Self::Marquee { from, to, extend } => {
                Some(Effect::SelectWithin { within: Rect::between(from, to), extend })
            }
            Self::Linking { from, at } if inside => Some(Effect::Link { from, at }),
            Self::Placing { kind, dragged: false, .. } => Some(Effect::PlaceInView { kind }),
            Self::Placing { kind, at, .. } if inside => Some(Effect::Place { kind, at }),
            _ => None,
        }
    }
}
