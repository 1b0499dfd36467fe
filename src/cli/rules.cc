#include "cli/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "notify/channel.h"
#include "notify/rule.h"
#include "runtime/submit.h"
#include "spec/schema.h"
#include "value/json.h"
#include "view/table.h"
#include "view/yaml_view.h"

namespace tiphys::cli {

namespace {

using value::Map;
using value::Value;

constexpr const char* kKind = "Notification";
constexpr const char* kChannel = "NotificationChannel";
constexpr value::JsonStyle kAsGiven{.key_order = value::KeyOrder::kAsGiven};

std::string space_of(const spec::Manifest& m, const std::string& name_space) {
  if (!m.name_space.empty()) return m.name_space;
  return name_space.empty() ? "default" : name_space;
}

/// The channels that rules may name, and what is wrong with those that they do.
class Checker {
 public:
  Checker(const Documents& documents, store::Store* store, std::string name_space)
      : documents_(documents), store_(store), name_space_(std::move(name_space)) {}

  void check_rule(const spec::Manifest& m) {
    std::vector<notify::RuleProblem> problems;
    const std::string space = space_of(m, name_space_);
    const notify::Rule rule = notify::parse_rule(m.object, space, problems);
    for (std::size_t i = 0; i < rule.send.size(); ++i) {
      const std::string pointer = fmt::format("/spec/send/{}", i);
      check_address(rule.send[i], space, pointer + "/channel", pointer + "/recipients", problems);
      const Value& own = m.object["spec"]["send"].list()[i]["message"];
      const std::string at = own.is_null() ? "/spec/message" : pointer + "/message";
      for (notify::RuleProblem& p : message_problems(
               rule.send[i].message, kind_of(rule.send[i].channel, space).value_or(""), at)) {
        const auto is_same = [&](const notify::RuleProblem& other) {
          return other.pointer == p.pointer && other.message == p.message;
        };
        // The rule's message goes to several channels, which may be of one kind.
        if (std::ranges::none_of(problems, is_same)) problems.push_back(std::move(p));
      }
    }
    for (const notify::RuleProblem& p : problems) {
      tell(m, p, fmt::format("notification '{}': {}", m.name, p.message), "",
           diag::Severity::kError);
    }
  }

  void check_annotations(const spec::Manifest& m, diag::Severity severity) {
    std::vector<notify::RuleProblem> problems;
    const Value& annotations = m.object["metadata"]["annotations"];
    const std::string space = space_of(m, name_space_);
    for (const notify::Rule& rule : notify::parse_subscriptions(annotations, space, problems)) {
      const std::string key =
          fmt::format("{}{}", notify::kAnnotations, std::string_view(rule.name).substr(1));
      std::string pointer = "/" + key;
      for (std::size_t at = 1; (at = pointer.find('/', at)) != std::string::npos;) {
        pointer.replace(at, 1, "~1");
      }
      check_address(rule.send[0], space, pointer, pointer, problems);
    }
    for (const notify::RuleProblem& p : problems) {
      tell(m, p, p.message, "/metadata/annotations", severity);
    }
    check_templates(m, space, severity);
  }

  /// Templates that send by themselves: a misspelled word would be seen when it is sent.
  void check_senders(const spec::Manifest& m, diag::Severity severity) {
    const bool is_cron = m.kind == "CronWorkflow";
    const Value& spec = is_cron ? m.object["spec"]["workflowSpec"] : m.object["spec"];
    const std::string below = is_cron ? "/spec/workflowSpec/templates" : "/spec/templates";
    std::size_t i = 0;
    for (const Value& t : spec["templates"].list()) {
      const Value& notify = t["plugin"]["tiphys"]["notify"];
      if (notify.is_map()) {
        check_sender(m, notify, fmt::format("{}/{}/plugin/tiphys/notify", below, i), severity);
      }
      ++i;
    }
  }

  std::vector<diag::Diagnostic> findings;

 private:
  void check_sender(const spec::Manifest& m, const Value& notify, const std::string& below,
                    diag::Severity severity) {
    static const std::vector<std::string_view> kFields = {"channel", "kind",  "config", "message",
                                                          "retries", "await", "event"};
    const auto is_fixed = [](std::string_view text) {
      return !text.empty() && text.find("{{") == std::string_view::npos;
    };
    for (const auto& [key, member] : notify.map()) {
      if (std::ranges::find(kFields, key) != kFields.end()) continue;
      const std::string near = spec::nearest_name(key, kFields);
      tell(m,
           {.pointer = "/" + key,
            .is_key = true,
            .message = {},
            .suggestion = near.empty() ? "" : fmt::format("did you mean '{}'?", near)},
           fmt::format("notify: unknown field '{}'", key), below, severity);
    }
    const std::string_view await = notify["await"].string_or("");
    if (is_fixed(await) && await != "delivered" && await != "accepted") {
      tell(m, {.pointer = "/await", .message = {}},
           fmt::format("await: '{}' is none of delivered, accepted", await), below, severity);
    }
    const std::string channel(notify["channel"].string_or(""));
    const std::string space = space_of(m, name_space_);
    std::string kind(notify["kind"].string_or(""));
    if (is_fixed(kind) && notify::find_channel(kind) == nullptr) {
      const std::string near = spec::nearest_name(kind, notify::channel_kinds());
      tell(m,
           {.pointer = "/kind",
            .message = {},
            .suggestion = near.empty() ? "" : fmt::format("did you mean '{}'?", near)},
           fmt::format("there is no kind of channel '{}'", kind), below, severity);
    }
    if (is_fixed(channel)) kind = kind_of(channel, space).value_or("");
    for (const notify::RuleProblem& p : message_problems(notify["message"], kind, "/message")) {
      tell(m, p, p.message, below, severity);
    }
    if (is_fixed(channel) && m.kind != "ClusterWorkflowTemplate" && !kind_of(channel, space)) {
      tell(m, {.pointer = "/channel", .message = {}, .suggestion = nearest_channel(channel, space)},
           fmt::format("there is no channel '{}' in namespace '{}' yet", channel, space), below,
           diag::Severity::kWarning);
    }
  }

  // What a channel of this kind would refuse when the message is sent. `at`: where the message is.
  [[nodiscard]] static std::vector<notify::RuleProblem> message_problems(const Value& message,
                                                                         const std::string& kind,
                                                                         const std::string& at) {
    std::vector<notify::RuleProblem> out;
    const notify::Channel* channel = notify::find_channel(kind);
    if (channel == nullptr || !message.is_map()) return out;
    for (const std::string& problem : channel->problems_of_message(message)) {
      const std::string field = problem.substr(0, problem.find(':'));
      out.push_back(
          {.pointer = at + "/" + field,
           .is_key = problem.substr(field.size()).starts_with(": unknown"),
           .message = fmt::format("message for a channel of kind {}: {}", kind, problem)});
    }
    return out;
  }

  // The annotations of templates[].metadata, of a WorkflowTemplate or a workflow.
  void check_templates(const spec::Manifest& m, const std::string& space, diag::Severity severity) {
    std::vector<notify::RuleProblem> problems;
    const Value& templates = m.object["spec"]["templates"];
    for (const notify::Rule& rule :
         notify::parse_template_subscriptions(templates, space, problems)) {
      for (std::size_t i = 0; i < templates.list().size(); ++i) {
        if (!rule.name.ends_with("@" + std::string(templates.list()[i]["name"].string_or("")))) {
          continue;
        }
        const std::string pointer = fmt::format("/{}/metadata/annotations", i);
        check_address(rule.send[0], space, pointer, pointer, problems);
        break;
      }
    }
    for (const notify::RuleProblem& p : problems) {
      tell(m, p, p.message, "/spec/templates", severity);
    }
  }

  void tell(const spec::Manifest& m, const notify::RuleProblem& p, std::string message,
            const std::string& below, diag::Severity severity) {
    const std::string pointer = below + p.pointer;
    const diag::Position at = p.is_key ? m.positions->key(pointer) : m.positions->value(pointer);
    findings.push_back(
        {severity, {diag::Code::kInvalidManifest, std::move(message), at}, p.suggestion});
  }

  // The kind of a channel; nullopt when there is none of this name, "" when that is not known.
  [[nodiscard]] std::optional<std::string> kind_of(const std::string& channel,
                                                   const std::string& space) const {
    for (const spec::Manifest& m : documents_.manifests) {
      if (m.kind == kChannel && m.name == channel && space_of(m, name_space_) == space) {
        return std::string(m.object["spec"]["kind"].string_or(""));
      }
    }
    if (store_ == nullptr) return "";
    auto row = store_->find_object(kChannel, space, channel);
    if (!row) return std::nullopt;
    auto object = value::parse_json(row->json);
    return object ? std::string((*object)["spec"]["kind"].string_or("")) : "";
  }

  [[nodiscard]] std::string nearest_channel(const std::string& name,
                                            const std::string& space) const {
    std::vector<std::string> names;
    for (const spec::Manifest& m : documents_.manifests) {
      if (m.kind == kChannel && space_of(m, name_space_) == space) names.push_back(m.name);
    }
    if (auto rows = store_->list_objects(kChannel, space)) {
      for (const store::ObjectRow& row : *rows) names.push_back(row.name);
    }
    const std::string near = spec::nearest_name(name, {names.begin(), names.end()});
    return near.empty() ? "" : fmt::format("did you mean '{}'?", near);
  }

  void check_address(const notify::Address& address, const std::string& space,
                     const std::string& at_channel, const std::string& at_recipients,
                     std::vector<notify::RuleProblem>& problems) const {
    if (address.channel.empty()) return;
    const auto kind = kind_of(address.channel, space);
    if (!kind) {
      std::string hint = nearest_channel(address.channel, space);
      if (hint.empty()) hint = "apply a NotificationChannel of that name first";
      problems.push_back(
          {at_channel, false,
           fmt::format("there is no channel '{}' in namespace '{}'", address.channel, space),
           hint});
      return;
    }
    if (!kind->empty() && !address.recipients.empty() && notify::recipients_field(*kind).empty()) {
      problems.push_back({at_recipients, false,
                          fmt::format("a channel of kind {} has no recipients", *kind),
                          "leave them out: it is the channel that says where its messages go"});
    }
  }

  const Documents& documents_;
  store::Store* store_;
  std::string name_space_;
};

struct RuleFlags {
  std::string name;
  std::string output;
  std::string length;
};

diag::Result<store::ObjectRow> find_rule(store::Store& store, const Session& session,
                                         const std::string& name) {
  return store.find_object(kKind, session.space(), name);
}

diag::Result<void> list(const Session& session) {
  TRY(Opened state, open_state());
  TRY(const auto rows, state.store->list_objects(kKind, session.name_space));
  std::vector<std::vector<std::string>> table = {
      {"NAMESPACE", "NAME", "TRIGGERS", "CHANNELS", "STATE"}};
  for (const store::ObjectRow& row : rows) {
    TRY(const Value object, value::parse_json(row.json));
    std::vector<notify::RuleProblem> problems;
    const notify::Rule rule = notify::parse_rule(object, row.name_space, problems);
    std::vector<std::string> triggers;
    for (const notify::Trigger& t : rule.triggers) {
      triggers.push_back(!t.name.empty() ? t.name : t.when ? t.when->program.source() : "custom");
    }
    std::vector<std::string> channels;
    for (const notify::Address& a : rule.send) channels.push_back(a.channel);
    const char* state_word = !problems.empty() ? "invalid" : rule.is_mute(now()) ? "muted" : "on";
    table.push_back({row.name_space, row.name, fmt::format("{}", fmt::join(triggers, ",")),
                     fmt::format("{}", fmt::join(channels, ",")), state_word});
  }
  print_text(view::format_table(table, 3));
  return {};
}

diag::Result<void> get(const RuleFlags& o, const Session& session) {
  TRY(Opened state, open_state());
  TRY(const store::ObjectRow row, find_rule(*state.store, session, o.name));
  TRY(const Value object, value::parse_json(row.json));
  if (o.output == "json") {
    print_text(value::to_json(object, {.key_order = value::KeyOrder::kAsGiven, .indent = 4}) +
               "\n");
  } else {
    print_text(view::to_yaml(object));
  }
  return {};
}

diag::Result<void> remove(const char* kind, const RuleFlags& o, const Session& session) {
  TRY(Opened state, open_state());
  TRY_VOID(state.store->delete_object(kind, session.space(), o.name));
  runtime::poke_engines(state.config.home);
  print_text(fmt::format("{} '{}' deleted\n", kind, o.name));
  return {};
}

// Engines see the change of the manifest.
diag::Result<void> set_mute(const RuleFlags& o, bool is_mute, const Session& session) {
  TRY(Opened state, open_state());
  TRY(store::ObjectRow row, find_rule(*state.store, session, o.name));
  TRY(const Value object, value::parse_json(row.json));
  Map spec = object["spec"].map();
  spec.erase("mute");
  spec.erase("muteUntil");
  std::string told = "is told again";
  if (is_mute && o.length.empty()) {
    spec.set("mute", true);
    told = "is muted";
  } else if (is_mute) {
    TRY(const clock::Duration length, clock::parse_duration(o.length));
    const std::string until = clock::rfc3339(now() + length);
    spec.set("muteUntil", until);
    told = "is muted until " + until;
  }
  Map whole = object.map();
  whole.set("spec", std::move(spec));
  row.json = value::to_json(Value(std::move(whole)), kAsGiven);
  TRY_VOID(state.store->put_object(row));
  runtime::poke_engines(state.config.home);
  print_text(fmt::format("{} '{}' {}\n", kKind, o.name, told));
  return {};
}

diag::Result<void> show_triggers() {
  std::vector<std::vector<std::string>> table = {{"TRIGGER", "WHEN"}};
  for (const notify::ReadyTrigger& t : notify::ready_triggers()) {
    table.push_back({std::string(t.name), std::string(t.what)});
  }
  print_text(view::format_table(table, 3));
  return {};
}

}  // namespace

std::vector<diag::Diagnostic> rule_findings(const Documents& documents, store::Store* store,
                                            const std::string& name_space, bool is_run) {
  Checker checker(documents, store, name_space);
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind == kKind) {
      checker.check_rule(m);
    } else if (m.kind == "Workflow" || m.kind == "WorkflowTemplate" || m.kind == "CronWorkflow" ||
               m.kind == "ClusterWorkflowTemplate") {
      const diag::Severity severity = is_run ? diag::Severity::kWarning : diag::Severity::kError;
      checker.check_annotations(m, severity);
      checker.check_senders(m, severity);
    }
  }
  return std::move(checker.findings);
}

diag::Result<void> keep_rule(const spec::Manifest& m, const std::string& name_space,
                             store::Store& store) {
  const std::string space = space_of(m, name_space);
  Map metadata = m.object["metadata"].map();
  metadata.set("namespace", space);
  Map object = m.object.map();
  object.set("metadata", std::move(metadata));
  return store.put_object({.kind = kKind,
                           .name_space = space,
                           .name = m.name,
                           .json = value::to_json(Value(std::move(object)), kAsGiven),
                           .created_at = now()});
}

void add_rules(Command group, Session& session) {
  const Command rules = group.add_group("rules", "who hears of what: Notification manifests");
  auto o = std::make_shared<RuleFlags>();
  add_command(rules, "list", "the rules there are", session, [&session] { return list(session); });
  const Command getting =
      add_command(rules, "get", "one rule", session, [o, &session] { return get(*o, session); });
  getting.add_option("NAME", o->name, "its name").required();
  getting.add_option("-o,--output", o->output, "json or yaml");
  add_command(rules, "delete", "forget a rule", session,
              [o, &session] { return remove(kKind, *o, session); })
      .add_option("NAME", o->name, "its name")
      .required();
  const Command muting = add_command(rules, "mute", "tell nobody, for a while or for good", session,
                                     [o, &session] { return set_mute(*o, true, session); });
  muting.add_option("NAME", o->name, "its name").required();
  muting.add_option("--for", o->length, "how long: 2h; default: until `unmute`");
  add_command(rules, "unmute", "tell again", session,
              [o, &session] { return set_mute(*o, false, session); })
      .add_option("NAME", o->name, "its name")
      .required();
  add_command(rules, "triggers", "the ready-made triggers", session, show_triggers);
  const Command channel =
      add_command(group, "delete-channel", "forget a NotificationChannel", session,
                  [o, &session] { return remove(kChannel, *o, session); });
  channel.add_option("NAME", o->name, "its name").required();
}

}  // namespace tiphys::cli
