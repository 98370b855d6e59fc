//! The tour an operator walks, on both databases.

use std::sync::{Arc, Mutex};

use kehou::tour::Tour;
use kehou_tests::{World, on_both};

on_both!(the_tour_walks_every_story_and_all_answers_are_right);

async fn the_tour_walks_every_story_and_all_answers_are_right(world: &World) -> anyhow::Result<()> {
    let printed = Printed::default();
    let walked = Tour::new(world.site.clone(), world.accounts(), &world.demo, printed.clone()).walk().await;
    let text = printed.text();
    eprintln!("{text}");
    let steps = walked?;
    assert!(steps >= 46, "only {steps} steps");
    assert!(!text.contains("跳过："), "a story was left out");
    let numbered = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
    assert_eq!(text.lines().filter(numbered).count(), steps as usize, "a line for each step");
    assert_eq!(
        text.matches("为什么是这个价").count(),
        world.demo.districts.len(),
        "a fee story for each school"
    );
    Ok(())
}

/// What was printed, for whoever prints and whoever reads.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
