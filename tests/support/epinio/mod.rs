//! Epinio's client, as a script: it sends what the unmodified one (1.14, Go) sends for a command, byte
//! for byte, takes answers as that does, and prints what that prints.

mod binary;
mod model;
mod table;
mod wire;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use serde::de::DeserializeOwned;

use binary::Binary;
use model::{App, Info, Matches, Me, Namespace, Registry};
use table::table;
use wire::{Connection, Place, Response};

/// The client with its settings.
pub(crate) struct Epinio {
    version: String,
    place: Place,
    url: String,
    user: String,
    password: String,
    namespace: String,
    /// What `login` trusted.
    root: Option<CertificateDer<'static>>,
    /// Of one command: connections are not kept any longer.
    connection: Option<Connection>,
    warned: bool,
    stdout: String,
    stderr: String,
}

/// What a command has printed.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// 0, or 255.
    pub(crate) exit: i32,
}

/// Something that is run as `epinio`.
pub(crate) trait Client {
    /// Runs `epinio ARGS…`.
    fn run(&mut self, args: &[&str]) -> Printed;
}

/// The scripted client of this version, and the real one where there is one.
pub(crate) fn clients(version: &str) -> Vec<Box<dyn Client>> {
    let real = Binary::named().map(|binary| Box::new(binary) as Box<dyn Client>);
    let scripted: Box<dyn Client> = Box::new(Epinio::new(version));
    std::iter::once(scripted).chain(real).collect()
}

type Done = Result<(), String>;

impl Epinio {
    /// A client of this version that nobody has logged in with.
    pub(crate) fn new(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            place: Place { is_https: false, address: String::new() },
            url: String::new(),
            user: String::new(),
            password: String::new(),
            namespace: "workspace".to_owned(),
            root: None,
            connection: None,
            warned: false,
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    /// Has settings as somebody may write them: with plain HTTP, to which nobody can log in.
    pub(crate) fn settings(mut self, url: &str, user: &str, password: &str) -> Self {
        self.enter(url, user, password);
        self
    }

    fn enter(&mut self, url: &str, user: &str, password: &str) {
        self.place = Place::of(url);
        (self.url, self.user) = (url.to_owned(), user.to_owned());
        self.password = password.to_owned();
    }

    fn command(&mut self, args: &[&str]) -> Done {
        match args {
            ["login", url, "-u", user, "-p", password, "--trust-ca"] => {
                self.login(url, user, password)
            }
            ["info"] => self.info(),
            ["namespace", "list"] => self.namespaces(),
            ["target", namespace] => self.target(namespace),
            ["app", "list"] => wrap("error listing apps", self.apps(false)),
            ["app", "list", "--all"] => wrap("error listing apps", self.apps(true)),
            ["app", "show", app] => wrap("error showing app", self.app(app)),
            ["app", "manifest", app, file] => {
                wrap("error getting app manifest", self.manifest(app, file))
            }
            ["app", "export", _] => {
                Err("Neither directory nor registry destination found".to_owned())
            }
            ["app", "export", app, "-r", registry, flags @ ..] => {
                wrap("error exporting app", self.export(app, registry, flags))
            }
            ["app", "export", _, _, "-r", ..] => {
                Err("Conflict, both directory and registry destinations found".to_owned())
            }
            ["app", "export", app, directory] => {
                wrap("error exporting app", self.export_files(app, directory))
            }
            ["export-registries"] => wrap("error listing export registries", self.registries()),
            ["__complete", "app", "export", "--registry", prefix] => {
                self.complete(&format!("exportregistrymatches/{prefix}"), false)
            }
            ["__complete", "app", "export", prefix] => {
                let path = format!("namespaces/{}/appsmatches/{prefix}", self.namespace);
                self.complete(&path, true)
            }
            // After the first name nothing is asked for.
            ["__complete", "app", "export", _, _] => {
                self.completed(&[]);
                Ok(())
            }
            ["__complete", "target", prefix] => {
                self.complete(&format!("namespacematches/{prefix}"), false)
            }
            _ => panic!("not scripted: {args:?}"),
        }
    }

    fn login(&mut self, url: &str, user: &str, password: &str) -> Done {
        self.note(&format!("Login to your Epinio cluster [{url}]"));
        let leaf = Place::of(url).leaf().map_err(|error| {
            let checking = "error while checking CA";
            format!("{checking}: {checking}: error while dialing the server: {error}")
        })?;
        self.success(&format!("Trusting certificate for address {url}..."));
        self.enter(url, user, password);
        self.root = Some(leaf);
        let me: Result<Me, String> = self.get("me");
        wrap("error verifying credentials: error while connecting to the Epinio server", me)?;
        self.success("Login successful");
        (self.connection, self.warned) = (None, true);
        let namespace = self.namespace.clone();
        if self.get::<Namespace>(&format!("namespaces/{namespace}")).is_err() {
            self.exclamation(&format!(
                "Current namespace '{namespace}' not found in targeted cluster"
            ));
            self.exclamation("Cleared current namespace");
            self.exclamation("Please use `epinio target` to chose a new current namespace");
            self.namespace.clear();
        }
        Ok(())
    }

    fn info(&mut self) -> Done {
        let info: Info = self.get("info")?;
        self.success("Epinio Environment");
        let version = self.version.clone();
        for (name, value) in [
            ("Platform", info.platform.as_str()),
            ("Kubernetes Version", &info.kube_version),
            ("Epinio Server Version", &info.version),
            ("Epinio Client Version", &version),
            ("OIDC enabled", if info.oidc_enabled { "true" } else { "false" }),
        ] {
            self.value(name, value);
        }
        Ok(())
    }

    fn namespaces(&mut self) -> Done {
        self.note("Listing namespaces");
        let mut all: Vec<Namespace> = self.get("namespaces")?;
        all.sort_by(|one, other| one.meta.name.cmp(&other.meta.name));
        let rows: Vec<_> = all.iter().map(Namespace::row).collect();
        self.success("Epinio Namespaces:");
        let header = ["Name", "Created", "Applications", "Configurations"];
        self.stdout.push_str(&table(&header, &rows));
        Ok(())
    }

    fn target(&mut self, namespace: &str) -> Done {
        self.note("Targeting namespace...");
        self.value("Name", namespace);
        let found: Result<Namespace, String> = self.get(&format!("namespaces/{namespace}"));
        wrap("failed to set target: error targeting namespace", found)?;
        namespace.clone_into(&mut self.namespace);
        self.success("Namespace targeted.");
        Ok(())
    }

    fn apps(&mut self, all: bool) -> Done {
        let path = if all {
            self.note("Listing all applications");
            "applications".to_owned()
        } else {
            self.note("Listing applications");
            self.of_namespace();
            format!("namespaces/{}/applications", self.namespace)
        };
        let mut apps: Vec<App> = self.get(&path)?;
        apps.sort_by(|one, other| one.key().cmp(&other.key()));
        let skip = usize::from(!all);
        let rows: Vec<_> = apps.iter().map(|app| app.row()[skip..].to_vec()).collect();
        let header = [
            "Namespace",
            "Name",
            "Created",
            "Status",
            "Routes",
            "Configurations",
            "Status Details",
        ];
        self.success("Epinio Applications:");
        self.stdout.push_str(&table(&header[skip..], &rows));
        Ok(())
    }

    fn app(&mut self, app: &str) -> Done {
        self.note("Show application details");
        self.of_app(app);
        let app: App = self.get(&format!("namespaces/{}/applications/{app}", self.namespace))?;
        self.success("Details:");
        self.stdout.push_str(&table(&["Key", "Value"], &app.details()));
        let instances = app.instances();
        if !instances.is_empty() {
            self.success("Instances: ");
            let header = ["Name", "Ready", "Memory", "MilliCPUs", "Restarts", "Age"];
            self.stdout.push_str(&table(&header, &instances));
        }
        Ok(())
    }

    fn manifest(&mut self, app: &str, file: &str) -> Done {
        self.note("Save application details to manifest");
        self.of_app(app);
        self.value("Destination", file);
        self.part(app, "manifest", Path::new(file))?;
        self.success("Saved");
        Ok(())
    }

    fn export(&mut self, app: &str, registry: &str, flags: &[&str]) -> Done {
        self.note("Export application to registry");
        self.of_app(app);
        self.value("Target Registry", registry);
        let mut body = format!(r#"{{"destination":"{registry}""#);
        for name in ["image-name", "chart-name", "image-tag", "chart-version"] {
            let flag = flags.chunks(2).find(|flag| flag[0] == format!("--{name}"));
            if let Some(flag) = flag {
                body.push_str(&format!(r#","{name}":"{}""#, flag[1]));
            }
        }
        body.push('}');
        let path = format!("namespaces/{}/applications/{app}/export", self.namespace);
        let answer = self.send("POST", &path, Some(&body))?;
        let decoded: serde_json::Value = decode(&answer)?;
        assert!(decoded.is_object(), "{decoded}");
        self.success("Ok");
        Ok(())
    }

    fn export_files(&mut self, app: &str, directory: &str) -> Done {
        self.note("Export application to local filesystem");
        self.of_app(app);
        self.value("Target Directory", directory);
        let directory = Path::new(directory);
        std::fs::create_dir_all(directory).unwrap();
        self.stdout.push('\n');
        let files =
            [("values", "values.yaml"), ("chart", "app-chart.tar.gz"), ("image", "app-image.tar")];
        for (part, file) in files {
            self.part(app, part, &directory.join(file))?;
        }
        self.success("Ok");
        Ok(())
    }

    /// Fetches a part, for which it shows a bar of its length.
    fn part(&mut self, app: &str, part: &str, file: &Path) -> Done {
        let path = format!("namespaces/{}/applications/{app}/part/{part}", self.namespace);
        let answer = wrap("executing AppPart request", self.send("GET", &path, None))?;
        assert!(answer.length.is_some(), "the bar of `{part}` needs its length");
        std::fs::write(file, &answer.body).unwrap();
        Ok(())
    }

    fn registries(&mut self) -> Done {
        self.note("Show export registries");
        let all: Vec<Registry> = self.get("exportregistries")?;
        let rows: Vec<_> = all.into_iter().map(|one| vec![one.name, one.url]).collect();
        self.success("Ok");
        self.stdout.push_str(&table(&["Name", "URL"], &rows));
        Ok(())
    }

    /// Who completes is told nothing of what failed.
    fn complete(&mut self, path: &str, sorted: bool) -> Done {
        let mut names = self.get::<Matches>(path).map(|found| found.names).unwrap_or_default();
        if sorted {
            names.sort();
        }
        self.stderr.clear();
        self.completed(&names);
        Ok(())
    }

    fn completed(&mut self, names: &[String]) {
        for name in names {
            self.stdout.push_str(&format!("{name}\n"));
        }
        self.stdout.push_str(":4\n");
        let end = "Completion ended with directive: ShellCompDirectiveNoFileComp\n";
        self.stderr.push_str(end);
    }

    fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, String> {
        decode(&self.send("GET", path, None)?)
    }

    /// Sends a request, follows where it is sent on to, and makes an error of what is one.
    fn send(&mut self, method: &str, path: &str, body: Option<&str>) -> Result<Response, String> {
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
        let errors: model::Errors = serde_json::from_str(text).unwrap();
        errors.errors.first().map_or_else(|| "empty".to_owned(), |error| error.title.clone())
    }

    fn of_namespace(&mut self) {
        let namespace = self.namespace.clone();
        self.value("Namespace", &namespace);
    }

    fn of_app(&mut self, app: &str) {
        self.of_namespace();
        self.value("Application", app);
    }

    fn note(&mut self, text: &str) {
        self.stdout.push_str(&format!("\n🚢  {text}\n"));
    }

    fn success(&mut self, text: &str) {
        self.stdout.push_str(&format!("\n✔️  {text}\n"));
    }

    fn exclamation(&mut self, text: &str) {
        self.stdout.push_str(&format!("\n⚠️  {text}\n"));
    }

    fn value(&mut self, name: &str, value: &str) {
        self.stdout.push_str(&format!("{name}: {value}\n"));
    }
}

impl Client for Epinio {
    fn run(&mut self, args: &[&str]) -> Printed {
        self.stdout.clear();
        self.stderr.clear();
        (self.connection, self.warned) = (None, args[0] == "__complete");
        let done = self.command(args);
        if let Err(error) = &done {
            self.stdout.push_str(&format!("\n❌  {error}\n"));
        }
        let exit = if done.is_ok() { 0 } else { 255 };
        Printed { stdout: self.stdout.clone(), stderr: self.stderr.clone(), exit }
    }
}

impl Printed {
    /// What it printed, if it succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.exit, 0, "{self:?}");
        self.stdout
    }

    /// What it printed, of which the last line is this error.
    pub(crate) fn fails(self, error: &str) -> Self {
        assert_eq!(self.exit, 255, "{self:?}");
        assert!(self.stdout.trim_end().ends_with(&format!("❌  {error}")), "{self:?}");
        self
    }
}

fn wrap<T>(what: &str, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// An answer that has to be JSON of this form.
fn decode<T: DeserializeOwned>(answer: &Response) -> Result<T, String> {
    let text = answer.text();
    let decoded = serde_json::from_str(text);
    decoded.map_err(|error| format!("decoding JSON response. Full response body:\n{text}: {error}"))
}
