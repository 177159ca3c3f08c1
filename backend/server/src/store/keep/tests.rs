use super::super::tests::{end, folder, record, stamp};
use super::*;

/// A run that was made at this time and has ended: so many bytes, whatever is in them.
fn made(store: &Store, made_at: &str, bytes: u64) -> RunId {
    let made_at: Timestamp = made_at.parse().unwrap();
    let id = RunId::new(made_at, 7);
    let file = File::create(store.inner.recording(&id)).unwrap();
    file.set_len(bytes).unwrap();
    let summary =
        RunSummary { name: format!("of {made_at}"), state: RecordingState::Ended, ..super::super::summary::empty(&id) };
    store.inner.write_summary(&summary).unwrap();
    id
}

fn at_noon(day: u32) -> Timestamp {
    format!("2026-11-{day:02}T12:00:00Z").parse().unwrap()
}

fn listed(store: &Store) -> Vec<RunId> {
    store.list().unwrap().into_iter().map(|run| run.id).collect()
}

fn days(days: u64) -> Option<Duration> {
    Some(Duration::from_secs(days * 86_400))
}

/// Three runs of about a megabyte each.
fn three(store: &Store) -> [RunId; 3] {
    [10, 11, 12].map(|day| made(store, &at_noon(day).to_string(), 1_000_000))
}

#[test]
fn without_a_limit_everything_is_kept() {
    let (_folder, store) = folder();
    let ids = three(&store);
    assert_eq!(store.keep(&Keep::default(), at_noon(30)).unwrap(), []);
    assert_eq!(listed(&store).len(), ids.len());
    assert_eq!(store.kept(), Kept::default());
}

#[test]
fn what_is_older_than_it_may_be_goes_and_is_told() {
    let (_folder, store) = folder();
    let [oldest, older, newest] = three(&store);
    let used = store.used().unwrap();
    let keep = Keep { time: days(5), bytes: None };
    assert_eq!(store.keep(&keep, at_noon(15)).unwrap(), [], "to the second as old as it may be");
    let removed = store.keep(&keep, at_noon(16)).unwrap();
    assert_eq!(removed.iter().map(|run| &run.id).collect::<Vec<_>>(), [&oldest]);
    assert_eq!(listed(&store), [newest, older.clone()]);
    assert!(removed[0].name.contains("2026-11-10") && removed[0].bytes > 1_000_000);
    assert_eq!(store.used().unwrap() + removed[0].bytes, used);
    store.keep(&keep, at_noon(17)).unwrap();
    let kept = store.kept();
    assert_eq!((kept.removed, kept.last.map(|run| run.id)), (2, Some(older)));
    assert!(kept.removed_bytes > 2_000_000);
}

#[test]
fn of_too_many_bytes_the_oldest_go_until_the_rest_fits() {
    let (_folder, store) = folder();
    let [oldest, older, newest] = three(&store);
    let fits = Keep { bytes: Some(store.used().unwrap()), time: None };
    assert_eq!(store.keep(&fits, at_noon(12)).unwrap(), []);
    let one_less = Keep { bytes: fits.bytes.map(|bytes| bytes - 1), time: None };
    assert_eq!(store.keep(&one_less, at_noon(12)).unwrap()[0].id, oldest);
    let none = Keep { bytes: Some(0), time: None };
    let gone: Vec<_> = store.keep(&none, at_noon(12)).unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(gone, [older, newest]);
    assert_eq!((store.used().unwrap(), std::fs::read_dir(&store.inner.folder).unwrap().count()), (0, 0));
}

#[tokio::test]
async fn what_is_recorded_stays_whoever_records_it_and_counts() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    stamp(&recording, 100);
    let none = Keep { bytes: Some(0), time: days(1) };
    let later: Timestamp = "2126-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.keep(&none, later).unwrap(), []);
    // A second store of the folder knows as little of the first as another process.
    let other = Store::open(&store.inner.folder).unwrap();
    assert_eq!(other.keep(&none, later).unwrap(), []);
    assert!(other.used().unwrap() > 0);
    recording.finish(end()).await;
    assert_eq!(other.keep(&none, later).unwrap()[0].id, id);
    assert_eq!(listed(&store), []);
}

#[test]
fn what_is_read_stays_until_a_while_after() {
    let (_folder, store) = folder();
    let [first, _, _] = three(&store);
    let (none, now) = (Keep { bytes: Some(0), time: None }, at_noon(20));
    let reading = Reading::begin(&store.inner, &first, now);
    let gone = |now: Timestamp| store.keep(&none, now).unwrap().len();
    assert_eq!(gone(now), 2);
    // However long it takes.
    assert_eq!(gone(now + SignedDuration::from_hours(5)), 0);
    let again = Reading::begin(&store.inner, &first, now + SignedDuration::from_hours(5));
    drop((reading, again));
    assert_eq!(gone(now + SignedDuration::from_hours(5) + SignedDuration::from_mins(9)), 0);
    assert_eq!(gone(now + SignedDuration::from_hours(5) + SignedDuration::from_mins(10)), 1);
    assert!(store.inner.readers().of.is_empty());
}

#[tokio::test]
async fn what_another_process_exports_stays() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    recording.finish(end()).await;
    let other = Store::open(&store.inner.folder).unwrap();
    let (file, _) = other.file(&id).unwrap();
    let none = Keep { bytes: Some(0), time: None };
    let later: Timestamp = "2126-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.keep(&none, later).unwrap(), []);
    // Who looks at it meanwhile does not take a reader for someone who records.
    std::fs::remove_file(store.inner.summary(&id)).unwrap();
    assert_eq!(store.get(&id).unwrap().state, RecordingState::Ended);
    drop(file);
    assert_eq!(store.keep(&none, later).unwrap().len(), 1);
}

#[tokio::test]
async fn who_follows_a_run_is_known_to_read_it() {
    let (_folder, store) = folder();
    let (id, recording) = record(&store);
    let tail = store.tail(&id, 0).unwrap();
    recording.finish(end()).await;
    let none = Keep { bytes: Some(0), time: None };
    let later: Timestamp = "2126-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.keep(&none, later).unwrap(), []);
    drop(tail);
    assert_eq!(store.keep(&none, later).unwrap().len(), 1);
}

#[test]
fn a_time_is_read_as_a_person_writes_it() {
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
    assert_eq!([time("30d"), time("2 weeks"), time("12 h")], [hours(720), hours(336), hours(12)]);
    for wrong in ["", "30", "1 month", "soon", "-3d", "0x3d"] {
        assert_eq!(time(wrong), None, "{wrong:?}");
    }
}
