//! Rules about clocks and accounts.

pub(super) mod created_label;
pub(super) mod epoch_undeclared;
pub(super) mod git_in_run;
pub(super) mod id_not_fixed;
pub(super) mod local_time;
pub(super) mod shadow_day;
pub(super) mod stamp_file;
pub(super) mod wall_clock;
