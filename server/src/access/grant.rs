//! What somebody may do, and with which shows.

use anyhow::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// A kind of calls. None includes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Hold, confirm, release, and what else frontends do for buyers.
    Sell,
    /// Look, without changing anything.
    Read,
    /// Create, change and organise shows.
    Admin,
    /// Run the process: snapshots.
    Operate,
}

/// What somebody may do. Without scopes, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// The calls.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// With what the ids of the shows begin; any show if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "some_prefixes")]
    pub shows: Vec<String>,
    /// Whose the shows are: those of `acme` are `acme.` and anything. Of everybody's, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl Grant {
    /// Everything, for everybody where nobody has to say who he is.
    #[must_use]
    pub fn everything() -> Self {
        Self { scopes: vec![Scope::Sell, Scope::Read, Scope::Admin, Scope::Operate], ..Self::default() }
    }

    /// Whether it says what it means: an empty word would be about everything.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.scopes.is_empty(), "without a scope nothing is allowed: sell, read, admin, operate");
        ensure!(
            self.shows.iter().all(|prefix| !prefix.is_empty()),
            "shows has an empty prefix: leave it out for any show"
        );
        let is_name = |tenant: &String| !tenant.is_empty() && !tenant.contains('.');
        ensure!(self.tenant.as_ref().is_none_or(is_name), "a tenant has a name, without a dot in it");
        Ok(())
    }

    /// A prefix with which no show of its tenant begins.
    #[must_use]
    pub fn idle_prefix(&self) -> Option<&str> {
        let own = format!("{}.", self.tenant.as_ref()?);
        let is_idle = |prefix: &&String| !prefix.starts_with(&own) && !own.starts_with(prefix.as_str());
        self.shows.iter().find(is_idle).map(String::as_str)
    }

    /// Whether it has one of these scopes.
    #[must_use]
    pub fn has_any(&self, scopes: &[Scope]) -> bool {
        self.scopes.iter().any(|own| scopes.contains(own))
    }

    /// Whether it is for some shows only.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.tenant.is_some() || !self.shows.is_empty()
    }

    /// Whether it is for this show.
    #[must_use]
    pub fn covers(&self, show: &str) -> bool {
        let of_tenant = |tenant: &String| show.strip_prefix(tenant.as_str()).is_some_and(|rest| rest.starts_with('.'));
        self.tenant.as_ref().is_none_or(of_tenant)
            && (self.shows.is_empty() || self.shows.iter().any(|prefix| show.starts_with(prefix.as_str())))
    }
}

/// A list that is there has something in it: it would be no show's, and absent it is any show's.
pub(super) fn some_prefixes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let shows = Vec::<String>::deserialize(from)?;
    if shows.is_empty() || shows.iter().any(String::is_empty) {
        return Err(serde::de::Error::custom("shows has no prefix, or an empty one: leave it out for any show"));
    }
    Ok(shows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_show_is_covered_by_tenant_and_prefix_together() {
        let check = |tenant: Option<&str>, shows: &[&str], show: &str| {
            let shows = shows.iter().map(|prefix| (*prefix).to_owned()).collect();
            Grant { scopes: Vec::new(), shows, tenant: tenant.map(str::to_owned) }.covers(show)
        };
        assert!(check(None, &[], "gala"));
        assert!(check(Some("acme"), &[], "acme.gala"));
        assert!(
            !check(Some("acme"), &[], "acmeco.gala")
                && !check(Some("acme"), &[], "acme")
                && !check(Some("acme"), &[], "gala")
        );
        assert!(check(None, &["gala-", "opera-"], "opera-1") && !check(None, &["gala-"], "opera-1"));
        assert!(!check(Some("acme"), &["gala-"], "gala-1") && check(Some("acme"), &["acme.gala-"], "acme.gala-1"));
    }

    #[test]
    fn a_prefix_with_which_no_show_of_the_tenant_begins_is_found() {
        let check = |tenant: Option<&str>, prefix: &str| {
            let shows = vec![prefix.to_owned()];
            Grant { scopes: Vec::new(), shows, tenant: tenant.map(str::to_owned) }.idle_prefix().is_some()
        };
        assert!(check(Some("acme"), "bolt") && check(Some("acme"), "acmeco.") && check(Some("acme"), "acme-"));
        assert!(!check(Some("acme"), "ac") && !check(Some("acme"), "acme.g") && !check(None, "bolt"));
    }
}
