//! A module as far as it has to be understood to tell which function uses which.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use wasmparser::{
    ConstExpr, ElementItems, ElementKind, FunctionBody, GlobalType, KnownCustom, MemoryType, Name, Operator, Parser,
    Payload, TableType, TypeRef,
};

#[derive(Default)]
pub(super) struct Module<'a> {
    pub(super) bytes: &'a [u8],
    /// How many functions it imports; theirs are the first indices.
    pub(super) imported: u32,
    /// The type of each function, by the function's index.
    pub(super) types: Vec<u32>,
    names: Vec<&'a str>,
    /// The functions that each function calls.
    pub(super) calls: Vec<Vec<u32>>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    /// What stands in the table of functions: slot and function.
    pub(super) slots: Vec<(u32, u32)>,
    pub(super) tables: Vec<TableType>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: Vec<GlobalType>,
    /// Functions that are used otherwise than by a call or through the table: exported, begun with, referred to.
    pub(super) fixed: BTreeSet<u32>,
}

impl<'a> Module<'a> {
    /// # Errors
    /// When it is no module, or one that is otherwise than wasm-bindgen and wasm-opt write it.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self { bytes, ..Self::default() };
        for payload in Parser::new(0).parse_all(bytes) {
            module.section(payload?)?;
        }
        let functions = module.types.len();
        module.names.resize(functions, "");
        ensure!(module.calls.len() == functions, "it has {} bodies for {functions} functions", module.calls.len());
        ensure!(!module.tables.is_empty(), "it has no table");
        Ok(module)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let TypeRef::Func(kind) = import.ty else {
                        bail!("it imports {}, which is no function", import.name);
                    };
                    self.imported += 1;
                    self.types.push(kind);
                    self.calls.push(Vec::new());
                }
            }
            Payload::FunctionSection(section) => {
                for kind in section {
                    self.types.push(kind?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(memory?);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    self.globals.push(global.ty);
                    self.fixed.extend(referred(&global.init_expr)?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if export.kind == wasmparser::ExternalKind::Func {
                        self.fixed.insert(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                self.fixed.insert(func);
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.element(element?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.body(body)?,
            Payload::DataSection(section) => {
                for data in section {
                    ensure!(
                        matches!(data?.kind, wasmparser::DataKind::Active { .. }),
                        "it has data that is not there at once"
                    );
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for names in names {
                        if let Name::Function(names) = names? {
                            self.named(names)?;
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn named(&mut self, names: wasmparser::NameMap<'a>) -> Result<()> {
        self.names.resize(self.types.len(), "");
        for naming in names {
            let naming = naming?;
            if let Some(name) = self.names.get_mut(naming.index as usize) {
                *name = naming.name;
            }
        }
        Ok(())
    }

    fn element(&mut self, element: wasmparser::Element<'a>) -> Result<()> {
        let functions = match element.items {
            ElementItems::Functions(functions) => functions.into_iter().map(|function| Ok(Some(function?))).collect(),
            ElementItems::Expressions(_, each) => {
                each.into_iter().map(|expression| Ok(referred(&expression?)?.pop())).collect::<Result<Vec<_>>>()
            }
        }?;
        match element.kind {
            ElementKind::Active { table_index: None | Some(0), offset_expr } => {
                let mut operators = offset_expr.get_operators_reader();
                let Operator::I32Const { value } = operators.read()? else {
                    bail!("its table is filled from a place that is no constant");
                };
                let filled = (value.cast_unsigned()..).zip(functions);
                self.slots.extend(filled.filter_map(|(slot, function)| Some((slot, function?))));
            }
            _ => self.fixed.extend(functions.into_iter().flatten()),
        }
        Ok(())
    }

    fn body(&mut self, body: FunctionBody<'a>) -> Result<()> {
        let mut calls = BTreeSet::new();
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index } => {
                    calls.insert(function_index);
                }
                Operator::ReturnCall { function_index } | Operator::RefFunc { function_index } => {
                    self.fixed.insert(function_index);
                }
                _ => {}
            }
        }
        self.calls.push(calls.into_iter().collect());
        self.bodies.push(body);
        Ok(())
    }

    /// How many functions there are, those that are imported among them.
    pub(super) fn functions(&self) -> u32 {
        u32::try_from(self.types.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn name(&self, function: u32) -> &'a str {
        self.names[function as usize]
    }

    /// How long a function's code is, in bytes; nothing where it is imported.
    pub(super) fn length(&self, function: u32) -> usize {
        let body = function.checked_sub(self.imported).and_then(|own| self.bodies.get(own as usize));
        body.map_or(0, |body| usize::try_from(body.range().end - body.range().start).unwrap_or(usize::MAX))
    }

    /// How many slots the table of functions has.
    pub(super) fn table(&self) -> u32 {
        u32::try_from(self.tables[0].initial).unwrap_or(u32::MAX)
    }
}

/// The functions that a constant refers to.
fn referred(constant: &ConstExpr<'_>) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for operator in constant.get_operators_reader() {
        if let Operator::RefFunc { function_index } = operator? {
            found.push(function_index);
        }
    }
    Ok(found)
}
