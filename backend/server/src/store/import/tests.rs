use hopscope_report::export::Document;
use hopscope_report::export::json::JSON;

use super::*;
use crate::store::RecordingState;
use crate::store::tests::{end, record, stamp};

fn exported(store: &Store, id: &RunId) -> String {
    let (file, bytes) = store.file(id).unwrap();
    let mut document = Vec::new();
    let put = |chunk: Vec<u8>| document.write_all(&chunk);
    Document::survey(&JSON, file, bytes).unwrap().write(put).unwrap();
    String::from_utf8(document).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_recording_is_a_run_and_gives_the_same_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (id, recording) = record(&store);
    stamp(&recording, 20_000);
    assert_eq!(recording.finish(end()).await.failure, None);
    let document = exported(&store, &id);

    let imported = store.import(document.as_bytes(), None).unwrap();
    assert_ne!(imported.id, id);
    let made = store.get(&id).unwrap();
    assert_eq!((imported.imported_from.as_deref(), made.imported_from), (Some(id.as_str()), None));
    assert_eq!(
        (imported.state, imported.events, &imported.name, imported.seed, imported.reason.as_deref()),
        (RecordingState::Ended, 20_000, &made.scenario, 42, Some("load-done"))
    );
    assert!(exported(&store, &imported.id) == document);
    // It is what any run is: listed, renamed, followed, and known again from its file alone.
    assert_eq!(store.list().unwrap().len(), 2);
    store.rename(&imported.id, "theirs").unwrap();
    std::fs::remove_file(folder.path().join(format!("{}.json", imported.id))).unwrap();
    assert_eq!(store.get(&imported.id).unwrap(), imported);
    let named = store.import(document.as_bytes(), Some(" from the lab ")).unwrap();
    assert_eq!(store.get(&named.id).unwrap().name, "from the lab");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_refused_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (id, recording) = record(&store);
    stamp(&recording, 20_000);
    recording.finish(end()).await;
    let document = exported(&store, &id);
    store.delete(&id).unwrap();

    let half = &document[..document.len() / 2];
    assert!(matches!(store.import(half.as_bytes(), None), Err(StoreImportError::Import(ImportError::Refused(_)))));
    let unnamed = store.import(document.as_bytes(), Some(" "));
    assert!(matches!(unnamed, Err(StoreImportError::Store(StoreError::BadName))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
