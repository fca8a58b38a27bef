//! A registry of the test's own: the binary's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::project::Project;

/// A `repro serve` that ends with the test.
pub struct Serving {
    pub child: Child,
    /// `HOST:PORT`.
    pub address: String,
}

impl Serving {
    /// Starts it upon what the arguments name.
    pub fn start(project: &Project, arguments: &[&str]) -> Self {
        let mut command = project.command(&[&["serve"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }

    /// A name there.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// What it answers to a request, headers and all.
    pub fn talk(&self, request: &str) -> String {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        let _ = connection.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
