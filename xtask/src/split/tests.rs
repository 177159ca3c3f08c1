use super::*;

/// A module whose `later::` functions are called, stand in the table, and call back.
const WHOLE: &str = r#"(module
    (type $one (func (param i32) (result i32)))
    (import "page" "told" (func $told (type $one)))
    (table 2 2 funcref)
    (memory 1)
    (global $stack (mut i32) (i32.const 64))
    (elem (i32.const 0) $begin $later::closure)
    (func $begin (export "begin") (type $one) (i32.add (call $both (local.get 0)) (call $later::panel (local.get 0))))
    (func $both (type $one) (i32.add (local.get 0) (global.get $stack)))
    (func $later::panel (type $one) (call $told (call $only (call $both (local.get 0)))))
    (func $later::closure (type $one) (call_indirect (type $one) (local.get 0) (i32.const 0)))
    (func $only (type $one) (i32.load (local.get 0)))
    (data (i32.const 0) "\2a"))"#;

fn whole() -> Vec<u8> {
    wat::parse_str(WHOLE).unwrap()
}

#[test]
fn what_only_the_second_part_calls_goes_with_it() {
    let bytes = whole();
    let module = Module::read(&bytes).unwrap();
    let plan = Plan::new(&module, |name, _| name.contains("later::"));
    let later: Vec<&str> =
        (0..module.functions()).filter(|index| plan.is_later(*index)).map(|index| module.name(index)).collect();
    assert_eq!(later, ["later::panel", "later::closure", "only"]);
    // The closure keeps its slot, the panel is given one, and what the second part calls is shared: told and both.
    assert_eq!(plan.slots, [(1, 4), (2, 3)]);
    assert_eq!((plan.table, plan.shared.as_slice()), (3, &[0, 2][..]));
}

#[test]
fn both_parts_are_modules_and_fit_each_other() {
    let bytes = whole();
    let (first, second) = parts(&bytes, |name, _| name.contains("later::")).unwrap();
    for part in [&first, &second] {
        wasmparser::validate(part).unwrap();
    }
    let first = Module::read(&first).unwrap();
    // told and the two stand-ins; begin and both.
    assert_eq!((first.imported, first.functions(), first.table()), (3, 5, 3));
    let told = told_of(&second);
    assert!(told.contains("made of 3 functions, of first: F0 F2 M0 T0 G0"), "{told}");
}

/// What the second part is made of, in words.
fn told_of(second: &[u8]) -> String {
    let mut told = String::new();
    for payload in wasmparser::Parser::new(0).parse_all(second) {
        match payload.unwrap() {
            wasmparser::Payload::ImportSection(section) => {
                let names =
                    section.into_imports().map(|import| import.unwrap()).map(|import| (import.module, import.name));
                told = names.fold(told, |told, (module, name)| match told.is_empty() {
                    true => format!("of {module}: {name}"),
                    false => format!("{told} {name}"),
                });
            }
            wasmparser::Payload::FunctionSection(section) => {
                told = format!("made of {} functions, {told}", section.count());
            }
            _ => {}
        }
    }
    told
}

#[test]
fn what_is_exported_stays_first_whatever_its_name() {
    let bytes = wat::parse_str(r#"(module (table 0 funcref) (func $later::begun (export "begun")))"#).unwrap();
    let module = Module::read(&bytes).unwrap();
    assert!(!Plan::new(&module, |name, _| name.contains("later::")).is_later(0));
}

#[test]
fn a_name_is_read_without_hashes() {
    let name = "<&[u8; 4] as core[84f2c0a1b3d4e5f6]::fmt::Debug>::fmt::<hopscope_page[0f2c0a1b3d4e5f6a]::dock::Tab>";
    assert_eq!(without_hashes(name), "<&[u8; 4] as core::fmt::Debug>::fmt::<hopscope_page::dock::Tab>");
    assert_eq!(without_hashes("a[1]::b]"), "a[1]::b]");
}

#[test]
fn what_comes_later_is_told_by_where_it_stands_and_by_what_it_is_made_for() {
    for later in [
        "hopscope_page[0f2c0a1b3d4e5f6a]::statement::rows",
        "<hopscope_page::dock::verdict::verdict::{closure#1} as hopscope_page::ui::node::IntoNode>::into_node::{closure#0}",
        "<hopscope_view[0f2c0a1b3d4e5f6a]::buffer::RunBuffer>::fold",
        "hopscope_page::ui::node::show::<hopscope_page::laws::table::__component_law_table::{closure#1}>",
    ] {
        assert!(is_later(later, SHORT), "{later}");
        assert!(!is_later(later, SHORT - 1), "{later}");
    }
    for first in [
        "hopscope_page::editor::canvas::Canvas",
        "<hopscope_view::buffer::RunBuffer>::new",
        "<hopscope_report[0f2c0a1b3d4e5f6a]::laws::Laws as core::default::Default>::default",
        "<alloc::raw_vec::RawVec<hopscope_report::laws::links::Link> as core::ops::drop::Drop>::drop",
    ] {
        assert!(!is_later(first, 10_000), "{first}");
    }
}

#[test]
fn a_script_that_is_written_otherwise_is_told() {
    let told = joined("wasm = instance.exports;\n", "later-1.wasm").unwrap_err().to_string();
    assert!(told.contains("xtask/src/split has to follow"), "{told}");
}
