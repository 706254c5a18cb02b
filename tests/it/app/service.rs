//! Services: addresses and node ports. The vectors of node ports are Velero's
//! (`pkg/restore/actions/service_action_test.go`).

use outhaul::app::{App, Code, Object, Options, Selection};
use serde_json::{Value, json};

use super::{assemble, cluster, snapshot};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What becomes of a live Service.
fn exported(applied: Option<&Value>, managed: Option<&Value>, spec: &Value) -> App {
    let mut object = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "x", "namespace": "shop", "uid": "1"}, "spec": spec});
    if let Some(applied) = applied {
        object["metadata"]["annotations"] =
            json!({LAST_APPLIED: json!({"spec": applied}).to_string()});
    }
    if let Some(fields) = managed {
        object["metadata"]["managedFields"] = json!([{"manager": "kubectl", "operation": "Apply",
            "fieldsV1": {"f:spec": fields}}]);
    }
    let snapshot = snapshot(cluster(), [Object::new(object).unwrap()]);
    let all = Selection::All { name: "x".to_owned() };
    assemble(&snapshot, &all, &Options::default()).unwrap()
}

/// What is left of its spec.
fn service(applied: Option<&Value>, managed: Option<&Value>, spec: &Value) -> Value {
    exported(applied, managed, spec).objects[0].at("/spec").cloned().unwrap()
}

fn node_ports(applied: Option<&Value>, managed: Option<&Value>, ports: &Value) -> Vec<Option<u64>> {
    let spec = service(applied, managed, &json!({"type": "NodePort", "ports": ports}));
    spec["ports"].as_array().unwrap().iter().map(|port| port.get("nodePort")?.as_u64()).collect()
}

#[test]
fn a_headless_service_stays_headless_and_others_lose_their_address() {
    let of = |ip: &str| {
        service(
            None,
            None,
            &json!({"clusterIP": ip, "clusterIPs": [ip],
        "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", "ports": []}),
        )
    };
    assert_eq!(of("None"), json!({"clusterIP": "None", "ports": []}));
    assert_eq!(of("10.0.0.1"), json!({"ports": []}));
    assert_eq!(of(""), json!({"ports": []}));
}

#[test]
fn an_address_that_a_person_chose_goes_with_a_finding() {
    let (ip, spec) = ("10.0.0.10", json!({"clusterIP": "10.0.0.10", "clusterIPs": ["10.0.0.10"]}));
    let managed = json!({"f:clusterIP": {}});
    for (applied, managed, said) in [
        (None, None, 0),
        (Some(&json!({"ports": []})), None, 0),
        (Some(&json!({"clusterIP": ip})), None, 1),
        (None, Some(&json!({"f:type": {}})), 0),
        (None, Some(&managed), 1),
    ] {
        let app = exported(applied, managed, &spec);
        assert_eq!(app.objects[0].at("/spec"), Some(&json!({})));
        let found = app.findings.iter().filter(|of| of.code == Code::AddressNotExported);
        let texts: Vec<_> = found.map(|finding| finding.text.as_str()).collect();
        let text = "Service x asks for the address 10.0.0.10: the chart does not";
        assert_eq!(texts, vec![text; said], "{applied:?} {managed:?}");
    }
    let headless = exported(None, Some(&managed), &json!({"clusterIP": "None"}));
    assert!(headless.findings.iter().all(|of| of.code != Code::AddressNotExported));
}

#[test]
fn families_that_a_person_chose_stay() {
    let spec = json!({"ipFamilies": ["IPv6", "IPv4"], "ipFamilyPolicy": "RequireDualStack"});
    assert_eq!(
        service(None, Some(&json!({"f:ipFamilies": {}, "f:ipFamilyPolicy": {}})), &spec),
        spec
    );
    assert_eq!(service(Some(&spec), None, &spec), spec);
}

#[test]
fn node_ports_that_nobody_asked_for_go() {
    assert_eq!(node_ports(None, None, &json!([{"port": 32000, "nodePort": 32000}])), [None]);
    let named = json!([{"name": "http", "port": 80, "nodePort": 8080}]);
    assert_eq!(node_ports(None, None, &named), [None]);
}

#[test]
fn last_applied_decides_for_unnamed_ports_by_number() {
    let live = json!([{"port": 80, "nodePort": 8080}, {"port": 81, "nodePort": 8081}]);
    let applied = json!({"ports": [{"port": 80, "nodePort": 8080}, {"port": 81}]});
    assert_eq!(node_ports(Some(&applied), None, &live), [Some(8080), None]);
    let without = json!({"ports": [{"port": 80}]});
    assert_eq!(node_ports(Some(&without), None, &live), [None, None]);
    assert_eq!(node_ports(Some(&json!({})), None, &live), [None, None]);
}

#[test]
fn last_applied_decides_for_named_ports_by_name() {
    let live = json!([{"name": "a", "port": 80, "nodePort": 8080}, {"name": "b", "port": 81, "nodePort": 8081}]);
    let applied =
        json!({"ports": [{"name": "a", "port": 80, "nodePort": 8080}, {"name": "b", "port": 81}]});
    assert_eq!(node_ports(Some(&applied), None, &live), [Some(8080), None]);
    // The port was renamed since: what was applied does not speak of it.
    let renamed = json!({"ports": [{"name": "old", "port": 80, "nodePort": 8080}]});
    assert_eq!(node_ports(Some(&renamed), None, &live), [None, None]);
    let mixed = json!({"ports": [{"port": 80, "nodePort": 8080}]});
    assert_eq!(node_ports(Some(&mixed), None, &live), [None, None]);
}

#[test]
fn last_applied_stands_above_managed_fields() {
    let live = json!([{"port": 80, "nodePort": 8080}]);
    let managed = json!({"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:nodePort": {}}}});
    assert_eq!(node_ports(Some(&json!({"ports": []})), Some(&managed), &live), [None]);
}

#[test]
fn managed_fields_decide_without_last_applied() {
    let live = json!([
        {"name": "a", "port": 80, "protocol": "TCP", "nodePort": 8080},
        {"name": "b", "port": 81, "protocol": "TCP", "nodePort": 8081},
        {"name": "c", "port": 80, "protocol": "UDP", "nodePort": 8082}]);
    let managed = json!({"f:ports": {
        "k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:nodePort": {}, "f:port": {}},
        "k:{\"port\":81,\"protocol\":\"TCP\"}": {"f:port": {}}}});
    assert_eq!(node_ports(None, Some(&managed), &live), [Some(8080), None, None]);
}

#[test]
fn the_port_of_health_checks_follows_the_same_rule() {
    let spec = json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 8080, "ports": []});
    let left = |applied: Option<&Value>, managed: Option<&Value>| {
        service(applied, managed, &spec).get("healthCheckNodePort").and_then(Value::as_u64)
    };
    assert_eq!(left(None, None), None);
    assert_eq!(left(Some(&json!({"healthCheckNodePort": 8080})), None), Some(8080));
    assert_eq!(left(Some(&json!({})), None), None);
    assert_eq!(left(None, Some(&json!({"f:healthCheckNodePort": {}}))), Some(8080));
    assert_eq!(left(None, Some(&json!({"f:type": {}}))), None);
}

#[test]
fn what_a_person_said_about_load_balancers_stays() {
    let spec = json!({"type": "LoadBalancer", "loadBalancerIP": "192.0.2.1",
        "loadBalancerClass": "example.com/lb", "externalIPs": ["192.0.2.2"],
        "externalTrafficPolicy": "Local", "allocateLoadBalancerNodePorts": false, "ports": []});
    assert_eq!(service(None, None, &spec), spec);
}

#[test]
fn defaults() {
    let spec = json!({"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80},
            {"port": 81, "protocol": "UDP", "targetPort": "http"}]});
    assert_eq!(
        service(None, None, &spec),
        json!({"ports": [{"port": 80}, {"port": 81, "protocol": "UDP", "targetPort": "http"}]})
    );
    let sticky = json!({"sessionAffinity": "ClientIP",
        "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}, "ports": []});
    assert_eq!(service(None, None, &sticky), json!({"sessionAffinity": "ClientIP", "ports": []}));
}
