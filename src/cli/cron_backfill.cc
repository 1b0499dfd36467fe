#include <fmt/format.h>

#include <limits>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/stored_cron.h"
#include "cron/timetable.h"
#include "cron/workflow_of.h"
#include "expr/gotime.h"
#include "runtime/cron_scheduler.h"
#include "runtime/new_names.h"
#include "runtime/submit.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using clock::Instant;
using value::List;
using value::Map;
using value::Value;

struct BackfillFlags {
  std::string cron;
  std::string name;
  std::string start;
  std::string end;
  std::string argument = "cronScheduleTime";
  std::string format = "Mon, 02 Jan 2006 15:04:05 MST";
  std::size_t count_max = 1000;
  bool parallel = false;
};

diag::Result<Instant> time_of(const std::string& text, const std::string& format) {
  TRY(const expr::Time t, expr::parse_time(format, text));
  return Instant{t.seconds * 1'000'000'000 + t.nanos};
}

// The times after the start, up to and with the end.
diag::Result<std::vector<Instant>> times_of(const Value& cron, const BackfillFlags& o,
                                            Instant start, Instant end) {
  TRY(const auto table, cron::Timetable::of(cron["spec"], runtime::machine_zone()));
  std::vector<Instant> times;
  for (auto t = table.next(start, start); t && *t <= end; t = table.next(*t, start)) {
    if (times.size() == o.count_max) {
      return wrong_usage(
          fmt::format("more than {} times are due; allow them with "
                      "--maxworkflowcount",
                      o.count_max));
    }
    times.push_back(*t);
  }
  return times;
}

// As Go shows a time in the CronWorkflow's time zone.
diag::Result<std::string> text_of(Instant t, const Value& cron) {
  TRY(const auto where, expr::load_location(cron["spec"]["timezone"].string_or("")));
  return expr::time_to_text({.seconds = t.ns / 1'000'000'000, .nanos = 0, .where = where});
}

// One after the other by a mutex, before all other workflows, unless they may run in parallel.
diag::Result<Value> workflow_for(const Value& cron, const cron::Status& status, Instant t,
                                 const BackfillFlags& o) {
  const Value made = cron::workflow_by_hand(cron, status, t);
  Overrides overrides;
  TRY(const std::string shown, text_of(t, cron));
  overrides.parameters = {o.argument + "=" + shown};
  overrides.generate_name =
      fmt::format("{}-backfill-{}-", cron["metadata"]["name"].string_or(""), o.name);
  overrides.labels =
      fmt::format("{}={}", cron::kBackfillLabel, cron["metadata"]["name"].string_or(""));
  if (!o.parallel) overrides.priority = std::numeric_limits<int>::max();
  TRY(const Value changed, apply_overrides(made, overrides));
  if (o.parallel) return changed;
  Map spec = changed["spec"].map();
  spec.set("synchronization", Map{{"mutexes", List{Map{{"name", o.name}}}}});
  Map object = changed.map();
  object.set("spec", std::move(spec));
  return Value(std::move(object));
}

void print_result(const BackfillFlags& o, const std::string& space,
                  const std::vector<std::string>& names) {
  const std::string rule(50, '=');
  std::string text = fmt::format(
      "Created {} Backfill task for Cronworkflow {} \n{}\nBackfill Period :\nStart Time : {} \n"
      "  End Time : {} \nTotal Backfill Schedule: {} \n{}\nBackfill Workflows: \n"
      "   NAMESPACE\t WORKFLOW: \n",
      o.name, o.cron, rule, o.start, o.end, names.size(), rule);
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += fmt::format("{}. {} \t {} \n", i + 1, space, names[i]);
  }
  print_text(text);
}

diag::Result<void> backfill(BackfillFlags& o, Session& session) {
  if (o.start.empty()) return wrong_usage("start date should not be empty");
  TRY(const Instant start, time_of(o.start, o.format));
  Instant end = now();
  if (!o.end.empty()) {
    TRY(end, time_of(o.end, o.format));
  } else {
    o.end = expr::format_time({.seconds = end.ns / 1'000'000'000}, "Mon, 02 Jan 2006 15:04:05 MST");
  }
  if (o.name.empty()) o.name = runtime::generated_name("");
  TRY(Opened state, open_state());
  TRY(const auto row, state.store->find_object("CronWorkflow", session.space(), o.cron));
  TRY(const Value cron, value::parse_json(row.json));
  TRY(const auto times, times_of(cron, o, start, end));
  if (times.empty()) {
    print_text("There is no suitable scheduling time.");
    return {};
  }
  std::vector<runtime::Submission> submissions(times.size());
  const cron::Status status = cron_record(*state.store, row).status;
  for (std::size_t i = 0; i < times.size(); ++i) {
    TRY(submissions[i].workflow, workflow_for(cron, status, times[i], o));
  }
  TRY_VOID(complete(submissions, *state.store, session));
  std::vector<std::string> names;
  for (const runtime::Submission& submission : submissions) {
    TRY(const auto created, runtime::submit(*state.store, submission, now()));
    names.push_back(created.name);
  }
  print_result(o, session.space(), names);
  runtime::poke_engines(state.config.home);
  note_if_no_engine(state);
  return {};
}

}  // namespace

void add_backfill(Command group, Session& session) {
  auto o = std::make_shared<BackfillFlags>();
  const Command command =
      add_command(group, "backfill", "run a cron workflow for times that have passed", session,
                  [o, &session] { return backfill(*o, session); });
  command.add_option("CRON_WORKFLOW", o->cron, "its name").required();
  command.add_option("--name", o->name, "name of the backfill");
  command.add_option("--start", o->start, "times after this one");
  command.add_option("--end", o->end, "up to this one; default: now");
  command.add_option("--argname", o->argument, "the parameter that gets the time");
  command.add_option("--format", o->format, "how start and end are written (Go's layout)");
  command.add_option("--maxworkflowcount", o->count_max, "refuse more times than that");
  command.add_flag("--parallel", o->parallel, "all at once, not one after the other");
}

}  // namespace tiphys::cli
