//! What pushes to Control Tower's own registry: a policy and a token of it, which is the password of the
//! user `any`.

use serde_json::json;

use crate::destination::systems::Document;

/// Name of the policy, as the vendor's page "Token Authentication" has it in its example.
const POLICY: &str = "registry-push";

/// A policy with the capability Registry-Push and no other right, after the lines that take it and make
/// a token of it. That the key in `capabilities` is spelled so is not documented, and the comment says
/// that; the line of `supctl` follows the path `/v1/config/policy/policies`, as its others do theirs.
pub fn push_policy() -> Document {
    let policy = json!({"name": POLICY, "capabilities": {"registry-push": "allow"}});
    Document::new(policy)
        .comment("supctl create policy policies")
        .comment("The vendor's documents call the capability Registry-Push and show `all: allow` alone:")
        .comment("compare the key with what `supctl show policy policies` prints of a policy that has it.")
        .comment("Then make a token, and give it as the password of the user `any`:")
        .comment(format!("supctl do strongbox token create-token --policies {POLICY} --ttl 4h"))
        .comment("docker login -u any registry.<organisation>.avassa.net")
}
