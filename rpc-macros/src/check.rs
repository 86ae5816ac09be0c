//! The rules that a model has to keep.

mod names;
mod types;
mod values;

use crate::ctxt::Ctxt;
use crate::model::Api;

pub(crate) use names::RESERVED;

/// Judges the whole API.
pub(crate) fn api(api: &Api, ctxt: &Ctxt) {
    for method in &api.methods {
        names::reserved(method, ctxt);
        types::method(method, ctxt);
    }
    names::methods(&api.methods, ctxt);
    for method in &api.methods {
        names::parameters(method, ctxt);
        names::arguments(method, ctxt);
        names::renamed(method, ctxt);
        names::setters(method, ctxt);
        values::default(method, ctxt);
    }
    names::setter_types(api, ctxt);
}
