//! The NetworkPolicy of a drill, and the pod that shows whether the cluster enforces it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::app::Object;
use crate::cluster::target::ApiKind;
use crate::cluster::{self, Live};
use crate::import::Error;

/// Images of the chart that are tried, each with two shells: one of them has what it takes, or
/// probably none has.
const MAX_IMAGES: usize = 3;

/// Longest that a probe may take: its image may have to be pulled.
const LONGEST: Duration = Duration::from_secs(120);

/// How often a policy is given time to come into force, as network plugins take seconds.
const ATTEMPTS: usize = 3;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Parts of the reasons for which a container waits and never runs (kubelet, `images/types.go`).
const CANNOT: [&str; 3] = ["Err", "BackOff", "Invalid"];

/// Tries to reach the API server, which every pod knows the address of: 0, it was; 10, it was not;
/// 11, there is nothing here to try it with.
const SCRIPT: &str = r#"h="$KUBERNETES_SERVICE_HOST"; p="$KUBERNETES_SERVICE_PORT"
nc=""; command -v nc >/dev/null 2>&1 && nc=nc
[ -z "$nc" ] && [ -x /bin/busybox ] && nc="/bin/busybox nc"
if [ -n "$nc" ]; then $nc -w 5 "$h" "$p" </dev/null >/dev/null 2>&1 && exit 0 || exit 10; fi
if command -v curl >/dev/null 2>&1; then curl -ks -m 5 -o /dev/null "https://$h:$p/" && exit 0 || exit 10; fi
if command -v python3 >/dev/null 2>&1; then
  python3 -c "import socket; socket.create_connection(('$h', $p), 5)" 2>/dev/null && exit 0 || exit 10; fi
exit 11"#;

/// What a container of a probe saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It got out.
    Open,
    /// It did not.
    Closed,
    /// It had nothing to try it with, or did not run.
    Nothing,
}

/// What each container of a probe saw, by its name.
type Sight = BTreeMap<String, Seen>;

/// Pods may reach each other and name servers, and nothing else.
pub(super) fn policy() -> Value {
    let ports: Vec<Value> = [("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)]
        .map(|(protocol, port)| json!({"protocol": protocol, "port": port}))
        .to_vec();
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "outhaul-drill"},
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"podSelector": {}}]},
                {"to": [{"namespaceSelector": {}}], "ports": ports},
            ],
        },
    })
}

/// Puts the policy there, and shows that it holds: what could be reached before cannot be after.
///
/// # Errors
/// [`Error::NotIsolated`] where that is not shown, or when the cluster refuses.
pub(super) async fn enforced(
    live: &Live,
    namespace: &str,
    (pods, policies): (&ApiKind, &ApiKind),
    (images, pull_secret): (&[String], Option<&str>),
) -> Result<(), Error> {
    let look = async |attempt: usize| {
        live_probe(live, namespace, pods, &pod(&name(attempt), images, pull_secret)).await
    };
    let before = look(0).await?;
    if let Some(reason) = shows_nothing(&before) {
        return Err(Error::NotIsolated(reason.to_owned()));
    }
    live.make(policies, namespace, &policy()).await?;
    for attempt in 1..=ATTEMPTS {
        if holds(&before, &look(attempt).await?) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    let spite = "pods reach the API server in spite of a NetworkPolicy that denies it";
    Err(Error::NotIsolated(spite.to_owned()))
}

/// Removes the pods that probed.
///
/// # Errors
/// When the cluster refuses.
pub(super) async fn clear(live: &Live, namespace: &str, pods: &ApiKind) -> Result<(), Error> {
    for attempt in 0..=ATTEMPTS {
        live.delete(pods, namespace, &name(attempt)).await?;
    }
    Ok(())
}

fn name(attempt: usize) -> String {
    format!("outhaul-probe-{attempt}")
}

/// Why a look without a policy shows nothing; `None` if one got out.
fn shows_nothing(before: &Sight) -> Option<&'static str> {
    let saw = |what: Seen| before.values().any(|seen| *seen == what);
    if saw(Seen::Open) {
        None
    } else if saw(Seen::Closed) {
        Some("nothing can be reached even without a NetworkPolicy, so that none is seen at work")
    } else {
        Some("no image has a shell with nc, curl or python3 to look with")
    }
}

/// Whether nobody gets out, and somebody who did before has tried.
fn holds(before: &Sight, after: &Sight) -> bool {
    let tried = |(name, seen): (&String, &Seen)| {
        *seen == Seen::Open && after.get(name) == Some(&Seen::Closed)
    };
    !after.values().any(|seen| *seen == Seen::Open) && before.iter().any(tried)
}

fn pod(name: &str, images: &[String], pull_secret: Option<&str>) -> Value {
    let shells: [&[&str]; 2] = [&["/bin/sh", "-c"], &["/bin/busybox", "sh", "-c"]];
    let each = images.iter().take(MAX_IMAGES).flat_map(|image| shells.map(|shell| (image, shell)));
    let containers: Vec<Value> = each
        .enumerate()
        .map(|(index, (image, shell))| {
            let command: Vec<&str> = shell.iter().copied().chain([SCRIPT]).collect();
            json!({"name": format!("probe-{index}"), "image": image, "command": command,
                "securityContext": {"allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}})
        })
        .collect();
    let secrets: Vec<Value> = pull_secret.iter().map(|name| json!({"name": name})).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 0, "imagePullSecrets": secrets,
            "containers": containers},
    })
}

async fn live_probe(
    live: &Live,
    namespace: &str,
    pods: &ApiKind,
    pod: &Value,
) -> Result<Sight, Error> {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let until = Instant::now() + LONGEST;
    loop {
        match live.make(pods, namespace, pod).await {
            Ok(()) => break,
            // The account that pods run as comes a moment after its namespace.
            Err(cluster::Error::Forbidden { reason, .. })
                if reason.contains("error looking up service account")
                    && Instant::now() < until =>
            {
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut sight = Sight::new();
    while Instant::now() < until {
        let there = live.read(pods, namespace, name).await?;
        let (seen, is_over) = there.as_ref().map(seen).unwrap_or_default();
        sight = seen;
        if is_over {
            break;
        }
        sleep(PAUSE).await;
    }
    Ok(sight)
}

/// What the containers have seen so far, and whether that is all they will.
fn seen(pod: &Object) -> (Sight, bool) {
    let of = |pointer: &str| pod.at(pointer).and_then(Value::as_array);
    let mut sight = Sight::new();
    for status in of("/status/containerStatuses").into_iter().flatten() {
        let name = status.get("name").and_then(Value::as_str).unwrap_or_default();
        let code = status.pointer("/state/terminated/exitCode").and_then(Value::as_i64);
        let waits = status.pointer("/state/waiting/reason").and_then(Value::as_str);
        let cannot = |reason: &str| CANNOT.iter().any(|of| reason.contains(of));
        let seen = match code {
            Some(0) => Seen::Open,
            Some(10) => Seen::Closed,
            Some(_) => Seen::Nothing,
            None if waits.is_some_and(cannot) => Seen::Nothing,
            None => continue,
        };
        sight.insert(name.to_owned(), seen);
    }
    let containers = of("/spec/containers").map_or(0, Vec::len);
    let is_over = containers > 0 && sight.len() == containers;
    (sight, is_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(codes: &[(&str, i64)]) -> Sight {
        let statuses: Vec<Value> = codes
            .iter()
            .map(|(name, code)| json!({"name": name, "state": {"terminated": {"exitCode": code}}}))
            .collect();
        let containers: Vec<Value> = codes.iter().map(|(name, _)| json!({"name": name})).collect();
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"containers": containers}, "status": {"containerStatuses": statuses}});
        let (sight, is_over) = seen(&Object::new(pod).unwrap());
        assert!(is_over);
        sight
    }

    #[test]
    fn a_policy_holds_if_who_got_out_does_not_any_more() {
        let before = sight(&[("a", 0), ("b", 10), ("c", 11)]);
        assert_eq!(shows_nothing(&before), None);
        let cases = [
            (sight(&[("a", 10), ("b", 10), ("c", 11)]), true),
            (sight(&[("a", 0), ("b", 10), ("c", 11)]), false),
            // The one that can tell did not run; the other never got out.
            (sight(&[("a", 128), ("b", 10), ("c", 11)]), false),
            (sight(&[("a", 10), ("b", 10), ("c", 0)]), false),
            (Sight::new(), false),
        ];
        for (after, expected) in cases {
            assert_eq!(holds(&before, &after), expected, "{after:?}");
        }
    }

    #[test]
    fn a_look_in_which_nobody_gets_out_shows_nothing() {
        assert!(shows_nothing(&sight(&[("a", 10), ("b", 11)])).unwrap().contains("even without"));
        assert!(shows_nothing(&sight(&[("a", 11), ("b", 127)])).unwrap().contains("no image"));
        assert!(shows_nothing(&Sight::new()).is_some());
    }

    #[test]
    fn who_is_at_it_is_waited_for_and_who_cannot_is_not() {
        let with = |reason: &str| {
            let waiting = json!({"name": "b", "state": {"waiting": {"reason": reason}}});
            let ended = json!({"name": "a", "state": {"terminated": {"exitCode": 10}}});
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
                "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
                "status": {"containerStatuses": [ended, waiting]}});
            seen(&Object::new(pod).unwrap()).1
        };
        assert!(!with("ContainerCreating"));
        for reason in ["ErrImagePull", "ImagePullBackOff", "RunContainerError", "InvalidImageName"]
        {
            assert!(with(reason), "{reason}");
        }
    }

    #[test]
    fn the_policy_lets_nothing_out_but_names_and_neighbours() {
        let policy = policy();
        let rules = policy.pointer("/spec/egress").unwrap().as_array().unwrap();
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0], json!({"to": [{"podSelector": {}}]}));
        assert!(rules[1]["ports"].as_array().unwrap().iter().all(|it| it["port"] != 443));
    }
}
