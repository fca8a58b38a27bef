//! HTML reports in a real browser: `chromium` starts it and speaks with it, `page` is one tab of it, `reports` holds
//! what people do with a report.

mod chromium;
mod page;
mod reports;
