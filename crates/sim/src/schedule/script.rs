//! One task from its request to its kill, whatever dies on the way.

use super::Play;
use crate::{Cast, World};
use writ_ledger::body::{KillContent, KillScope};
use writ_plane::{Approve, Command, IssueSvid, Kill, Start, Take};
use writ_types::{ActKind, Name, TextValue as _};

/// Starts the server anew, and takes one task through its life. What a crash has made impossible is left out.
pub(super) fn run(play: &mut Play) -> Result<(), String> {
    play.world.kill_server();
    revive(play);
    let agent = Cast::get().agent("invoicer");
    let (identity, csr) = (agent.identity, agent.csr.clone());
    let attested = [agent.selector.to_owned()].into();
    drive(play, Command::IssueSvid(IssueSvid { identity, csr, attested }))?;
    let request = play.world.delegation("gina", agent.name, &["read"], 30);
    let task = request.content.task;
    drive(play, Command::Request(Box::new(request)))?;
    if let Some(proposal) = play.world.state().tasks().get(&task).and_then(|task| task.proposal.clone()) {
        let act = play.world.act("bob", ActKind::Approve, &proposal.content.approval.to_string(), &proposal.content);
        drive(play, Command::Approve(Approve { task, act }))?;
    }
    if let Some(caller) = play.world.caller(agent.name) {
        drive(play, Command::Start(Start { task, caller: caller.clone() }))?;
        let actions = [Name::parse("read").unwrap()].into();
        drive(play, Command::Take(Take { task, resource: World::database(), actions, caller }))?;
    }
    let content = KillContent { scope: KillScope::Identity(identity), reason: None };
    let act = play.world.act("erin", ActKind::Kill, &identity.to_string(), &content);
    drive(play, Command::Kill(Box::new(Kill { content, act })))
}

/// Hands a command in and follows it until nothing moves; who dies is started again.
fn drive(play: &mut Play, command: Command) -> Result<(), String> {
    play.world.submit(None, command);
    loop {
        play.world.clocks.pass(1);
        let appends = play.world.disk.appends();
        let turned = play.world.turn();
        let carried = play.world.carry();
        let died = turned.is_err() || carried.is_err();
        play.check()?;
        revive(play);
        let moved = died || play.world.disk.appends() > appends || turned.is_ok_and(|answers| !answers.is_empty());
        if !moved && carried != Ok(true) {
            return Ok(());
        }
    }
}

fn revive(play: &mut Play) {
    while play.world.server.is_none() {
        // Dying on the way is tried again: it dies only once.
        let _ = play.world.boot();
    }
}
