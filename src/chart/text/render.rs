//! Rendering: strict, bounded, with the helpers that texts for Helm need.

use std::io::{self, Write};

use handlebars::template::TemplateElement;
use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, Renderable as _, Template,
};
use serde_json::Value;

use crate::chart::Error;

/// File name of the template of `README.md`.
pub const README: &str = "README.md.hbs";

/// File name of the template of `NOTES.txt`.
pub const NOTES: &str = "NOTES.txt.hbs";

/// Most bytes of a template, and of what it renders: Helm keeps both texts in the release, which has
/// a limit of 1 MiB, and a loop in a loop in a loop would go on for ever.
pub const LONGEST_TEMPLATE: usize = 1 << 20;

/// Renders a template. `escape`: what becomes of every text that is not part of an action.
///
/// # Errors
/// When it does not parse, names what does not exist, or renders too much.
pub(super) fn render(
    name: &'static str,
    text: &str,
    data: &Value,
    escape: fn(&str) -> String,
) -> Result<String, Error> {
    let error = |line: Option<usize>, reason: String| Error::Template {
        place: line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}")),
        reason,
    };
    let template = Template::compile(text)
        .map_err(|e| error(e.pos().map(|(line, _)| line), e.reason().to_string()))?;
    if has_partials(&template) {
        return Err(error(None, "partials and decorators are not supported".to_owned()));
    }
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(escape);
    handlebars.register_helper("raw", Box::new(raw));
    handlebars.register_helper("cell", Box::new(cell));
    handlebars.register_helper("action", Box::new(action));
    handlebars.register_template(name, template);
    let mut bounded = Bounded(Vec::new());
    handlebars
        .render_to_write(name, data, &mut bounded)
        .map_err(|e| error(e.line_no, e.reason().to_string()))?;
    String::from_utf8(bounded.0).map_err(|e| error(None, e.to_string()))
}

/// Whether a template calls others, or itself. Without these every loop ends.
fn has_partials(template: &Template) -> bool {
    use TemplateElement as E;
    template.elements.iter().any(|element| match element {
        E::HtmlExpression(helper) | E::Expression(helper) | E::HelperBlock(helper) => {
            helper.template.as_ref().is_some_and(has_partials)
                || helper.inverse.as_ref().is_some_and(has_partials)
        }
        E::RawString(_) | E::Comment(_) => false,
        _ => true,
    })
}

/// Text that may become so long and no longer.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_TEMPLATE {
            let reason = format!("the text becomes longer than {} KiB", LONGEST_TEMPLATE >> 10);
            return Err(io::Error::other(reason));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `{{{{raw}}}}…{{{{/raw}}}}`: what is between, untouched, for Helm.
fn raw<'reg, 'rc>(
    helper: &Helper<'rc>,
    handlebars: &'reg Handlebars<'reg>,
    context: &'rc Context,
    render: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    helper.template().map_or(Ok(()), |text| text.render(handlebars, context, render, out))
}

/// `{{action "head" text…}}`: an action for Helm that prints nothing, made of these parts.
fn action<'reg, 'rc>(
    helper: &Helper<'rc>,
    _: &'reg Handlebars<'reg>,
    _: &'rc Context,
    _: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let parts: Vec<&str> =
        helper.params().iter().filter_map(|part| part.value().as_str()).collect();
    out.write(&format!("{{{{- {} }}}}", parts.join(" ")))?;
    Ok(())
}

/// `{{cell text}}`: text as it may stand in a table of Markdown.
fn cell<'reg, 'rc>(
    helper: &Helper<'rc>,
    _: &'reg Handlebars<'reg>,
    _: &'rc Context,
    _: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = helper.param(0).and_then(|text| text.value().as_str()).unwrap_or_default();
    out.write(&text.replace(['\n', '\r'], " ").replace('|', "\\|"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use handlebars::no_escape;
    use serde_json::json;

    use super::*;

    fn of(text: &str) -> Result<String, String> {
        let data = json!({"list": [1, 2], "name": "a | b"});
        render(README, text, &data, no_escape).map_err(|error| error.to_string())
    }

    #[test]
    fn helm_gets_its_braces_and_tables_their_cells() {
        let text = "{{{{raw}}}}{{ .Release.Name }}{{{{/raw}}}} {{cell name}}";
        assert_eq!(of(text).unwrap(), "{{ .Release.Name }} a \\| b");
    }

    #[test]
    fn an_error_names_file_and_line() {
        let error = of("one\ntwo {{missing}}\n").unwrap_err();
        assert!(error.starts_with("README.md.hbs:2: "), "{error}");
        let error = of("one\n{{#if list}}\n").unwrap_err();
        assert!(error.starts_with("README.md.hbs:"), "{error}");
    }

    #[test]
    fn what_would_not_end_is_refused() {
        let recursion = "{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}";
        assert!(of(recursion).unwrap_err().contains("partials"));
        assert!(of("{{#each list}}{{> b}}{{/each}}").unwrap_err().contains("partials"));
        let (open, close) = ("{{#each @root.list}}".repeat(24), "{{/each}}".repeat(24));
        let error = of(&format!("{open}text{close}")).unwrap_err();
        assert!(error.contains("longer than 1024 KiB"), "{error}");
    }
}
