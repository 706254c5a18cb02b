//! Spans of exports and requests for a collector of OpenTelemetry (OTLP over HTTP, protobuf), with the
//! feature `otlp`. Where to is said by OpenTelemetry's own variables, `OTEL_EXPORTER_OTLP_ENDPOINT`
//! above all. Spans have what the log has, and no more.

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::{Builder, Runtime};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::error::Error;
use crate::registry::transport::{Tls, http_client};

/// What the collector calls us, unless `OTEL_SERVICE_NAME` says otherwise.
const NAME: &str = "outhaul";

/// Variables that say where spans go (OpenTelemetry, protocol exporter).
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// Sends spans, a few seconds' worth at a time. Dropping it sends the rest.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

/// The exporter has a thread of its own that runs nothing else; requests need a runtime.
#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    threads: Runtime,
}

impl Traces {
    /// To wherever the environment says; `None` where it says nothing.
    ///
    /// # Errors
    /// When the address or the system's roots cannot be used.
    pub(crate) fn from_env() -> Result<Option<Self>, Error> {
        let is_said = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.into_iter().any(is_said) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(Client::new()?);
        let exporter = exporter.build().map_err(|error| Error::Arguments {
            text: format!("spans cannot be sent: {error}"),
            hint: "set OTEL_EXPORTER_OTLP_ENDPOINT to a collector, such as `http://localhost:4318`",
        })?;
        let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
            Some(_) => Resource::builder().build(),
            None => Resource::builder().with_service_name(NAME).build(),
        };
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource);
        Ok(Some(Self(provider.build())))
    }

    /// What makes spans of those of `tracing`.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.0.tracer(NAME);
        tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        let _ = self.0.shutdown(); // a collector that is away has nothing of us, and nobody to tell
    }
}

impl Client {
    fn new() -> Result<Self, Error> {
        let threads = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let threads = threads.map_err(|source| Error::Runtime { source })?;
        Ok(Self { http: http_client(&Tls::default(), false)?, threads })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (http, request) = (self.http.clone(), reqwest::Request::try_from(request)?);
        let sent = async move {
            let answer = http.execute(request).await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        };
        let (status, body) = self.threads.spawn(sent).await??;
        Ok(Response::builder().status(status).body(body)?)
    }
}
