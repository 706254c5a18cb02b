//! Routes as data: one table makes the [`Router`] and what is written of it
//! ([`openapi`](super::openapi)). What a route takes is read off its handler's own arguments, so that
//! the description cannot say otherwise.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Extracted};
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::json;
use super::state::State;
use crate::error::Code;

/// Gives the schema of a type, and its parts to the generator.
pub(super) type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// A route of the table.
pub(super) struct Route {
    pub(super) method: Method,
    /// As axum and OpenAPI write it.
    pub(super) path: &'static str,
    /// What clients in other languages name the call.
    pub(super) id: &'static str,
    /// What it does, in a few words.
    pub(super) summary: &'static str,
    /// Rights that it needs, all of them.
    pub(super) needs: &'static [Need],
    pub(super) takes: Takes,
    /// How it may answer when it is done.
    pub(super) answers: Vec<Answer>,
    /// What stands in the way besides what its arguments say.
    pub(super) refuses: Vec<Code>,
    handler: MethodRouter<Arc<State>>,
}

/// A right, as an administrator grants it (`auth::Right`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    SeeDestination,
    ReadNamespace,
    UseDestination,
    /// Only where values of Secrets, or pull secrets, are asked for.
    ReadSecrets,
    GetExports,
    ListExports,
    UpdateExports,
    CreateSchedules,
    GetSchedules,
    ListSchedules,
    UpdateSchedules,
    /// Says that the next ones are only of who changes what is exported, or what stays.
    OfTemplate,
    DeleteSchedules,
    Metrics,
}

/// What a route takes, as its handler's arguments tell.
#[derive(Default)]
pub(super) struct Takes {
    /// Whether somebody has to be known.
    pub(super) sender: bool,
    pub(super) query: Option<SchemaFn>,
    pub(super) headers: Vec<Header>,
    pub(super) body: Option<SchemaFn>,
    /// How these are refused.
    pub(super) refuses: Vec<Code>,
}

/// A header of a request or an answer.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

/// One answer of a route.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: &'static str,
    pub(super) media_type: &'static str,
    /// Of JSON; other texts have none.
    pub(super) schema: Option<SchemaFn>,
    pub(super) headers: &'static [Header],
}

/// An argument of a handler.
pub(super) trait Argument {
    /// Says what it takes of a request; nothing, if it does not say.
    fn describe(_: &mut Takes) {}
}

/// The arguments of a handler, as axum passes them.
pub(super) trait Arguments {
    /// What they take.
    fn takes() -> Takes;
}

impl Route {
    /// `GET path`
    pub(super) fn get<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<State>>,
        T: Arguments + 'static,
    {
        Self::new(Method::GET, path, T::takes(), on(MethodFilter::GET, handler))
    }

    /// `POST path`
    pub(super) fn post<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<State>>,
        T: Arguments + 'static,
    {
        Self::new(Method::POST, path, T::takes(), on(MethodFilter::POST, handler))
    }

    /// `PUT path`
    pub(super) fn put<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<State>>,
        T: Arguments + 'static,
    {
        Self::new(Method::PUT, path, T::takes(), on(MethodFilter::PUT, handler))
    }

    /// `PATCH path`
    pub(super) fn patch<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<State>>,
        T: Arguments + 'static,
    {
        Self::new(Method::PATCH, path, T::takes(), on(MethodFilter::PATCH, handler))
    }

    /// `DELETE path`
    pub(super) fn delete<H, T>(path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<State>>,
        T: Arguments + 'static,
    {
        Self::new(Method::DELETE, path, T::takes(), on(MethodFilter::DELETE, handler))
    }

    fn new(
        method: Method,
        path: &'static str,
        takes: Takes,
        handler: MethodRouter<Arc<State>>,
    ) -> Self {
        let (id, summary, answers, refuses) = ("", "", Vec::new(), Vec::new());
        Self { method, path, id, summary, needs: &[], takes, answers, refuses, handler }
    }

    /// What it is called and what it does.
    pub(super) fn named(self, id: &'static str, summary: &'static str) -> Self {
        Self { id, summary, ..self }
    }

    /// Rights that it needs.
    pub(super) fn needs(self, needs: &'static [Need]) -> Self {
        Self { needs, ..self }
    }

    /// An answer in JSON.
    pub(super) fn gives<T: JsonSchema>(self, status: u16, text: &'static str) -> Self {
        let schema: SchemaFn = |generator| generator.subschema_for::<T>();
        self.answers(Answer {
            status,
            text,
            media_type: json::MEDIA_TYPE,
            schema: Some(schema),
            headers: &[],
        })
    }

    /// Any answer.
    pub(super) fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// Headers of the answer that was given last.
    pub(super) fn with_headers(mut self, headers: &'static [Header]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers = headers;
        }
        self
    }

    /// What stands in the way besides what its arguments say.
    pub(super) fn refuses(mut self, refuses: &[Code]) -> Self {
        self.refuses.extend(refuses);
        self
    }
}

impl Answer {
    /// One that has no schema.
    pub(super) fn text(media_type: &'static str, text: &'static str) -> Self {
        Self { status: 200, text, media_type, schema: None, headers: &[] }
    }
}

/// The router of a table.
pub(super) fn router(table: Vec<Route>) -> Router<Arc<State>> {
    let add = |router: Router<_>, route: Route| router.route(route.path, route.handler);
    table.into_iter().fold(Router::new(), add)
}

impl Need {
    /// The right in the words of Kubernetes.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::SeeDestination => {
                "`get` or `use` on `destinations.outhaul.dev` of this name, in all namespaces"
            }
            Self::ReadNamespace => {
                "what ClusterRole `view` has in the namespace, and `list` on further kinds that the \
                 application has"
            }
            Self::UseDestination => {
                "`use` on `destinations.outhaul.dev` of the destination's name, in the namespace"
            }
            Self::ReadSecrets => {
                "where Secrets are asked for, `get` and `list` on `secrets` in the namespace"
            }
            Self::GetExports => "`get` on `exports.outhaul.dev`, in the namespace",
            Self::ListExports => "`list` on `exports.outhaul.dev`, in the namespace or in all",
            Self::UpdateExports => "`update` on `exports.outhaul.dev`, in the namespace",
            Self::CreateSchedules => "`create` on `exportschedules.outhaul.dev`, in the namespace",
            Self::GetSchedules => "`get` on `exportschedules.outhaul.dev`, in the namespace",
            Self::ListSchedules => {
                "`list` on `exportschedules.outhaul.dev`, in the namespace or in all"
            }
            Self::UpdateSchedules => "`update` on `exportschedules.outhaul.dev`, in the namespace",
            Self::OfTemplate => {
                "where what is exported or what stays is changed, also the following"
            }
            Self::DeleteSchedules => "`delete` on `exportschedules.outhaul.dev`, in the namespace",
            Self::Metrics => "`get` on the nonResourceURL `/metrics`",
        }
    }
}

/// What stands in a path is text, and its names are the path's.
impl<T> Argument for Path<T> {}

impl<T> Argument for Extracted<T> {}

impl<M> Arguments for (M,) {
    fn takes() -> Takes {
        Takes::default()
    }
}

macro_rules! arguments {
    ($($argument:ident)+) => {
        impl<M, $($argument: Argument),+> Arguments for (M, $($argument),+) {
            fn takes() -> Takes {
                let mut takes = Takes::default();
                $($argument::describe(&mut takes);)+
                takes
            }
        }
    };
}

arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
