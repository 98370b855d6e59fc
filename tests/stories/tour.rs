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
    assert!(steps >= 25, "only {steps} steps");
    assert_eq!(
        text.lines().filter(|line| line.contains('→')).count(),
        steps as usize,
        "a line for each step"
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
