//! HTTP/1.1 as Go's client sends it, byte for byte, over TCP and TLS.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, InvalidMessage,
    SignatureScheme, StreamOwned,
};

/// Go's client waits 15 minutes for an answer; a test should have failed before.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where the server is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) is_https: bool,
    /// Host and port.
    pub(super) address: String,
}

/// A connection that is kept between requests.
pub(super) struct Connection(BufReader<Box<dyn Stream>>);

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(super) struct Response {
    /// Code and reason.
    pub(super) status: (u16, String),
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Length of the body, if it was told before.
    pub(super) length: Option<usize>,
}

impl Place {
    /// Takes `http://HOST:PORT` or `https://HOST:PORT` apart.
    pub(super) fn of(url: &str) -> Self {
        let (scheme, address) = url.split_once("://").unwrap();
        Self { is_https: scheme == "https", address: address.to_owned() }
    }

    fn host(&self) -> &str {
        self.address.rsplit_once(':').unwrap().0
    }

    /// The certificate that the server shows, whoever signed it.
    pub(super) fn leaf(&self) -> Result<CertificateDer<'static>, String> {
        let stream = self.tls(None)?;
        let chain = stream.conn.peer_certificates().ok_or("no certificates to verify")?;
        chain.first().cloned().ok_or_else(|| "no certificates to verify".to_owned())
    }

    /// Dials, and trusts `root` alone where it is https.
    pub(super) fn dial(
        &self,
        root: Option<&CertificateDer<'static>>,
    ) -> Result<Connection, String> {
        let stream: Box<dyn Stream> = match (self.is_https, root) {
            (false, _) => Box::new(self.tcp()?),
            (true, Some(root)) => Box::new(self.tls(Some(root.clone()))?),
            (true, None) => {
                return Err("tls: failed to verify certificate: x509: certificate signed by \
                            unknown authority"
                    .to_owned());
            }
        };
        Ok(Connection(BufReader::new(stream)))
    }

    fn tcp(&self) -> Result<TcpStream, String> {
        let stream = TcpStream::connect(&self.address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Ok(stream)
    }

    fn tls(
        &self,
        root: Option<CertificateDer<'static>>,
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(Leaf { root, provider: Arc::clone(&provider) });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from(self.host().to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(connection, self.tcp()?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| go(&error))?;
        }
        assert_ne!(stream.conn.alpn_protocol(), Some(&b"h2"[..]), "no word is sent in HTTP/2");
        Ok(stream)
    }
}

/// What Go says of a handshake that failed.
fn go(error: &std::io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "tls: first record does not look like a TLS handshake".to_owned()
        }
        _ => error.to_string(),
    }
}

impl Connection {
    /// Sends a request, in Go's order of headers: those of the request itself by name, then what its
    /// transport adds.
    pub(super) fn send(
        &mut self,
        (method, host, path): (&str, &str, &str),
        headers: &[(String, String)],
        body: Option<&str>,
    ) -> Response {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        text.push_str("User-Agent: Go-http-client/1.1\r\n");
        if let Some(body) = body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let mut headers = headers.to_vec();
        headers.sort();
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("Accept-Encoding: gzip\r\n\r\n");
        text.push_str(body.unwrap_or_default());
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
        self.0.get_mut().flush().unwrap();
        self.read()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    fn read(&mut self) -> Response {
        let line = self.line();
        let mut parts = line.splitn(3, ' ');
        assert_eq!(parts.next(), Some("HTTP/1.1"), "{line}");
        let code = parts.next().unwrap().parse().unwrap();
        let status = (code, parts.next().unwrap_or_default().to_owned());
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut response = Response { status, headers, body: Vec::new(), length: None };
        assert_eq!(response.header("content-encoding"), "", "its progress bar needs the length");
        if response.header("transfer-encoding") == "chunked" {
            response.body = self.chunks();
        } else {
            let length: usize = response.header("content-length").parse().unwrap();
            response.length = Some(length);
            response.body.resize(length, 0);
            self.0.read_exact(&mut response.body).unwrap();
        }
        response
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line(), 16).unwrap();
            let begin = body.len();
            body.resize(begin + size, 0);
            self.0.read_exact(&mut body[begin..]).unwrap();
            assert_eq!(self.line(), "");
            if size == 0 {
                return body;
            }
        }
    }
}

impl Response {
    /// The value of a header, empty where there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Trusts one certificate, or whatever is shown. As Go does, it takes a leaf as a root, if it is for
/// the host that was dialled.
#[derive(Debug)]
struct Leaf {
    root: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Leaf {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(root) = &self.root {
            if leaf != root {
                return Err(CertificateError::UnknownIssuer.into());
            }
            verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
