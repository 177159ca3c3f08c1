//! Doing something to a run over HTTP, and the verdict on it.

use super::*;

/// What cannot be done is refused with its reason and a remedy; what can is done at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_disturbed_while_its_load_is_offered() {
    let server = Server::start().await;
    let (_, run) = server.json(Method::POST, "/runs", &request("1 h")).await;
    let id = run["id"].as_str().unwrap().to_owned();
    let path = format!("/runs/{id}/control");
    let control = async |body: Value| server.json(Method::POST, &path, &body).await;
    assert_eq!(control(json!({"do": "crash", "on": "shop"})).await, (StatusCode::NO_CONTENT, Value::Null));
    for (body, status, code, named) in [
        (json!({"do": "pause", "on": "shop"}), StatusCode::CONFLICT, "node-down", "shop"),
        (json!({"do": "cut", "on": "buyers->shop"}), StatusCode::CONFLICT, "no-relay", "l1"),
    ] {
        let (found, answer) = control(body).await;
        assert_eq!((found, answer["code"].as_str()), (status, Some(code)), "{answer}");
        assert!(answer["message"].as_str().unwrap().contains(named) && answer["remedy"] != "", "{answer}");
    }
    for (body, code, path) in [
        (json!({"do": "crash", "on": "nobody"}), "unknown-disturbed", "/on"),
        (json!({"do": "crash", "on": "buyers"}), "cannot-disturb", "/on"),
        (json!({"do": "explode", "on": "shop"}), "unknown-choice", "/do"),
        (json!({"do": "rate", "on": "buyers"}), "missing-field", "/rate"),
        (json!({"do": "crash", "on": "shop", "at": "1 s"}), "unknown-field", "/at"),
    ] {
        let (status, answer) = control(body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        let issue = &answer["issues"][0];
        assert_eq!((issue["code"].as_str(), issue["path"].as_str()), (Some(code), Some(path)), "{answer}");
    }
    assert_eq!(control(json!({"do": "start", "on": "shop"})).await.0, StatusCode::NO_CONTENT);
    server.json(Method::POST, &format!("/runs/{id}/stop"), &Value::Null).await;
    server.runs.end().await;
    let (status, answer) = control(json!({"do": "crash", "on": "shop"})).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some("run-over")), "{answer}");
    let (status, verdict) = server.get(&format!("/runs/{id}/verdict")).await;
    assert_eq!(status, StatusCode::OK);
    let [crash] = verdict["disturbances"].as_array().unwrap().as_slice() else { panic!("{verdict}") };
    assert_eq!((crash["do"].as_str(), crash["on"].as_str()), (Some("crash"), Some("shop")));
    assert!(crash["until_ns"].as_i64() > crash["at_ns"].as_i64(), "{crash}");
    let (status, _) = server.json(Method::POST, "/runs/20200101-000000-0000/control", &json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = server.get("/runs/20200101-000000-0000/verdict").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
