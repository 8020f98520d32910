//! Listeners, authentication, the writer's thread, effects and the index.
