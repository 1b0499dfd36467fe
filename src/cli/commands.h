// The commands, each in the file of its name.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace tiphys::cli {

void add_run(CLI::App& app, Session& session);
void add_submit(CLI::App& app, Session& session);
void add_list(CLI::App& app, Session& session);
void add_get(CLI::App& app, Session& session);
void add_logs(CLI::App& app, Session& session);
void add_wait(CLI::App& app, Session& session);
void add_watch(CLI::App& app, Session& session);
/// stop, terminate, suspend, resume, retry, node set
void add_control(CLI::App& app, Session& session);
void add_resubmit(CLI::App& app, Session& session);
void add_delete(CLI::App& app, Session& session);
void add_lint(CLI::App& app, Session& session);
void add_simulate(CLI::App& app, Session& session);
void add_test(CLI::App& app, Session& session);
void add_metrics(CLI::App& app, Session& session);
void add_conformance(CLI::App& app, Session& session);
void add_schema(CLI::App& app, Session& session);
/// template, cluster-template
void add_templates(CLI::App& app, Session& session);
/// cluster-template library, below `group`
void add_library(CLI::App& group, Session& session);
void add_apply(CLI::App& app, Session& session);
/// cron create, update, get, list, delete, suspend, resume, lint
void add_cron(CLI::App& app, Session& session);
/// cron backfill, below `group`
void add_backfill(CLI::App& group, Session& session);
void add_secret(CLI::App& app, Session& session);
void add_notifications(CLI::App& app, Session& session);
/// notify test, and the same below `group`
void add_notify(CLI::App& app, Session& session);
void add_notify_test(CLI::App& group, Session& session);
/// plugin serve
void add_plugin(CLI::App& app, Session& session);
void add_pods(CLI::App& app, Session& session);
void add_server(CLI::App& app, Session& session);
void add_store(CLI::App& app, Session& session);
void add_version(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

}  // namespace tiphys::cli
