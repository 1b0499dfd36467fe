// The commands, each in the file of its name.
#pragma once

#include "cli/command.h"

namespace tiphys::cli {

void add_run(Command app, Session& session);
void add_submit(Command app, Session& session);
void add_list(Command app, Session& session);
void add_get(Command app, Session& session);
void add_logs(Command app, Session& session);
void add_wait(Command app, Session& session);
void add_watch(Command app, Session& session);
/// stop, terminate, suspend, resume, retry, node set
void add_control(Command app, Session& session);
void add_resubmit(Command app, Session& session);
void add_delete(Command app, Session& session);
void add_lint(Command app, Session& session);
void add_simulate(Command app, Session& session);
void add_test(Command app, Session& session);
void add_metrics(Command app, Session& session);
void add_conformance(Command app, Session& session);
void add_schema(Command app, Session& session);
/// template, cluster-template
void add_templates(Command app, Session& session);
/// cluster-template library, below `group`
void add_library(Command group, Session& session);
void add_apply(Command app, Session& session);
/// cron create, update, get, list, delete, suspend, resume, lint
void add_cron(Command app, Session& session);
/// cron backfill, below `group`
void add_backfill(Command group, Session& session);
void add_secret(Command app, Session& session);
void add_notifications(Command app, Session& session);
/// notify test, and the same below `group`
void add_notify(Command app, Session& session);
void add_notify_test(Command group, Session& session);
/// plugin serve
void add_plugin(Command app, Session& session);
void add_pods(Command app, Session& session);
void add_server(Command app, Session& session);
void add_store(Command app, Session& session);
void add_version(Command app, Session& session);
void add_completion(Command app, Session& session);

}  // namespace tiphys::cli
