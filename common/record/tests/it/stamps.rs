//! docs/stamps.md says what the table says.

#[test]
fn the_page_is_the_table() {
    let page = include_str!("../../../../docs/stamps.md");
    assert!(page == hopscope_record::stamps::render(), "docs/stamps.md is old: see common/record/src/stamps.rs");
}
