#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/rules.h"
#include "clock/rfc3339.h"
#include "notify/channel.h"
#include "notify/secrets_fill.h"
#include "runtime/host.h"
#include "runtime/notifications.h"
#include "runtime/readdress.h"
#include "runtime/submit.h"
#include "value/json.h"
#include "view/table.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

using store::AttemptRow;
using store::DeliveryRow;
using value::List;
using value::Map;
using value::Value;

constexpr auto kBetweenLooks = std::chrono::milliseconds(50);
constexpr clock::Duration kPatience = clock::Duration::seconds(5);

struct Flags {
  std::vector<std::string> names;
  std::string workflow;
  std::string channel;
  std::string state;
  std::string output;
  bool all = false;
};

std::string ms_text(clock::Duration d) {
  return fmt::format("{:.1f}ms", static_cast<double>(d.ns) / 1e6);
}

std::string time_text(clock::Instant t) { return t.is_set() ? clock::rfc3339(t) : ""; }

Value as_value(const DeliveryRow& r) {
  Map map{{"id", r.id},
          {"workflow", r.workflow},
          {"namespace", r.name_space},
          {"node", r.node},
          {"channel", r.channel},
          {"kind", r.kind},
          {"state", r.state},
          {"attempts", std::int64_t{r.attempts}},
          {"createdAt", time_text(r.created_at)}};
  if (!r.destination.empty()) map.set("destination", r.destination);
  if (r.next_at.is_set()) map.set("nextAt", time_text(r.next_at));
  if (r.finished_at.is_set()) map.set("finishedAt", time_text(r.finished_at));
  if (r.status != 0) map.set("status", std::int64_t{r.status});
  if (!r.reason.empty()) map.set("reason", r.reason);
  return map;
}

Value as_value(const AttemptRow& a) {
  Map map{{"number", std::int64_t{a.number}},
          {"at", clock::rfc3339_micro(a.at)},
          {"latencyMs", static_cast<double>(a.latency.ns) / 1e6}};
  if (a.status != 0) map.set("status", std::int64_t{a.status});
  if (!a.answer.empty()) map.set("answer", a.answer);
  if (!a.error.empty()) map.set("error", a.error);
  return map;
}

diag::Result<void> print_value(const Value& v, const std::string& output) {
  if (output == "json") {
    print_text(value::to_json(v, {.key_order = value::KeyOrder::kAsGiven, .indent = 2}) + "\n");
  } else if (output == "yaml") {
    print_text(view::to_yaml(v));
  } else {
    return wrong_usage(fmt::format("unknown output format '{}': want json, yaml or name", output));
  }
  return {};
}

diag::Result<void> list(const Flags& o, const Session& session) {
  TRY(Opened state, open_state());
  TRY(const std::vector<DeliveryRow> rows,
      state.store->load_deliveries({.name_space = session.name_space,
                                    .workflow = o.workflow,
                                    .channel = o.channel,
                                    .state = o.state}));
  if (o.output == "name") {
    for (const DeliveryRow& r : rows) print_text(r.id + "\n");
    return {};
  }
  if (!o.output.empty()) {
    List all;
    for (const DeliveryRow& r : rows) all.push_back(as_value(r));
    return print_value(all, o.output);
  }
  std::vector<std::vector<std::string>> table = {
      {"ID", "WORKFLOW", "CHANNEL", "DESTINATION", "STATE", "ATTEMPTS", "STATUS", "REASON"}};
  for (const DeliveryRow& r : rows) {
    table.push_back({r.id, r.workflow, r.channel, r.destination, r.state,
                     std::to_string(r.attempts), r.status == 0 ? "" : std::to_string(r.status),
                     r.reason});
  }
  print_text(view::format_table(table, 3));
  return {};
}

/// The delivery with this id, or the only one whose id begins so.
diag::Result<DeliveryRow> find(store::Store& store, const std::string& id) {
  TRY(std::vector<DeliveryRow> rows, store.load_deliveries({.id = id}));
  if (rows.empty()) {
    TRY(rows, store.load_deliveries({}));
    std::erase_if(rows, [&](const DeliveryRow& r) { return !r.id.starts_with(id); });
  }
  if (rows.size() == 1) return rows.front();
  return rows.empty()
             ? diag::fail(diag::Code::kNotFound, fmt::format("notification '{}' not found", id))
             : diag::fail(diag::Code::kNotFound,
                          fmt::format("{} notifications begin with '{}'", rows.size(), id));
}

diag::Result<void> get(const Flags& o, const Session&) {
  TRY(Opened state, open_state());
  TRY(const DeliveryRow r, find(*state.store, o.names.front()));
  TRY(const std::vector<AttemptRow> attempts, state.store->load_attempts(r.id));
  TRY(const std::string payload, state.store->delivery_payload(r.id));
  if (!o.output.empty()) {
    Map whole = as_value(r).map();
    List all;
    for (const AttemptRow& a : attempts) all.push_back(as_value(a));
    whole.set("attemptList", std::move(all));
    TRY(const Value sent, value::parse_json(payload));
    whole.set("payload", sent);
    std::vector<std::string> secrets;
    notify::add_literal_secrets(r.kind, sent["config"], secrets);
    notify::add_literal_secrets("", sent["http"], secrets);
    return print_value(notify::redacted(Value(std::move(whole)), secrets), o.output);
  }
  const auto line = [](const char* name, const std::string& text) {
    if (!text.empty()) print_text(fmt::format("{:<20} {}\n", name, text));
  };
  line("ID:", r.id);
  line("Workflow:", r.workflow);
  line("Namespace:", r.name_space);
  line("Node:", r.node);
  line("Channel:", r.channel == r.kind ? r.kind : fmt::format("{} ({})", r.channel, r.kind));
  line("Destination:", r.destination);
  line("State:", r.state);
  line("Reason:", r.reason);
  line("Created:", time_text(r.created_at));
  line("Next attempt:", time_text(r.next_at));
  line("Finished:", time_text(r.finished_at));
  std::vector<std::vector<std::string>> table = {{"ATTEMPT", "AT", "LATENCY", "STATUS", "ANSWER"}};
  for (const AttemptRow& a : attempts) {
    std::string answer = a.error.empty() ? a.answer : a.error;
    std::ranges::replace(answer, '\n', ' ');
    table.push_back({std::to_string(a.number), clock::rfc3339_micro(a.at), ms_text(a.latency),
                     a.status == 0 ? "" : std::to_string(a.status), answer});
  }
  if (!attempts.empty()) print_text("\n" + view::format_table(table, 3));
  return {};
}

// Sends what waits and belongs to no engine; those whose time has not come stay.
diag::Result<void> send_waiting(Opened& state) {
  TRY(auto host, runtime::Host::open(state.config));
  host->adopt_notifications();
  return host->run([] { return true; }, {});
}

diag::Result<void> replay(const Flags& o, Session& session) {
  TRY(Opened state, open_state());
  store::Batch batch;
  if (o.all) {
    TRY(batch.deliveries, state.store->load_deliveries({.name_space = session.name_space,
                                                        .workflow = o.workflow,
                                                        .channel = o.channel,
                                                        .state = "dead"}));
  }
  for (const std::string& name : o.names) {
    TRY(DeliveryRow r, find(*state.store, name));
    batch.deliveries.push_back(std::move(r));
  }
  if (batch.deliveries.empty() && !o.all)
    return wrong_usage("give ids, or --all for those that are dead");
  for (DeliveryRow& given : std::exchange(batch.deliveries, {})) {
    if (given.state == "pending") {
      return diag::fail(diag::Code::kConflict, fmt::format("'{}' is pending already", given.id));
    }
    auto rows = runtime::readdressed(*state.store, given);
    if (!rows) {
      print_text(fmt::format("{} {}: {}\n", given.id, given.state, rows.error().message));
      session.exit_code = 1;
      continue;
    }
    std::ranges::move(*rows, std::back_inserter(batch.deliveries));
  }
  for (DeliveryRow& r : batch.deliveries) {
    r.state = "pending";
    r.next_at = now();
    r.finished_at = {};
  }
  TRY_VOID(state.store->commit(batch));
  // An engine that has the workflow takes it by itself; nobody else looks for the others.
  TRY_VOID(send_waiting(state));
  for (const DeliveryRow& asked : batch.deliveries) {
    TRY(const DeliveryRow r, find(*state.store, asked.id));
    const bool is_handed_over = r.state == "pending" && r.attempts == asked.attempts;
    print_text(fmt::format("{} {}{}\n", r.id,
                           is_handed_over ? "handed to the engine that has it" : r.state,
                           is_handed_over || r.reason.empty() ? "" : ": " + r.reason));
  }
  return {};
}

diag::Result<void> commit_discarded(store::Store& store, DeliveryRow row) {
  store::discard(row, runtime::kDiscardedByHand, now());
  return store.commit({.deliveries = {std::move(row)}});
}

// One that is pending belongs to an engine, which is asked; it may just be sending it.
diag::Result<void> discard_pending(Opened& state, const DeliveryRow& row) {
  TRY_VOID(state.store->add_command({.id = 0,
                                     .uid = row.uid,
                                     .verb = std::string(runtime::kDiscardVerb),
                                     .arguments_json = row.id,
                                     .created_at = now()}));
  runtime::poke_engines(state.config.home);
  DeliveryRow seen = row;
  for (const clock::Instant until = now() + kPatience; seen.state == "pending" && now() < until;) {
    std::this_thread::sleep_for(kBetweenLooks);
    TRY(seen, find(*state.store, row.id));
  }
  TRY(const auto commands, state.store->load_commands(row.uid));
  store::Batch batch;
  for (const store::CommandRow& c : commands) {
    if (c.arguments_json == row.id) batch.done_commands.push_back(c.id);
  }
  TRY_VOID(state.store->commit(batch));
  if (seen.state == "discarded") return {};
  return diag::fail(diag::Code::kConflict,
                    seen.state == "pending"
                        ? fmt::format("'{}' is being sent at the moment: try again", row.id)
                        : fmt::format("'{}' is {} already", row.id, seen.state));
}

diag::Result<void> discard(const Flags& o, const Session&) {
  TRY(Opened state, open_state());
  for (const std::string& name : o.names) {
    TRY(DeliveryRow r, find(*state.store, name));
    if (r.state != "pending" && r.state != "dead") {
      return diag::fail(diag::Code::kConflict, fmt::format("'{}' is {} already", r.id, r.state));
    }
    const std::string id = r.id;
    if (r.state == "pending" && runtime::is_owned(state.config, *state.store, r.uid)) {
      TRY_VOID(discard_pending(state, r));
    } else {
      TRY_VOID(commit_discarded(*state.store, std::move(r)));
    }
    print_text(fmt::format("{} discarded\n", id));
  }
  return {};
}

diag::Result<void> send(const Flags&, const Session&) {
  TRY(Opened state, open_state());
  TRY_VOID(send_waiting(state));
  TRY(const std::vector<DeliveryRow> left, state.store->load_deliveries({.state = "pending"}));
  print_text(fmt::format("{} left to send\n", left.size()));
  return {};
}

// A server does the same every hour.
diag::Result<void> prune(const Flags&, const Session&) {
  TRY(Opened state, open_state());
  const store::Retention retention{.delivered_before = now() - state.config.keep_delivered,
                                   .dead_before = now() - state.config.keep_dead};
  std::size_t all = 0;
  for (;;) {
    TRY(const std::size_t count, state.store->prune_deliveries(retention));
    if (count == 0) break;
    all += count;
  }
  print_text(fmt::format("{} removed\n", all));
  return {};
}

diag::Result<void> channels(const Flags& o, const Session& session) {
  TRY(Opened state, open_state());
  TRY(const std::vector<store::ObjectRow> rows,
      state.store->list_objects("NotificationChannel", session.name_space));
  std::vector<std::vector<std::string>> table = {{"NAMESPACE", "NAME", "KIND"}};
  for (const store::ObjectRow& row : rows) {
    TRY(const Value object, value::parse_json(row.json));
    table.push_back({row.name_space, row.name, std::string(object["spec"]["kind"].string_or(""))});
  }
  print_text(view::format_table(table, 3));
  if (!o.all) return {};
  std::string kinds;
  for (const std::string_view kind : notify::channel_kinds()) kinds += fmt::format(" {}", kind);
  print_text("\nkinds:" + kinds + "\n");
  return {};
}

void add_filters(Command command, Flags& o) {
  command.add_option("--workflow", o.workflow, "only those of this workflow");
  command.add_option("--channel", o.channel, "only those of this channel");
}

}  // namespace

void add_notifications(Command app, Session& session) {
  const Command group =
      app.add_group("notifications", "what was told, to whom, and whether it arrived");
  auto l = std::make_shared<Flags>();
  const Command listing = add_command(group, "list", "notifications, oldest first", session,
                                      [l, &session] { return list(*l, session); });
  add_filters(listing, *l);
  listing.add_option("--state", l->state, "pending, delivered, dead or discarded")
      .one_of({"pending", "delivered", "dead", "discarded"});
  listing.add_option("-o,--output", l->output, "json, yaml or name");
  auto g = std::make_shared<Flags>();
  const Command getting = add_command(group, "get", "one notification with all of its attempts",
                                      session, [g, &session] { return get(*g, session); });
  getting.add_option("ID", g->names, "its id, or how it begins").required().exactly_one();
  getting.add_option("-o,--output", g->output, "json or yaml");
  auto r = std::make_shared<Flags>();
  const Command replaying = add_command(group, "replay", "send again, under the same id", session,
                                        [r, &session] { return replay(*r, session); });
  replaying.add_option("ID", r->names, "ids, or how they begin");
  replaying.add_flag("--all", r->all, "all that are dead");
  add_filters(replaying, *r);
  auto d = std::make_shared<Flags>();
  add_command(group, "discard", "give up what was not delivered", session,
              [d, &session] { return discard(*d, session); })
      .add_option("ID", d->names, "ids, or how they begin")
      .required();
  auto s = std::make_shared<Flags>();
  add_command(group, "send", "send what is due and belongs to no engine that runs", session,
              [s, &session] { return send(*s, session); });
  auto p = std::make_shared<Flags>();
  add_command(group, "prune", "remove what is older than it is kept", session,
              [p, &session] { return prune(*p, session); });
  add_notify_test(group, session);
  add_rules(group, session);
  auto c = std::make_shared<Flags>();
  add_command(group, "channels", "where notifications can go", session, [c, &session] {
    return channels(*c, session);
  }).add_flag("--kinds", c->all, "also all kinds of channels");
}

}  // namespace tiphys::cli
