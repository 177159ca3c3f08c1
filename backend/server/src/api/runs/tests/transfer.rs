//! What leaves a server as a file or as frames, and what comes into one.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn frames_and_keyframes_are_fetched_by_their_numbers() {
    let server = Server::start().await;
    let mut run = MadeUp::begin(&server.store);
    let path = format!("/runs/{}", run.id());
    let (status, answer) = server.get(&format!("{path}/keyframe")).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::NOT_FOUND, Some("no-keyframe")));
    run.frames(80, 2_000).await;
    let (status, bytes) = server.ask(Method::GET, &format!("{path}/keyframe?at=70"), "").await;
    let key = numbers(&bytes);
    assert_eq!((status, key.len(), key[0].1), (StatusCode::OK, 1, FrameType::KEYFRAME));
    assert!((38..=70).contains(&key[0].0));
    let id = run.end().await;

    let (_, all) = server.ask(Method::GET, &format!("/runs/{id}/recording"), "").await;
    let (mut fetched, mut from, mut answers) = (Vec::new(), 0, 0);
    loop {
        let (status, bytes) = server.ask(Method::GET, &format!("{path}/frames?from={from}"), "").await;
        assert_eq!(status, StatusCode::OK);
        let Some((last, _)) = numbers(&bytes).last().copied() else { break };
        assert!(bytes.len() < 2 << 20, "an answer has its bound");
        (from, answers) = (last + 1, answers + 1);
        fetched.extend(bytes);
    }
    assert!(answers > 2 && fetched == all[FILE_HEADER_LEN..]);
    let (_, some) = server.ask(Method::GET, &format!("{path}/frames?from=5&to=8"), "").await;
    assert_eq!(numbers(&some).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [5, 6, 7]);
    for (query, status, code) in [
        ("from=5&to=5", 400, "bad-query"),
        ("to=5", 400, "bad-query"),
        ("from=1&at=2", 400, "bad-query"),
        ("from=9999", 416, "no-such-frame"),
    ] {
        let (answered, answer) = server.get(&format!("{path}/frames?{query}")).await;
        assert_eq!((answered.as_u16(), answer["code"].as_str()), (status, Some(code)), "{query}");
    }
    let (status, answer) = server.get(&format!("{path}/keyframe?to=1")).await;
    assert_eq!((status.as_u16(), answer["code"].as_str()), (400, Some("bad-query")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_export_comes_in_chunks() {
    let server = Server::start().await;
    let (id, recording) = record(&server.store);
    let path = format!("/runs/{id}/export?format=json");
    stamp(&recording, 30_000);
    assert_eq!(recording.finish(end()).await.failure, None);
    let (_, whole) = server.ask(Method::GET, &path, "").await;
    let events = serde_json::from_slice::<Value>(&whole).unwrap()["events"].as_array().unwrap().len();
    assert_eq!(events, 30_000);
    let request = Request::get(format!("/api{path}")).header(header::HOST, server.address.to_string());
    let response = server.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let mut body = response.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    assert!(first.len() < whole.len() / 4 && whole.starts_with(&first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_exported_in_every_format_imported_and_exported_again_as_the_same() {
    let server = Server::start().await;
    let (status, run) = server.json(Method::POST, "/runs", &request("100 ms")).await;
    assert_eq!(status, StatusCode::CREATED, "{run}");
    let id = run["id"].as_str().unwrap().to_owned();
    read_all(server.follow(&id, 0).await.unwrap()).await;
    server.runs.end().await;
    let export = async |id: &str, format: &str| {
        let (status, document) = server.ask(Method::GET, &format!("/runs/{id}/export?format={format}"), "").await;
        assert_eq!(status, StatusCode::OK);
        document
    };
    let document = export(&id, "json").await;
    let (status, answer) = server.ask(Method::POST, "/runs/import?name=from%20the%20lab", document.clone()).await;
    let imported: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(status, StatusCode::CREATED, "{imported}");
    assert_eq!((&imported["name"], &imported["imported_from"]), (&json!("from the lab"), &json!(id)));
    let copy = imported["id"].as_str().unwrap();
    let (_, run) = server.get(&format!("/runs/{id}")).await;
    assert_eq!((&imported["events"], &imported["state"]), (&run["events"], &json!("ended")));
    for format in EXPORTS {
        let (original, again) = (export(&id, format.id).await, export(copy, format.id).await);
        assert!(!original.is_empty() && original == again, "{}", format.id);
    }
    let listed = server.get("/runs").await.1;
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_recording_is_not_imported_and_says_where_it_is_none() {
    let server = Server::start().await;
    let cases: [(&str, &[u8], u16, &str, &str); 5] = [
        ("", b"{\"format\": \"hopscope-scenario\", \"events\": []}", 422, "not-a-recording", "/format"),
        ("", b"{", 422, "not-json", ""),
        ("", b"\x89HOPS", 422, "not-json", ""),
        ("?name=%20", b"{", 422, "bad-run-name", "/name"),
        ("?nome=a", b"{", 400, "bad-query", "name"),
    ];
    for (query, body, status, code, path) in cases {
        let (answered, bytes) = server.ask(Method::POST, &format!("/runs/import{query}"), body.to_vec()).await;
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((answered.as_u16(), &answer["code"], &answer["path"]), (status, &json!(code), &json!(path)));
        assert!(
            !answer["message"].as_str().unwrap().contains('{') && !answer["remedy"].as_str().unwrap().contains('{')
        );
    }
    // Over the limit: told by its length, and while it comes.
    let chunks = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_000])));
    for body in [Body::from(vec![b' '; 100_000]), Body::from_stream(chunks)] {
        let refused = crate::api::runs::import::take_in(&server.runs, None, body, 50_000).await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    assert_eq!(server.get("/runs").await.1, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_recorded_yet_cannot_be_exported() {
    let server = Server::start().await;
    let plan = crate::store::tests::plan();
    let file = server.store.create(plan.name(), &plan.settings).unwrap();
    let (status, answer) = server.get(&format!("/runs/{}/export?format=json", file.id())).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("export-failed")));
}
