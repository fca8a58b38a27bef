//! Logging in to a registry, and out of it.

use super::machine::Machine;
use super::online;
use crate::http::Secret;
use crate::registry::Keeper;
use crate::status::Failure;

/// Logs in: the registry must let the user in before anything is kept. False if it asks nobody.
pub fn login(machine: &Machine, host: &str, user: &str, password: &Secret) -> Result<(bool, Keeper), Failure> {
    let registry = online::registry_with_login(machine, host, user, password)?;
    let is_asked = registry.check_login(host)?;
    Ok((is_asked, online::logins(machine).keep(host, user, password)?))
}

/// Forgets the login for a registry.
pub fn logout(machine: &Machine, host: &str) -> Result<Vec<Keeper>, Failure> {
    Ok(online::logins(machine).forget(host)?)
}
