//! Of many namespaces those whose applications a caller may see.

use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};

use super::{Authorizer, Caller, Denied, Right};

/// Namespaces whose rights are asked for at once; in the worst case each is eleven reviews, of which
/// the cache lets 32 go out at a time.
const AT_ONCE: usize = 8;

/// Those of the namespaces whose applications the caller may see, in their order: by one right for
/// all of them, else by one each.
///
/// # Errors
/// When it cannot be found out.
pub async fn readable(
    authorizer: &dyn Authorizer,
    caller: &Caller,
    namespaces: Vec<String>,
) -> Result<Vec<String>, Denied> {
    if may(authorizer, caller, Right::ReadNamespaces).await? {
        return Ok(namespaces);
    }
    let reviewed = namespaces.into_iter().map(|namespace| async {
        let right = Right::ReadNamespace(namespace.clone());
        Ok(may(authorizer, caller, right).await?.then_some(namespace))
    });
    let reviewed = iter(reviewed).buffered(AT_ONCE);
    reviewed.try_filter_map(async |namespace| Ok(namespace)).try_collect().await
}

async fn may(authorizer: &dyn Authorizer, caller: &Caller, right: Right) -> Result<bool, Denied> {
    match authorizer.allow(caller, &right).await {
        Ok(()) => Ok(true),
        Err(Denied::Unavailable) => Err(Denied::Unavailable),
        Err(Denied::Forbidden | Denied::Kinds(_)) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::server::auth::Via;

    /// Gives the rights that it has, and keeps what it was asked for.
    struct Fixed {
        given: Vec<Right>,
        away: bool,
        asked: Mutex<usize>,
    }

    #[async_trait]
    impl Authorizer for Fixed {
        async fn allow(&self, _: &Caller, right: &Right) -> Result<(), Denied> {
            *self.asked.lock().unwrap() += 1;
            match self.given.contains(right) {
                true => Ok(()),
                false if self.away => Err(Denied::Unavailable),
                false => Err(Denied::Forbidden),
            }
        }
    }

    async fn ask(given: Vec<Right>, away: bool) -> (Result<Vec<String>, Denied>, usize) {
        let fixed = Fixed { given, away, asked: Mutex::default() };
        let caller = Caller {
            user: "alice".into(),
            uid: String::new(),
            groups: Vec::new(),
            extra: BTreeMap::new(),
            via: Via::Kubernetes,
        };
        let namespaces = (0..100).map(|number| format!("n{number:02}")).collect();
        let readable = readable(&fixed, &caller, namespaces).await;
        let asked = *fixed.asked.lock().unwrap();
        (readable, asked)
    }

    #[tokio::test]
    async fn who_may_see_all_is_asked_for_once_and_others_for_each() {
        let (all, asked) = ask(vec![Right::ReadNamespaces], false).await;
        assert_eq!((all.unwrap().len(), asked), (100, 1));
        let given = ["n71", "n08"].map(|name| Right::ReadNamespace(name.into()));
        let (some, asked) = ask(given.into(), false).await;
        assert_eq!((some.unwrap(), asked), (vec!["n08".to_owned(), "n71".to_owned()], 101));
        let (away, _) = ask(Vec::new(), true).await;
        assert_eq!(away, Err(Denied::Unavailable));
    }
}
