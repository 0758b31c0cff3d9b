//! For containers: a compose file, and manifests of Kubernetes, both with the official image of Valkey.

use serde_json::{Map, Value, json};

use super::Exported;
use super::conf::{Addresses, node_conf, sentinel_conf};
use super::yaml::document;
use crate::topology::Topology;

const IMAGE: &str = "valkey/valkey:8";

/// Each node has a name of its own in the network.
struct Named<'t>(&'t Topology);

impl Addresses for Named<'_> {
    fn host(&self, port: u16) -> String {
        format!("{}-{port}", self.0.name)
    }
    fn names(&self) -> bool {
        true
    }
}

/// Servers rewrite their file when roles change: it is copied where they may write, once.
fn start(file: &str, flag: &str) -> String {
    format!(
        "test -e /data/server.conf || cp {file} /data/server.conf; exec valkey-server /data/server.conf{flag}"
    )
}

/// `compose.yaml`.
pub(super) fn compose(topology: &Topology) -> Exported {
    let named = Named(topology);
    let (mut services, mut configs, mut volumes) = (Map::new(), Map::new(), Map::new());
    let mut add = |service: String, conf: String, port: u16, flag: &str, after: Option<String>| {
        let mut body = json!({
            "image": IMAGE,
            "hostname": service,
            "command": ["sh", "-c", start("/conf/server.conf", flag)],
            "configs": [{"source": service, "target": "/conf/server.conf"}],
            "volumes": [format!("{service}:/data")],
            "ports": [format!("127.0.0.1:{port}:{port}")],
            "restart": "on-failure",
        });
        if let (Some(after), Some(body)) = (after, body.as_object_mut()) {
            body.insert("depends_on".into(), json!([after]));
        }
        // A dollar would be taken for a variable.
        configs.insert(service.clone(), json!({"content": conf.replace('$', "$$")}));
        volumes.insert(service.clone(), json!({}));
        services.insert(service, body);
    };
    for node in &topology.nodes {
        let conf = node_conf(node, "/data", &named);
        add(named.host(node.port), conf, node.port, "", node.replica_of.map(|port| named.host(port)));
    }
    if let Some(sentinel) = &topology.sentinel {
        let first = topology.nodes.first().map(|node| named.host(node.port));
        for port in sentinel.port..sentinel.port + sentinel.count {
            let conf = sentinel_conf(topology, sentinel, port, &named);
            add(named.host(port), conf, port, " --sentinel", first.clone());
        }
    }
    let value = json!({"name": topology.name, "services": services, "configs": configs, "volumes": volumes});
    ("compose.yaml".to_owned(), document(&value))
}

/// Every manifest in one file.
pub(super) fn kubernetes(topology: &Topology) -> Exported {
    let text: Vec<String> = manifests(topology).iter().map(document).collect();
    (format!("{}.yaml", topology.name), text.join("---\n"))
}

fn manifests(topology: &Topology) -> Vec<Value> {
    let named = Named(topology);
    let mut all = Vec::new();
    for node in &topology.nodes {
        all.extend(member(
            topology,
            &named.host(node.port),
            node.port,
            &node_conf(node, "/data", &named),
            "",
        ));
    }
    if let Some(sentinel) = &topology.sentinel {
        for port in sentinel.port..sentinel.port + sentinel.count {
            let conf = sentinel_conf(topology, sentinel, port, &named);
            all.extend(member(topology, &named.host(port), port, &conf, " --sentinel"));
        }
    }
    all
}

/// The configuration, the name and the process of one server.
fn member(topology: &Topology, name: &str, port: u16, conf: &str, flag: &str) -> [Value; 3] {
    let labels = json!({"app.kubernetes.io/name": topology.name, "app.kubernetes.io/instance": name});
    let metadata = json!({"name": name, "labels": labels});
    [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"server.conf": conf}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {
            "clusterIP": "None",
            // Replicas and Sentinels look for each other before they are ready.
            "publishNotReadyAddresses": true,
            "selector": labels,
            "ports": [{"name": "redis", "port": port}],
        }}),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": {
            "serviceName": name,
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [{
                    "name": "server",
                    "image": IMAGE,
                    "command": ["sh", "-c", start("/conf/server.conf", flag)],
                    "ports": [{"containerPort": port}],
                    "readinessProbe": {"exec": {"command": ["valkey-cli", "-p", port.to_string(), "ping"]}},
                    "volumeMounts": [{"name": "conf", "mountPath": "/conf"}, {"name": "data", "mountPath": "/data"}],
                }],
                "volumes": [{"name": "conf", "configMap": {"name": name}}],
            }},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }}],
        }}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Sentinel;

    fn set() -> Topology {
        let sentinel = Sentinel { count: 3, quorum: 2, port: 26379, down_after_ms: 1000 };
        Topology { sentinel: Some(sentinel), ..Topology::of_replicas(2).unwrap() }
    }

    #[test]
    fn every_manifest_selects_its_own_pod_and_mounts_what_there_is() {
        let all = manifests(&set());
        assert_eq!(all.len(), 3 * 6);
        for set in all.iter().filter(|manifest| manifest["kind"] == "StatefulSet") {
            let (name, spec) = (&set["metadata"]["name"], &set["spec"]);
            assert_eq!(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]);
            let of = |kind: &str| {
                all.iter().find(|m| m["kind"] == kind && m["metadata"]["name"] == *name).unwrap()
            };
            assert_eq!(of("Service")["spec"]["selector"], spec["selector"]["matchLabels"]);
            assert_eq!(
                spec["template"]["spec"]["volumes"][0]["configMap"]["name"],
                of("ConfigMap")["metadata"]["name"]
            );
            let port = &spec["template"]["spec"]["containers"][0]["ports"][0]["containerPort"];
            let conf = of("ConfigMap")["data"]["server.conf"].as_str().unwrap().to_owned();
            assert!(conf.contains(&format!("port {port}\n")), "{conf}");
        }
    }

    #[test]
    fn names_that_are_used_are_names_that_there_are() {
        let (_, text) = compose(&set());
        for name in ["local-6379", "local-6380", "local-6381", "local-26379", "local-26381"] {
            assert!(text.contains(&format!("\n  {name}:\n    image: \"{IMAGE}\"")), "{text}");
        }
        assert!(
            text.contains("replicaof local-6379 6379")
                && text.contains("sentinel monitor local-6379 local-6379 6379 2")
        );
    }
}
