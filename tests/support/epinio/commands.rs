//! The commands: what each asks for, and what it prints of the answer.

use std::path::Path;

use super::Epinio;
use super::app::App;
use super::model::{Info, Matches, Me, Namespace, Registry};
use super::table::table;
use super::talk::decode;
use super::wire::Place;

type Done = Result<(), String>;

impl Epinio {
    pub(super) fn command(&mut self, args: &[&str]) -> Done {
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

    pub(super) fn exclamation(&mut self, text: &str) {
        self.stdout.push_str(&format!("\n⚠️  {text}\n"));
    }

    fn value(&mut self, name: &str, value: &str) {
        self.stdout.push_str(&format!("{name}: {value}\n"));
    }
}

fn wrap<T>(what: &str, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error}"))
}
