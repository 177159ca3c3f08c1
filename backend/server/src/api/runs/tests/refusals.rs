//! What is refused, by which code and with what remedy.

use super::*;

#[tokio::test]
async fn faults_of_a_request_are_all_listed_with_their_texts() {
    let server = Server::start().await;
    let mut request = request("0 s");
    request["scenario"]["nodes"][1]["workers"] = json!(0);
    let (status, answer) = server.json(Method::POST, "/runs", &request).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let issues = answer["issues"].as_array().unwrap();
    assert_eq!(issues.len(), 2, "{answer}");
    let paths: Vec<_> = issues.iter().map(|issue| issue["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"/duration") && paths.contains(&"/scenario/nodes/1/workers"), "{paths:?}");
    for field in ["code", "path", "message", "remedy"] {
        assert_eq!(answer[field], issues[0][field]);
        assert!(answer[field].as_str().is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(server.get("/runs").await.1, json!([]));
}

#[tokio::test]
async fn bad_requests_are_refused_with_a_code_and_a_remedy() {
    let server = Server::start().await;
    let large = " ".repeat(crate::api::BODY_LIMIT + 1);
    let unknown = "/runs/20010101-000000-0000";
    let cases: &[(Method, &str, &[u8], u16, &str)] = &[
        (Method::POST, "/runs", b"{", 422, "bad-json"),
        (Method::POST, "/runs", b"\xff", 400, "bad-body"),
        (Method::POST, "/runs", large.as_bytes(), 413, "body-too-large"),
        (Method::PUT, "/runs", b"", 405, "method-not-allowed"),
        (Method::GET, "/nothing", b"", 404, "unknown-route"),
        (Method::GET, unknown, b"", 404, "unknown-run"),
        (Method::DELETE, unknown, b"", 404, "unknown-run"),
        (Method::PATCH, unknown, b"{\"name\": \"a\"}", 404, "unknown-run"),
        (Method::PATCH, unknown, b"{\"nome\": \"a\"}", 400, "bad-body"),
        (Method::PATCH, unknown, b"{\"name\": \"\"}", 422, "bad-run-name"),
        (Method::POST, "/runs/20010101-000000-0000/stop", b"", 404, "unknown-run"),
        (Method::GET, "/runs/20010101-000000-0000/recording", b"", 404, "unknown-run"),
        (Method::GET, "/runs/20010101-000000-0000/export?format=json", b"", 404, "unknown-run"),
        (Method::GET, "/runs/20010101-000000-0000/export?format=xml", b"", 400, "bad-query"),
        (Method::GET, "/runs/20010101-000000-0000/export", b"", 400, "bad-query"),
        (Method::GET, "/runs/..%2f..%2fetc%2fpasswd/recording", b"", 404, "unknown-run"),
        (Method::DELETE, "/runs/..%2fx", b"", 404, "unknown-run"),
    ];
    for (method, path, body, status, code) in cases {
        let (answered, bytes) = server.ask(method.clone(), path, body.to_vec()).await;
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((answered.as_u16(), answer["code"].as_str()), (*status, Some(*code)), "{method} {path}: {answer}");
        for field in ["message", "remedy"] {
            let text = answer[field].as_str().unwrap();
            assert!(!text.is_empty() && !text.contains('{'), "{method} {path}: {text}");
        }
    }
}
