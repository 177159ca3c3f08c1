//! What one frame of a replay costs with 20,000 dots in view: laying them out, and painting them.
//!
//! `cargo bench -p hopscope-view --profile release --bench frame`. The surface has 1,280 x 720 pixels.

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use hopscope_record::decoder::Framing;
use hopscope_record::frame::{CODEC_VERSION, FrameWriter, Hello};
use hopscope_record::{Event, Kind, LinkIndex, Minter, PlaceIndex, RunKey, SourceId};
use hopscope_scenario::edits::Document;
use hopscope_scenario::plan::{RunSettings, compile};
use hopscope_scenario::quantity::Time;
use hopscope_scenario::validate::validate;
use hopscope_view::buffer::RunBuffer;
use hopscope_view::dots::paint::{Style, Surface};
use hopscope_view::dots::{Layout, Picture, Stage};
use hopscope_view::geometry::{Point, Viewport};
use hopscope_view::scene::Scene;

const DOTS: i64 = 20_000;
/// Distance between two messages, in ns; each is on its link for all of them.
const APART: i64 = 1_000;

const SCENARIO: &str = r#"{"format": "hopscope-scenario", "version": 1, "name": "made up",
  "nodes": [
    {"id": "n1", "kind": "client", "name": "buyers", "x": 40, "y": 80, "load": {"kind": "constant", "rate": "20/s"}},
    {"id": "n2", "kind": "service", "name": "shop", "x": 1000, "y": 560,
     "work": {"distribution": "constant", "mean": "40 ms"}}],
  "links": [{"id": "l1", "from": "n1", "to": "n2", "protocol": "http1"}]}"#;

/// Messages that have all left and not arrived at `DOTS * APART`.
fn events() -> Vec<Event> {
    let mut minter = Minter::new(SourceId(1));
    let mut events = Vec::new();
    for n in 0..DOTS {
        let (trace, message) = minter.root();
        let stamp = |time, kind, place| Event {
            trace,
            message,
            place: PlaceIndex(place),
            link: LinkIndex(0),
            ..Event::new(time, kind)
        };
        events.push(stamp(n * APART, Kind::SENT, 0));
        events.push(stamp((n + DOTS) * APART, Kind::RECEIVED, 1));
    }
    events.sort_by_key(|event| event.time);
    events
}

fn buffer() -> Result<RunBuffer, Box<dyn std::error::Error>> {
    let scenario = validate(SCENARIO).map_err(|issues| format!("{issues:?}"))?.scenario;
    let plan =
        compile(&scenario, &RunSettings { seed: 42, duration: Some(Time(1_000_000_000)), ..RunSettings::default() });
    let hello = Hello {
        codec_version: CODEC_VERSION,
        build: "bench".to_owned(),
        run_id: "bench".to_owned(),
        run_key: RunKey(1),
        unix_ns_at_zero: 0,
        kinds: Vec::new(),
        plan: plan.to_bytes()?,
    };
    let (mut writer, mut buffer) = (FrameWriter::new(), RunBuffer::new(Framing::Stream));
    buffer.push(&writer.hello(&hello)?)?;
    for batch in events().chunks(10_000) {
        buffer.push(&writer.events(batch.last().map_or(0, |event| event.time), batch)?)?;
    }
    Ok(buffer)
}

fn frame(criterion: &mut Criterion) {
    let buffer = buffer().unwrap_or_else(|_| RunBuffer::new(Framing::Stream));
    let document = Document::open(SCENARIO).unwrap_or_else(|_| Document::new("empty"));
    let scene = Scene::of(&document, &BTreeSet::new(), Point::default());
    let stage = buffer.plan().map(|plan| Stage::new(plan, &scene, |_| 0)).unwrap_or_default();
    let (mut layout, mut surface) = (Layout::default(), Surface::default());
    surface.resize(1_280, 720);
    let picture = Picture::Replay { time: DOTS * APART - 1, linger: 0 };
    let style = Style {
        viewport: Viewport::default(),
        ratio: 1.0,
        colors: &[[11, 114, 133]],
        bad: [201, 42, 42],
        halo: [59, 91, 219],
        selected: None,
    };
    let mut group = criterion.benchmark_group("frame of 20,000 dots");
    group.bench_function("layout", |bencher| bencher.iter(|| layout.update(&buffer, &stage, black_box(picture))));
    assert_eq!(layout.dots.len(), DOTS as usize, "the made-up run has as many dots as the bench says");
    group.bench_function("paint", |bencher| bencher.iter(|| surface.paint(black_box(&layout.dots), &style)));
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
