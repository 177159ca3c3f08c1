//! The paint kernel: dots to pixels.
//!
//! Pixels are RGBA with straight alpha, as a canvas' image data takes them. Each shape is a small anti-aliased mask, kept
//! for 4 x 4 positions within a pixel, so that slow dots glide and do not jump. Only what was painted last is cleared. Where
//! dots are many, one that would be painted over its own like is left out: they lie on a line, several to a position.

use super::{Dot, MANY, Shape};
use crate::geometry::Viewport;

/// Positions within a pixel, in each direction, that masks are kept for.
const PHASES: usize = 4;
/// Samples per pixel, in each direction, that a mask is made of.
const SAMPLES: usize = 4;
/// Radius in CSS pixels, where dots are few.
const RADIUS: f64 = 4.0;
/// Radius where they are many.
const RADIUS_MANY: f64 = 2.5;
/// Radius of the halo around the selected trace's dots.
const HALO: f64 = 7.5;
/// Half the height of a message in a queue's bar, in the world: it stands in the drawing and grows with it.
const QUEUED: f64 = 7.0;

/// Low bits of a stamp: the number of the mask (7) and of the colour (8). Above them is the frame's.
const STAMP_BITS: u32 = 15;

/// A colour: red, green, blue.
pub type Color = [u8; 3];

/// The part of the pixels that changed, in pixels.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Area {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub w: usize,
    /// Height.
    pub h: usize,
}

impl Area {
    fn around(self, other: Self) -> Self {
        if self.w == 0 || self.h == 0 {
            return other;
        }
        if other.w == 0 || other.h == 0 {
            return self;
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.w).max(other.x + other.w);
        let bottom = (self.y + self.h).max(other.y + other.h);
        Self { x, y, w: right - x, h: bottom - y }
    }
}

/// How to paint.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// The part of the world that the surface shows, in CSS pixels.
    pub viewport: Viewport,
    /// Pixels per CSS pixel.
    pub ratio: f64,
    /// The colours by their numbers.
    pub colors: &'a [Color],
    /// The colour of what is bad.
    pub bad: Color,
    /// The colour of the halo around the selected trace.
    pub halo: Color,
    /// The row of the selected trace.
    pub selected: Option<u32>,
}

/// Pixels, and the masks to paint them with.
#[derive(Default)]
pub struct Surface {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    /// By pixel, where dots are many: the stamp of what was painted last with its middle there.
    stamps: Vec<u32>,
    /// Number of the frame, in its place in a stamp.
    frame: u32,
    painted: Area,
    masks: Vec<Mask>,
    masks_for: [u64; 3],
}

impl Surface {
    /// Takes another size, in pixels; what was painted is gone.
    pub fn resize(&mut self, width: usize, height: usize) {
        if (width, height) != (self.width, self.height) {
            (self.width, self.height, self.painted) = (width, height, Area::default());
            self.pixels.clear();
            self.pixels.resize(width * height * 4, 0);
            self.stamps.clear();
        }
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The pixels, row by row, four bytes each.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Clears, paints the dots, and tells what changed.
    pub fn paint(&mut self, dots: &[Dot], style: &Style<'_>) -> Area {
        let before = std::mem::take(&mut self.painted);
        self.clear(before);
        let many = dots.len() > MANY;
        let radius = if many { RADIUS_MANY } else { RADIUS };
        let bar = QUEUED * style.viewport.zoom;
        self.make_masks(radius * style.ratio, HALO * style.ratio, bar * style.ratio);
        if many {
            self.begin_stamps();
        }
        if style.selected.is_some() {
            let selected = dots.iter().filter(|dot| Some(dot.trace) == style.selected);
            selected.for_each(|dot| self.put(dot, Form::Halo, style, style.halo, false));
        }
        for dot in dots {
            let (form, color) = match dot.shape {
                Shape::Request => (Form::Disc, color_of(dot, style)),
                Shape::Reply => (Form::Ring, color_of(dot, style)),
                Shape::Queued => (Form::Bar, color_of(dot, style)),
                Shape::Bad => (Form::Cross, style.bad),
            };
            self.put(dot, form, style, color, many);
        }
        before.around(self.painted)
    }

    fn clear(&mut self, area: Area) {
        for y in area.y..area.y + area.h {
            let from = (y * self.width + area.x) * 4;
            if let Some(row) = self.pixels.get_mut(from..from + area.w * 4) {
                row.fill(0);
            }
        }
    }

    fn make_masks(&mut self, radius: f64, halo: f64, bar: f64) {
        let wanted = [radius, halo, bar].map(f64::to_bits);
        if self.masks_for == wanted {
            return;
        }
        self.masks_for = wanted;
        let forms =
            [(Form::Disc, radius), (Form::Ring, radius), (Form::Cross, radius), (Form::Halo, halo), (Form::Bar, bar)];
        let phases = || (0..PHASES * PHASES).map(|phase| (phase % PHASES, phase / PHASES));
        self.masks = forms
            .into_iter()
            .flat_map(|(form, radius)| phases().map(move |phase| Mask::new(form, radius, phase)))
            .collect();
    }

    /// Makes sure that no pixel has a stamp of the frame that begins.
    fn begin_stamps(&mut self) {
        self.frame = self.frame.wrapping_add(1 << STAMP_BITS);
        if self.stamps.is_empty() || self.frame == 0 {
            self.frame = 1 << STAMP_BITS;
            self.stamps.clear();
            self.stamps.resize(self.width * self.height, 0);
        }
    }

    /// Whether a dot's like is what was painted last at this pixel in this frame; from now on it is.
    fn is_there(&mut self, pixel: usize, mask: usize, dot: &Dot) -> bool {
        let stamp = self.frame | (mask as u32) << u8::BITS | u32::from(dot.color);
        self.stamps.get_mut(pixel).is_some_and(|before| std::mem::replace(before, stamp) == stamp)
    }

    fn put(&mut self, dot: &Dot, form: Form, style: &Style<'_>, color: Color, many: bool) {
        let at = style.viewport.to_screen(dot.at).times(style.ratio * PHASES as f64);
        // In positions; what is left of the canvas or above it is at most 0, and does not fit.
        let (x, y) = (at.x as u32 as usize, at.y as u32 as usize);
        // Where dots are many they make bands, in which a part of a pixel is not seen.
        let phase = |position: usize| if many { PHASES / 2 } else { position % PHASES };
        let index = form as usize * PHASES * PHASES + phase(y) * PHASES + phase(x);
        let (x, y) = (x / PHASES, y / PHASES);
        let Some(reach) = self.masks.get(index).map(|mask| mask.reach) else { return };
        // Partly outside is not painted: the canvas ends there, and the inner loop needs no clipping.
        let fits = x >= reach && y >= reach && x + reach < self.width && y + reach < self.height;
        if !fits || (many && self.is_there(y * self.width + x, index, dot)) {
            return;
        }
        let Some(mask) = self.masks.get(index) else { return };
        let area = Area { x: x - mask.reach, y: y - mask.reach, w: mask.side, h: mask.side };
        blend(&mut self.pixels, self.width, area, &mask.coverage, color);
        self.painted = self.painted.around(area);
    }
}

fn color_of(dot: &Dot, style: &Style<'_>) -> Color {
    style.colors.get(usize::from(dot.color)).copied().unwrap_or(style.bad)
}

/// Lays a colour over the pixels of an area, as much as the mask says.
fn blend(pixels: &mut [u8], width: usize, area: Area, coverage: &[u8], color: Color) {
    let solid = u32::from_le_bytes([color[0], color[1], color[2], 0]);
    for (row, mask) in coverage.chunks_exact(area.w).enumerate() {
        let from = ((area.y + row) * width + area.x) * 4;
        let Some(line) = pixels.get_mut(from..from + area.w * 4) else { return };
        for (pixel, &cover) in line.as_chunks_mut::<4>().0.iter_mut().zip(mask) {
            if cover == 0 {
                continue;
            }
            // A pixel as one number: its colour is compared and written at once.
            let below = u32::from_le_bytes(*pixel);
            let alpha = below >> 24;
            *pixel = if cover == 255 || alpha == 0 {
                (solid | u32::from(cover) << 24).to_le_bytes()
            } else if below & 0x00ff_ffff == solid {
                // Most overlaps are of one colour; then only the alpha grows.
                (solid | cover_both(u32::from(cover), alpha) << 24).to_le_bytes()
            } else {
                over(*pixel, color, u32::from(cover))
            };
        }
    }
}

/// What two covers come to over each other.
fn cover_both(above: u32, below: u32) -> u32 {
    let rest = (255 - above) * (255 - below);
    // rest / 255, rounded, without a division.
    255 - ((rest + 128 + ((rest + 128) >> 8)) >> 8)
}

/// "Over" of Porter and Duff (1984), for straight alpha.
fn over(below: [u8; 4], color: Color, cover: u32) -> [u8; 4] {
    let below_part = u32::from(below[3]) * (255 - cover) / 255;
    let alpha = (cover + below_part).max(1);
    let mix = |above: u8, below: u8| ((u32::from(above) * cover + u32::from(below) * below_part) / alpha) as u8;
    [mix(color[0], below[0]), mix(color[1], below[1]), mix(color[2], below[2]), alpha.min(255) as u8]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Disc,
    Ring,
    Cross,
    Halo,
    Bar,
}

impl Form {
    /// Whether a point, in radii from the middle, belongs to the form.
    fn covers(self, x: f64, y: f64) -> bool {
        let distance = x.hypot(y);
        match self {
            Self::Disc => distance <= 1.0,
            Self::Ring => (0.55..=1.0).contains(&distance),
            Self::Cross => ((x - y).abs() <= 0.5 || (x + y).abs() <= 0.5) && x.abs() <= 1.0 && y.abs() <= 1.0,
            Self::Halo => (0.72..=1.0).contains(&distance),
            Self::Bar => x.abs() <= 3.0 / 7.0 && y.abs() <= 1.0,
        }
    }
}

/// How much of each pixel around the middle one a form covers, 0 to 255.
struct Mask {
    /// Pixels on each side of the middle one.
    reach: usize,
    side: usize,
    coverage: Vec<u8>,
}

impl Mask {
    fn new(form: Form, radius: f64, phase: (usize, usize)) -> Self {
        // No form reaches beyond its radius, and the phase only moves it within the middle pixel.
        let reach = radius.ceil() as usize;
        let side = 2 * reach + 1;
        let middle = |phase: usize| reach as f64 + (phase as f64 + 0.5) / PHASES as f64;
        let (middle_x, middle_y) = (middle(phase.0), middle(phase.1));
        let sample = |pixel: usize, part: usize| pixel as f64 + (part as f64 + 0.5) / SAMPLES as f64;
        let mut coverage = Vec::with_capacity(side * side);
        for y in 0..side {
            for x in 0..side {
                let hits = (0..SAMPLES * SAMPLES).filter(|part| {
                    let (dx, dy) = (sample(x, part % SAMPLES) - middle_x, sample(y, part / SAMPLES) - middle_y);
                    form.covers(dx / radius, dy / radius)
                });
                coverage.push((hits.count() * 255 / (SAMPLES * SAMPLES)) as u8);
            }
        }
        Self { reach, side, coverage }
    }
}
