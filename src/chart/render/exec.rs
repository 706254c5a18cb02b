//! Runs templates as Go does (`text/template/exec.go`), on the trees that gotmpl parses. gotmpl's
//! own engine has no methods (`.Files.Get "x"`), and its mappings do not change in place.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use gotmpl::parse::{
    BranchNode, CommandNode, Expr, ListNode, Node, Number, Parser, PipeNode, SmolStr,
};

use super::value::{Answer, Go};
use super::{builtins, functions};

/// Most bytes of what one template prints, or one function gives: over twice what helm loads as a
/// file.
pub(super) const MAX_TEXT: usize = 12 << 20;

/// Nodes that one template may walk over, with which a few bytes could ask for hours.
const MAX_STEPS: u64 = 5_000_000;

/// Blocks and templates within each other: each level takes stack. Helm gives up at 1000 templates.
const MAX_DEPTH: usize = 400;

/// Mappings and lists that templates of a chart may build: they may all be within each other, and
/// each level takes stack when they go.
const MAX_VALUES: u64 = 100_000;

/// Templates by name.
pub(super) type Trees = BTreeMap<String, Rc<ListNode>>;

/// Why a template ended early.
enum Stop {
    Failed(String),
    Break,
    Continue,
}

type Ran<T> = Result<T, Stop>;

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// A set of templates that call each other.
pub(super) struct Machine {
    trees: RefCell<Rc<Trees>>,
    depth: Cell<usize>,
    steps: Cell<u64>,
    values: Cell<u64>,
}

impl Machine {
    pub(super) fn new(trees: Trees) -> Self {
        let (depth, steps, values) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Self { trees: RefCell::new(Rc::new(trees)), depth, steps, values }
    }

    /// What a template prints, with new bounds.
    pub(super) fn text(&self, name: &str, data: &Go) -> Result<String, String> {
        self.depth.set(0);
        self.steps.set(0);
        self.include(name, data)
    }

    /// Counts a mapping or list that a template builds.
    pub(super) fn count_value(&self) -> Result<(), String> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MAX_VALUES { Err("it does not end".to_owned()) } else { Ok(()) }
    }

    /// What a template prints for another one.
    pub(super) fn include(&self, name: &str, data: &Go) -> Result<String, String> {
        let tree = self.trees.borrow().get(name).map(Rc::clone);
        let tree = tree.ok_or_else(|| format!("there is no template {name:?}"))?;
        self.run(&tree, data)
    }

    /// What a text prints as a template; what it defines is known within it alone.
    pub(super) fn tpl(&self, text: &str, data: &Go) -> Result<String, String> {
        let mut trees = Trees::clone(&self.trees.borrow());
        let name = "tpl";
        add(&mut trees, name, text)?;
        let outer = self.trees.replace(Rc::new(trees));
        let printed = self.include(name, data);
        self.trees.replace(outer);
        printed
    }

    fn run(&self, tree: &ListNode, data: &Go) -> Result<String, String> {
        let vars = vec![(SmolStr::new_static("$"), data.clone())];
        let mut run = Run { machine: self, vars, printed: String::new() };
        match run.block(|run| run.walk(data, tree)) {
            Ok(()) => Ok(run.printed),
            Err(Stop::Failed(reason)) => Err(reason),
            Err(Stop::Break | Stop::Continue) => Err("a loop is left outside of one".to_owned()),
        }
    }
}

/// Parses a template file and adds it, and what it defines. An empty definition does not replace
/// another one.
pub(super) fn add(trees: &mut Trees, name: &str, text: &str) -> Result<(), String> {
    let parsed = Parser::with_name(None, text, "{{", "}}").and_then(Parser::parse);
    let (body, defined) = parsed.map_err(|error| error.to_string())?;
    let defined = defined.into_iter().map(|define| (define.name.to_string(), define.body));
    for (name, body) in std::iter::once((name.to_owned(), body)).chain(defined) {
        if !body.is_empty_tree() || !trees.contains_key(&name) {
            trees.insert(name, Rc::new(body));
        }
    }
    Ok(())
}

/// One template while it runs.
struct Run<'m> {
    machine: &'m Machine,
    /// Variables, the innermost last.
    vars: Vec<(SmolStr, Go)>,
    printed: String,
}

impl Run<'_> {
    /// Runs what has variables of its own.
    fn block<T>(&mut self, work: impl FnOnce(&mut Self) -> Ran<T>) -> Ran<T> {
        let (count, depth) = (self.vars.len(), self.machine.depth.get());
        if depth >= MAX_DEPTH {
            return Err("templates call each other without end".to_owned().into());
        }
        self.machine.depth.set(depth + 1);
        let done = work(self);
        self.machine.depth.set(depth);
        self.vars.truncate(count);
        done
    }

    fn walk(&mut self, dot: &Go, list: &ListNode) -> Ran<()> {
        for node in &list.nodes {
            let steps = self.machine.steps.get() + 1;
            if steps > MAX_STEPS {
                return Err("it does not end".to_owned().into());
            }
            self.machine.steps.set(steps);
            self.node(dot, node)?;
        }
        Ok(())
    }

    fn node(&mut self, dot: &Go, node: &Node) -> Ran<()> {
        match node {
            Node::Text(text) => self.print(&text.text),
            Node::Action(action) => {
                let value = at_line(action.pos.line, self.pipeline(dot, &action.pipe))?;
                match value {
                    _ if !action.pipe.decl.is_empty() => Ok(()),
                    Go::Nil => self.print(crate::chart::expr::NO_VALUE),
                    value => self.print(&value.to_string()),
                }
            }
            Node::If(branch) => self.block(|run| run.branch(dot, branch, false)),
            Node::With(branch) => self.block(|run| run.branch(dot, branch, true)),
            Node::Range(branch) => self.block(|run| run.range(dot, branch)),
            Node::Template(call) => {
                let dot = match &call.pipe {
                    Some(pipe) => at_line(call.pos.line, self.pipeline(dot, pipe))?,
                    None => Go::Nil,
                };
                let text = self.machine.include(&call.name, &dot);
                self.print(&at_line(call.pos.line, text.map_err(Stop::from))?)
            }
            Node::Define(_) => Ok(()),
            Node::List(list) => self.walk(dot, list),
            Node::Break(_) => Err(Stop::Break),
            Node::Continue(_) => Err(Stop::Continue),
        }
    }

    fn print(&mut self, text: &str) -> Ran<()> {
        if self.printed.len() + text.len() > MAX_TEXT {
            return Err(too_long().into());
        }
        self.printed.push_str(text);
        Ok(())
    }

    fn branch(&mut self, dot: &Go, branch: &BranchNode, is_with: bool) -> Ran<()> {
        let value = at_line(branch.pos.line, self.pipeline(dot, &branch.pipe))?;
        match &branch.else_body {
            _ if value.is_true() => self.walk(if is_with { &value } else { dot }, &branch.body),
            Some(otherwise) => self.walk(dot, otherwise),
            None => Ok(()),
        }
    }

    fn range(&mut self, dot: &Go, branch: &BranchNode) -> Ran<()> {
        let over = at_line(branch.pos.line, self.commands(dot, &branch.pipe))?;
        let items: Box<dyn Iterator<Item = (Go, Go)>> = match over {
            Go::List(items) => Box::new(
                (0..items.len())
                    .map(move |at| (Go::Int(at.try_into().unwrap_or(0)), items[at].clone())),
            ),
            Go::Map(fields) => Box::new(pairs(fields.borrow().clone())),
            Go::Object(object) => Box::new(pairs(object.fields())),
            Go::Int(count) | Go::Int64(count) => {
                Box::new((0..count).map(|at| (Go::Int(at), Go::Int(at))))
            }
            Go::Nil => Box::new(std::iter::empty()),
            other => return Err(format!("range can't iterate over a {}", other.type_name()).into()),
        };
        let mut is_empty = true;
        for (key, item) in items {
            is_empty = false;
            let done = self.block(|run| {
                run.bind(&branch.pipe, key, &item);
                run.walk(&item, &branch.body)
            });
            match done {
                Ok(()) | Err(Stop::Continue) => {}
                Err(Stop::Break) => break,
                Err(stop) => return Err(stop),
            }
        }
        match &branch.else_body {
            Some(otherwise) if is_empty => self.walk(dot, otherwise),
            _ => Ok(()),
        }
    }

    fn bind(&mut self, pipe: &PipeNode, key: Go, item: &Go) {
        let values = match pipe.decl.len() {
            1 => vec![item.clone()],
            _ => vec![key, item.clone()],
        };
        for (name, value) in pipe.decl.iter().zip(values) {
            self.set(name, value, pipe.is_assign);
        }
    }

    fn set(&mut self, name: &SmolStr, value: Go, is_assign: bool) {
        let place = self.vars.iter_mut().rev().find(|(known, _)| is_assign && known == name);
        match place {
            Some((_, place)) => *place = value,
            None => self.vars.push((name.clone(), value)),
        }
    }

    fn pipeline(&mut self, dot: &Go, pipe: &PipeNode) -> Ran<Go> {
        let value = self.commands(dot, pipe)?;
        for name in &pipe.decl {
            self.set(name, value.clone(), pipe.is_assign);
        }
        Ok(value)
    }

    fn commands(&mut self, dot: &Go, pipe: &PipeNode) -> Ran<Go> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(dot, command, last)?);
        }
        Ok(last.unwrap_or(Go::Nil))
    }

    fn command(&mut self, dot: &Go, command: &CommandNode, last: Option<Go>) -> Ran<Go> {
        let Some((first, rest)) = command.args.split_first() else { return Ok(Go::Nil) };
        match first {
            Expr::Identifier(_, name) => self.call(dot, name, rest, last),
            Expr::Field(_, names) => self.members(dot, dot.clone(), names, rest, last),
            Expr::Variable(_, name, names) => {
                let value = self.variable(name)?;
                self.members(dot, value, names, rest, last)
            }
            Expr::Chain(_, inner, names) => {
                let value = self.expression(dot, inner)?;
                self.members(dot, value, names, rest, last)
            }
            Expr::Nil(_) => Err("nil is not a command".to_owned().into()),
            _ if !rest.is_empty() || last.is_some() => {
                Err("can't give argument to non-function".to_owned().into())
            }
            other => self.expression(dot, other),
        }
    }

    fn variable(&self, name: &SmolStr) -> Ran<Go> {
        let known = self.vars.iter().rev().find(|(known, _)| known == name);
        let known = known.map(|(_, value)| value.clone());
        known.ok_or_else(|| format!("undefined variable {name}").into())
    }

    /// What a chain of fields leads to; a method at its end gets the arguments.
    fn members(
        &mut self,
        dot: &Go,
        mut value: Go,
        names: &[SmolStr],
        rest: &[Expr],
        last: Option<Go>,
    ) -> Ran<Go> {
        let args = self.arguments(dot, rest, last)?;
        let Some((end, names)) = names.split_last() else {
            return match args.is_empty() {
                true => Ok(value),
                false => Err("can't give argument to non-function".to_owned().into()),
            };
        };
        for name in names {
            value = member(&value, name, &[])?;
        }
        Ok(member(&value, end, &args)?)
    }

    fn arguments(&mut self, dot: &Go, args: &[Expr], last: Option<Go>) -> Ran<Vec<Go>> {
        let args: Ran<Vec<Go>> = args.iter().map(|arg| self.expression(dot, arg)).collect();
        args.map(|args| args.into_iter().chain(last).collect())
    }

    fn call(&mut self, dot: &Go, name: &str, args: &[Expr], last: Option<Go>) -> Ran<Go> {
        if name == "and" || name == "or" {
            return self.until_decided(dot, name == "or", args, last);
        }
        let args = self.arguments(dot, args, last)?;
        let failed = |reason| format!("{name}: {reason}");
        let value = match builtins::call(name, &args) {
            Some(answer) => answer,
            None => functions::call(self.machine, name, &args),
        };
        match value.map_err(failed)? {
            Go::Text(text) if text.len() > MAX_TEXT => Err(too_long().into()),
            value => Ok(value),
        }
    }

    /// `and` and `or`, which look at no more arguments than they need.
    fn until_decided(
        &mut self,
        dot: &Go,
        wanted: bool,
        args: &[Expr],
        last: Option<Go>,
    ) -> Ran<Go> {
        let mut value = None;
        for arg in args {
            let found = self.expression(dot, arg)?;
            if found.is_true() == wanted {
                return Ok(found);
            }
            value = Some(found);
        }
        last.or(value).ok_or_else(|| "and, or: arguments are missing".to_owned().into())
    }

    fn expression(&mut self, dot: &Go, expression: &Expr) -> Ran<Go> {
        match expression {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Field(_, names) => self.members(dot, dot.clone(), names, &[], None),
            Expr::Variable(_, name, names) => {
                let value = self.variable(name)?;
                self.members(dot, value, names, &[], None)
            }
            Expr::Identifier(_, name) => self.call(dot, name, &[], None),
            Expr::Chain(_, inner, names) => {
                let value = self.expression(dot, inner)?;
                self.members(dot, value, names, &[], None)
            }
            Expr::Pipe(_, pipe) => self.pipeline(dot, pipe),
            Expr::String(_, text) => Ok(Go::text(text)),
            Expr::Number(_, Number::Int(number)) => Ok(Go::Int(*number)),
            Expr::Number(_, Number::Float(number)) => Ok(Go::Float(*number)),
            Expr::Number(_, Number::Uint(_)) => Err("a number overflows int".to_owned().into()),
            Expr::Bool(_, flag) => Ok(Go::Bool(*flag)),
            Expr::Nil(_) => Ok(Go::Nil),
        }
    }
}

fn pairs(fields: super::value::Fields) -> impl Iterator<Item = (Go, Go)> {
    fields.into_iter().map(|(key, value)| (Go::Text(key), value))
}

fn member(value: &Go, name: &str, args: &[Go]) -> Answer {
    match value {
        Go::Map(fields) => match (fields.borrow().get(name), args) {
            (found, []) => Ok(found.cloned().unwrap_or(Go::Nil)),
            _ => Err(format!("{name} is not a method but has arguments")),
        },
        Go::Object(object) => object
            .member(name, args)
            .unwrap_or_else(|| Err(format!("{} has no {name}", object.type_name()))),
        Go::Nil => Err(format!("nil pointer evaluating interface {{}}.{name}")),
        other => Err(format!("can't evaluate field {name} in type {}", other.type_name())),
    }
}

fn too_long() -> String {
    format!("it prints more than {} MiB", MAX_TEXT >> 20)
}

/// Says where in its file something failed.
fn at_line<T>(line: usize, ran: Ran<T>) -> Ran<T> {
    ran.map_err(|stop| match stop {
        Stop::Failed(reason) if !reason.starts_with("line ") => {
            Stop::Failed(format!("line {line}: {reason}"))
        }
        stop => stop,
    })
}
