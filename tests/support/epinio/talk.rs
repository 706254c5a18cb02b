//! Requests with the credentials of the settings, and what the client makes of answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

use super::Epinio;
use super::model::Errors;
use super::wire::Response;

impl Epinio {
    pub(super) fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, String> {
        decode(&self.send("GET", path, None)?)
    }

    /// Sends a request, follows where it is sent on to, and makes an error of what is one.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Response, String> {
        let mut path = format!("/api/v1/{path}");
        let credentials = STANDARD.encode(format!("{}:{}", self.user, self.password));
        let mut headers = vec![("Authorization".to_owned(), format!("Basic {credentials}"))];
        let mut answer = self.exchange(method, &path, &headers, body)?;
        if answer.status.0 == 301 {
            assert_eq!(method, "GET", "nothing else is asked for in this way");
            headers.push(("Referer".to_owned(), format!("{}{path}", self.url)));
            answer.header("location").clone_into(&mut path);
            answer = self.exchange(method, &path, &headers, None)?;
        }
        let version = answer.header("epinio-version").to_owned();
        if !version.is_empty() && version != self.version && !self.warned {
            self.warned = true;
            self.exclamation(&format!(
                "Epinio server version ({version}) doesn't match the client version ({})",
                self.version
            ));
            self.exclamation("Update the client manually or run `epinio client-sync`");
        }
        if answer.status.0 < 400 {
            return Ok(answer);
        }
        Err(self.refused(&path, &answer))
    }

    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&str>,
    ) -> Result<Response, String> {
        let dialled = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.place.dial(self.root.as_ref()),
        };
        let verb = if method == "GET" { "Get" } else { "Post" };
        let mut connection = dialled.map_err(|error| {
            format!("making the request: {verb} \"{}{path}\": {error}", self.url)
        })?;
        let answer = connection.send((method, &self.place.address, path), headers, body);
        self.connection = Some(connection);
        Ok(answer)
    }

    /// The error that an answer is, which is shown as it came as well.
    fn refused(&mut self, path: &str, answer: &Response) -> String {
        let text = answer.text().trim();
        if text.is_empty() {
            return "empty".to_owned();
        }
        let (code, reason) = &answer.status;
        self.stderr.push_str(&format!(
            "\n=== RAW ERROR RESPONSE ===\nURL: {}{path}\nStatus: {code} {code} {reason}\n\
             Content-Type: {}\nBody:\n{text}\n=== END RAW ERROR RESPONSE ===\n\n",
            self.url,
            answer.header("content-type")
        ));
        if text.starts_with('<') {
            return format!("server returned HTTP {code} with HTML/XML response instead of JSON.");
        }
        let errors: Errors = serde_json::from_str(text).unwrap();
        errors.errors.first().map_or_else(|| "empty".to_owned(), |error| error.title.clone())
    }
}

/// An answer that has to be JSON of this form.
pub(super) fn decode<T: DeserializeOwned>(answer: &Response) -> Result<T, String> {
    let text = answer.text();
    let decoded = serde_json::from_str(text);
    decoded.map_err(|error| format!("decoding JSON response. Full response body:\n{text}: {error}"))
}
