//! Both parts as they are written.

use anyhow::{Error, Result};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Module as Written, RawSection, SectionId, TableSection, TableType,
};
use wasmparser::{FunctionBody, Operator, Parser};

use super::Plan;
use super::read::Module;

/// Where the first part has its stand-ins from.
pub(super) const STAND_INS: &str = "later";
/// Where the second part has what it needs of the first.
const FIRST: &str = "first";

/// The first part: all but what comes later.
pub(super) fn first(module: &Module<'_>, plan: &Plan) -> Result<Vec<u8>> {
    let mut written = Written::new();
    First { module, plan, tables: 0 }
        .parse_core_module(&mut written, Parser::new(0), module.bytes)
        .map_err(|error| Error::msg(error.to_string()))?;
    Ok(written.finish())
}

struct First<'m> {
    module: &'m Module<'m>,
    plan: &'m Plan,
    tables: u32,
}

type Outcome<T> = Result<T, reencode::Error<std::convert::Infallible>>;

impl First<'_> {
    /// Functions that are imported, in the whole and as stand-ins.
    fn imported(&self) -> u32 {
        self.module.imported + count(self.plan.slots.len())
    }
}

/// The functions of the first part, none of them imported.
fn kept<'m>(module: &'m Module<'_>, plan: &'m Plan) -> impl Iterator<Item = u32> + 'm {
    (module.imported..module.functions()).filter(|function| !plan.is_later(*function))
}

impl Reencode for First<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Outcome<u32> {
        if function < self.module.imported {
            return Ok(function);
        }
        if self.plan.is_later(function) {
            let stand_in =
                self.plan.slot(function).map(|slot| self.plan.slots.partition_point(|(known, _)| *known < slot));
            return Ok(self.module.imported + count(stand_in.unwrap_or_default()));
        }
        Ok(self.imported() + self.plan.place[function as usize])
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Outcome<()> {
        reencode::utils::parse_import_section(self, imports, section)?;
        for (slot, function) in &self.plan.slots {
            let kind = EntityType::Function(self.module.types[*function as usize]);
            imports.import(STAND_INS, &slot.to_string(), kind);
        }
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        _: wasmparser::FunctionSectionReader<'_>,
    ) -> Outcome<()> {
        for function in kept(self.module, self.plan) {
            functions.function(self.module.types[function as usize]);
        }
        Ok(())
    }

    fn parse_table(&mut self, tables: &mut TableSection, table: wasmparser::Table<'_>) -> Outcome<()> {
        let kind = self.table_type(table.ty)?;
        let larger = self.plan.larger(self.module, self.tables, kind);
        self.tables += 1;
        tables.table(larger);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Outcome<()> {
        reencode::utils::parse_export_section(self, exports, section)?;
        for function in &self.plan.shared {
            let index = self.function_index(*function)?;
            exports.export(&key('F', *function), ExportKind::Func, index);
        }
        let module = self.module;
        let others = [
            ('M', ExportKind::Memory, module.memories.len()),
            ('T', ExportKind::Table, module.tables.len()),
            ('G', ExportKind::Global, module.globals.len()),
        ];
        for (letter, kind, all) in others {
            for index in 0..count(all) {
                exports.export(&key(letter, index), kind, index);
            }
        }
        Ok(())
    }

    fn parse_element_section(
        &mut self,
        elements: &mut ElementSection,
        section: wasmparser::ElementSectionReader<'_>,
    ) -> Outcome<()> {
        reencode::utils::parse_element_section(self, elements, section)?;
        let added = self.plan.slots.iter().filter(|(slot, _)| *slot >= self.module.table());
        let added: Vec<u32> = added.map(|(_, function)| self.function_index(*function)).collect::<Outcome<_>>()?;
        fill(elements, self.module.table(), added);
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, _: wasmparser::CodeSectionReader<'_>) -> Outcome<()> {
        let (module, plan) = (self.module, self.plan);
        for function in kept(module, plan) {
            let body = self.body(&module.bodies[(function - module.imported) as usize])?;
            code.function(&body);
        }
        Ok(())
    }

    /// Names and other notes are for tools.
    fn parse_custom_section(&mut self, _: &mut Written, _: wasmparser::CustomSectionReader<'_>) -> Outcome<()> {
        Ok(())
    }
}

impl First<'_> {
    fn body(&mut self, body: &FunctionBody<'_>) -> Outcome<Function> {
        let mut function = self.new_function_with_parsed_locals(body)?;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let slot = match operator {
                Operator::Call { function_index } if self.plan.is_later(function_index) => {
                    self.plan.slot(function_index).map(|slot| (slot, self.module.types[function_index as usize]))
                }
                _ => None,
            };
            match slot {
                Some((slot, kind)) => {
                    function.instructions().i32_const(slot.cast_signed()).call_indirect(0, kind);
                }
                None => {
                    function.instruction(&self.instruction(operator)?);
                }
            }
        }
        Ok(function)
    }
}

/// The second part: what comes later, on the memory and the tables of the first.
pub(super) fn second(module: &Module<'_>, plan: &Plan) -> Result<Vec<u8>> {
    let mut second = Second { module, plan };
    second.write().map_err(|error| Error::msg(error.to_string()))
}

struct Second<'m> {
    module: &'m Module<'m>,
    plan: &'m Plan,
}

impl Reencode for Second<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Outcome<u32> {
        if !self.plan.is_later(function) {
            return Ok(count(self.plan.shared.partition_point(|shared| *shared < function)));
        }
        Ok(count(self.plan.shared.len()) + self.plan.place[function as usize])
    }
}

impl Second<'_> {
    fn write(&mut self) -> Outcome<Vec<u8>> {
        let (module, plan) = (self.module, self.plan);
        let mut written = Written::new();
        for payload in Parser::new(0).parse_all(module.bytes) {
            if let wasmparser::Payload::TypeSection(section) = payload? {
                let range = section.range();
                let data =
                    &module.bytes[usize::try_from(range.start).unwrap_or(0)..usize::try_from(range.end).unwrap_or(0)];
                written.section(&RawSection { id: SectionId::Type as u8, data });
            }
        }
        written.section(&self.imports()?);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for function in (module.imported..module.functions()).filter(|function| plan.is_later(*function)) {
            functions.function(module.types[function as usize]);
            self.parse_function_body(&mut code, module.bodies[(function - module.imported) as usize].clone())?;
        }
        let mut elements = ElementSection::new();
        for run in plan.slots.chunk_by(|(slot, _), (next, _)| slot + 1 == *next) {
            let filled = run.iter().map(|(_, function)| self.function_index(*function)).collect::<Outcome<_>>()?;
            fill(&mut elements, run[0].0, filled);
        }
        written.section(&functions).section(&elements).section(&code);
        Ok(written.finish())
    }

    fn imports(&mut self) -> Outcome<ImportSection> {
        let (module, plan) = (self.module, self.plan);
        let mut imports = ImportSection::new();
        for function in &plan.shared {
            imports.import(FIRST, &key('F', *function), EntityType::Function(module.types[*function as usize]));
        }
        for (index, memory) in (0..).zip(&module.memories) {
            imports.import(FIRST, &key('M', index), self.memory_type(*memory)?);
        }
        for (index, table) in (0..).zip(&module.tables) {
            let kind = self.table_type(*table)?;
            imports.import(FIRST, &key('T', index), plan.larger(module, index, kind));
        }
        for (index, global) in (0..).zip(&module.globals) {
            imports.import(FIRST, &key('G', index), self.global_type(*global)?);
        }
        Ok(imports)
    }
}

impl Plan {
    /// A table of the whole with the slots that were added to the first one.
    fn larger(&self, module: &Module<'_>, index: u32, mut kind: TableType) -> TableType {
        if index == 0 {
            let more = u64::from(self.table - module.table());
            kind.minimum += more;
            kind.maximum = kind.maximum.map(|most| most + more);
        }
        kind
    }
}

/// The name by which the parts share something.
fn key(letter: char, index: u32) -> String {
    format!("{letter}{index}")
}

/// Puts functions into the table from a slot on.
fn fill(elements: &mut ElementSection, slot: u32, functions: Vec<u32>) {
    if !functions.is_empty() {
        elements.active(None, &ConstExpr::i32_const(slot.cast_signed()), Elements::Functions(functions.into()));
    }
}

fn count(all: usize) -> u32 {
    u32::try_from(all).unwrap_or(u32::MAX)
}
