//! Recording an event allocates nothing after the thread's first.
#![allow(unsafe_code, reason = "counting allocations means being the allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hopscope_record::frame::EndReason;
use hopscope_record::{Kind, LinkIndex, PlaceIndex};
use hopscope_recorder::{Contents, EndInfo, FrameSink, Recording, RecordingOptions, Summary, new_run_key};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is the system allocator's; the count is a cell of the thread without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

struct Nowhere;

impl FrameSink for Nowhere {
    fn has_room(&mut self) -> bool {
        true
    }

    fn put(&mut self, _: Vec<u8>) {}

    fn finish(self: Box<Self>, _: &Summary) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn recording_an_event_allocates_nothing() {
    let options =
        RecordingOptions { run: "r".into(), key: new_run_key().unwrap(), plan: Vec::new(), sink: Box::new(Nowhere) };
    let recording = Recording::start(options).unwrap();
    recording.set_zero(hopscope_recorder::clock::monotonic_ns());
    let recorder = recording.recorder(PlaceIndex(0), LinkIndex(0));
    let count = || ALLOCATIONS.with(Cell::get);
    let before_first = count();
    let (trace, message) = recorder.mint_root();
    assert!(count() > before_first, "the thread's first use makes its ring, and is seen by this test");
    let before = count();
    // Beyond what a ring holds, so that calling the collector and losing are covered too.
    for n in 0..200_000 {
        let recorder = recorder.clone();
        recorder.record(Kind::SENT, trace, message, recorder.mint_message(), n, 0);
    }
    assert_eq!(count() - before, 0);
    let contents = Contents { key: Some(1_000_000), value: Some(7), event_time: Some(-1), bytes: 256 };
    recorder.describe(message, contents);
    let before = count();
    for _ in 0..10_000 {
        recorder.describe(message, contents);
    }
    assert_eq!(count() - before, 0);
    let summary = recording.finish(EndInfo { reason: EndReason::LOAD_DONE, detail: None, counts: vec![] }).await;
    assert_eq!(summary.events() + summary.lost, 200_000);
}
