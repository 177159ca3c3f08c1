use super::*;

fn body() -> Vec<Value> {
    let body = json!([
        {"step": "work"},
        {"step": "choose", "branches": [
            {"weight": 3, "steps": [{"step": "call", "link": "l2"}]},
            {"weight": 1, "steps": []}]},
        {"step": "reply"}]);
    body.as_array().unwrap().clone()
}

fn outline(body: &[Value]) -> Vec<String> {
    let line = |row: Row| {
        let what = match row.what {
            What::Step { id, link, .. } => format!("{id} {}", link.unwrap_or_default()).trim().to_owned(),
            What::Branch { number, weighted, removable } => format!("branch {number} {weighted} {removable}"),
            What::End => "+".to_owned(),
        };
        format!("{}{what} @{}", "  ".repeat(row.depth), row.path)
    };
    rows(body).into_iter().map(line).collect()
}

#[test]
fn steps_and_branches_have_rows_in_the_order_in_which_they_are_read() {
    assert_eq!(
        outline(&body()),
        [
            "work @/0",
            "choose @/1",
            "  branch 1 true false @/1/branches/0",
            "  call l2 @/1/branches/0/steps/0",
            "  + @/1/branches/0/steps",
            "  branch 2 true false @/1/branches/1",
            "  + @/1/branches/1/steps",
            "reply @/2",
            "+ @",
        ]
    );
    assert_eq!(rows(&body())[0].what, What::Step { id: "work".to_owned(), link: None, ends: (true, false) });
}

#[test]
fn a_step_is_added_before_a_last_reply_and_at_the_end_of_a_branch() {
    let grown = added(&body(), "", new_step("publish", Some("l3"))).unwrap();
    assert_eq!(grown[2], json!({"step": "publish", "link": "l3"}));
    assert_eq!(grown[3], json!({"step": "reply"}));
    let grown = added(&body(), "/1/branches/1/steps", new_step("work", None)).unwrap();
    assert_eq!(grown[1]["branches"][1]["steps"], json!([{"step": "work"}]));
    assert_eq!(added(&body(), "/7/branches/0/steps", new_step("work", None)), None);
}

#[test]
fn new_steps_with_branches_have_two_and_may_get_more() {
    assert_eq!(new_step("parallel", None), json!({"step": "parallel", "branches": [{"steps": []}, {"steps": []}]}));
    let grown = with_branch(&body(), "/1").unwrap();
    assert_eq!(grown[1]["branches"][2], json!({"weight": 1, "steps": []}));
    assert!(outline(grown.as_array().unwrap()).contains(&"  branch 3 true true @/1/branches/2".to_owned()));
    assert_eq!(removed(grown.as_array().unwrap(), "/1/branches/2"), Some(json!(body())));
    assert_eq!(with_branch(&body(), "/0"), None);
}

#[test]
fn steps_move_within_their_list() {
    let down = shifted(&body(), "/0", true).unwrap();
    assert_eq!(down[1], json!({"step": "work"}));
    assert_eq!(shifted(down.as_array().unwrap(), "/1", false), Some(json!(body())));
    assert_eq!(shifted(&body(), "/0", false), None);
    assert_eq!(shifted(&body(), "/2", true), None);
    assert_eq!(removed(&body(), "/3"), None);
}

#[test]
fn what_is_typed_is_kept() {
    let service = json!({"distribution": "exponential", "mean": "40 ms"});
    let typed = timed(&body(), "/0", "5 m", &service).unwrap();
    assert_eq!(typed[0]["work"], json!({"distribution": "exponential", "mean": "5 m"}));
    assert_eq!(timed(typed.as_array().unwrap(), "/0", " ", &service), Some(json!(body())));
    assert_eq!(weighed(&body(), "/1/branches/0", "12").unwrap()[1]["branches"][0]["weight"], json!(12));
    assert_eq!(weighed(&body(), "/1/branches/0", "x").unwrap()[1]["branches"][0]["weight"], json!("x"));
}
