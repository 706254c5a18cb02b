//! Attempts that are ended from outside are begun again, as often as attempts of dead leaders.

use serde_json::{Value, json};

use super::super::site::held;
use super::node::{Node, Way};
use super::{job, job_name, jobs};

#[test]
fn an_attempt_that_is_out_of_memory_is_begun_again_and_goes_on() {
    let (site, server) = jobs();
    let shop = held(site, 1);
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop);
    shop.ask("one", &json!({}));
    let before = node.until("in the middle", || shop.in_the_middle("one"));
    node.out_of_memory();
    let status = node.until("finished", || {
        shop.assert_whole();
        let status = shop.record("one")["status"].clone();
        status["finishedAt"].is_string().then_some(status)
    });
    assert_eq!(
        (&status["phase"], &status["attempts"], &status["message"]),
        (&json!("Succeeded"), &json!(2), &Value::Null),
        "{status:#}"
    );
    assert_eq!(status["holder"]["identity"], *job_name(&shop, 2));
    assert_eq!(shop.versions(), [before["planned"]["version"].as_str().unwrap()]);
    assert!(server.running().stderr().contains("more memory than its container may"));
    shop.assert_whole();
}

#[test]
fn a_job_that_somebody_deletes_is_begun_again() {
    let (site, server) = jobs();
    let shop = held(site, 1);
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop);
    shop.ask("one", &json!({}));
    node.until("in the middle", || shop.in_the_middle("one"));
    site.system().delete("batch/v1", "Job", &job_name(&shop, 1));
    let status = node.finished("one");
    assert_eq!((&status["phase"], &status["attempts"]), (&json!("Succeeded"), &json!(2)));
    assert_eq!((job(site, &shop, 1), shop.versions().len()), (None, 1));
    shop.assert_whole();
}

#[test]
fn what_is_lost_each_time_is_given_up() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    let killed = Way::Ends(137, "");
    let mut node = Node::new(site, server, &shop).next(&[killed, killed, killed]);
    shop.ask("one", &json!({}));
    let status = node.finished("one");
    assert_eq!(
        (&status["phase"], &status["reason"], &status["attempts"]),
        (&json!("Failed"), &json!("Interrupted"), &json!(3)),
        "{status:#}"
    );
    assert!(status["message"].as_str().unwrap().contains("signal 9 ended it"), "{status:#}");
    assert!(status["hint"].as_str().unwrap().contains("memory"), "{status:#}");
    assert_eq!(shop.versions(), Vec::<String>::new());
}
