//! The binary where it has no right, no room or no such file, and in places that nobody thought of.

mod hints;
mod limits;
mod nobody;
mod places;
mod room;
mod spellings;

use crate::project::Project;

/// A committed and locked project with one image, `app`, on scratch.
fn locked(dockerfile: &str, files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    project.write("repro.toml", "version = 1\n[image.app]\n").write("Dockerfile", dockerfile);
    for (path, content) in files {
        project.write(path, content);
    }
    project.commit();
    project.repro(&["lock"]).expect(0);
    project.commit();
    project
}

/// The line `build` prints for the image: its name, platform and digest.
#[track_caller]
fn built(project: &Project, arguments: &[&str]) -> String {
    project.repro(&[&["build"], arguments].concat()).expect(0).stdout
}
