//! Whether the chart of a plan gives back what was exported, and what follows from it.

use crate::app::{Code, Finding};
use crate::chart::check::{self, Difference, Fidelity};
use crate::chart::original::Original;
use crate::chart::{Chart, Input};

use super::{Error, Request};

/// Renders the chart and compares it with the application. Differences that the request allows
/// become findings.
///
/// # Errors
/// When there are differences, or the chart does not render, and the request does not allow that.
pub(super) fn check(
    request: &Request,
    input: &Input<'_>,
    chart: &Chart,
    original: Option<&Original>,
    found: &mut Vec<Finding>,
) -> Result<Fidelity, Error> {
    let checked = match original {
        Some(original) => original.fidelity(chart, &input.images),
        None => check::check(input, chart),
    };
    let fidelity = match checked {
        Ok(fidelity) => fidelity,
        Err(error) if request.allow_differences => {
            found.push(Finding::new(Code::RenderDiffers, error.to_string()).remedy(REMEDY));
            return Ok(Fidelity { objects: input.app.objects.len(), ..Fidelity::default() });
        }
        Err(error) => return Err(error.into()),
    };
    if !request.allow_differences && !fidelity.differences.is_empty() {
        return Err(Error::Differs(fidelity.differences));
    }
    found.extend(fidelity.differences.iter().map(finding));
    Ok(fidelity)
}

const REMEDY: &str = "Look at the rendered chart before it is installed.";

fn finding(difference: &Difference) -> Finding {
    let finding = Finding::new(Code::RenderDiffers, difference.sentence());
    let finding = finding.on(difference.object.clone()).remedy(REMEDY);
    match &difference.field {
        Some(field) => finding.field(field.clone()),
        None => finding,
    }
}
