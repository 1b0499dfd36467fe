#include "cli/channels.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cli/command.h"
#include "cli/rules.h"
#include "clock/go_duration.h"
#include "notify/channel.h"
#include "notify/literal_secrets.h"
#include "notify/message_text.h"
#include "runtime/delivery_target.h"
#include "spec/schema.h"
#include "store/secrets.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::Value;

// `url: required` of a config is about /spec/config/url.
diag::Error at_field(const spec::Manifest& m, const std::string& problem) {
  std::string pointer = "/spec/config/" + problem.substr(0, problem.find(':'));
  std::ranges::replace(pointer, '.', '/');
  const diag::Position field = m.positions->value(pointer);
  return {diag::Code::kInvalidManifest, fmt::format("channel '{}': {}", m.name, problem),
          field.line != 0 ? field : m.positions->value("/spec")};
}

using Mistakes = std::vector<diag::Error>;

// What stands beside kind and config: how, and how often, it is sent.
void check_sending(const spec::Manifest& m, Mistakes& out) {
  const Value& spec = m.object["spec"];
  const auto wrong = [&](const std::string& field, const std::string& what, bool is_key = false) {
    const std::string pointer = "/spec/" + field;
    out.push_back(
        {diag::Code::kInvalidManifest,
         fmt::format("channel '{}': {}: {}", m.name, field.substr(0, field.find('/')), what),
         is_key ? m.positions->key(pointer) : m.positions->value(pointer)});
  };
  const std::vector<std::string_view> fields = {"kind",   "config",        "retries",    "order",
                                                "atOnce", "outageChannel", "outageAfter"};
  for (const auto& [field, v] : spec.map()) {
    if (std::ranges::find(fields, field) != fields.end()) continue;
    const std::string near = spec::nearest_name(field, fields);
    wrong(field, "unknown field" + (near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
          true);
  }
  for (const auto& [field, most] : {std::pair{"outageAfter", 1000}, std::pair{"atOnce", 256}}) {
    const Value& given = spec[field];
    const bool fits = given.is_int() && given.as_int() >= 1 && given.as_int() <= most;
    if (!given.is_null() && !fits) wrong(field, fmt::format("want a number from 1 to {}", most));
  }
  if (!runtime::parse_order(spec["order"])) wrong("order", "want workflow, destination or none");
  const Value& retries = spec["retries"];
  if (!retries.is_null() && !retries.is_list()) wrong("retries", "want a list of durations");
  for (std::size_t i = 0; i < retries.list().size(); ++i) {
    const std::string given = notify::plain_text(retries.list()[i]);
    if (clock::parse_duration(given)) continue;
    wrong(fmt::format("retries/{}", i),
          fmt::format("'{}' is no duration: want 0s, 5s, 30m ...", given));
  }
  const Value& told = spec["outageChannel"];
  if (!told.is_null() && (!told.is_string() || told.as_string() == m.name)) {
    wrong("outageChannel", "want the name of another channel");
  }
}

Mistakes mistakes_in(const spec::Manifest& m) {
  const Value& spec = m.object["spec"];
  const std::string_view kind = spec["kind"].string_or("");
  Mistakes out;
  if (m.name.empty()) {
    out.push_back({diag::Code::kInvalidManifest, "a NotificationChannel needs metadata.name",
                   m.positions->value("")});
  }
  const notify::Channel* channel = notify::find_channel(kind);
  if (channel == nullptr) {
    const std::string near = spec::nearest_name(kind, notify::channel_kinds());
    out.push_back({diag::Code::kInvalidManifest,
                   fmt::format("channel '{}': spec.kind '{}' is none{}", m.name, kind,
                               near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
                   m.positions->value("/spec/kind")});
    return out;
  }
  for (const std::string& problem : channel->problems(spec["config"])) {
    out.push_back(at_field(m, problem));
  }
  check_sending(m, out);
  return out;
}

std::string space_of(const spec::Manifest& m, const std::string& name_space) {
  if (!m.name_space.empty()) return m.name_space;
  return name_space.empty() ? "default" : name_space;
}

/// The Secrets that there are, and what is wrong with references to them.
class SecretCheck {
 public:
  SecretCheck(const Documents& documents, const std::string& secrets_path,
              const std::string& name_space) {
    const store::Secrets stored(secrets_path);
    if (!secrets_path.empty()) {
      for (store::SecretInfo& info : stored.list("").value_or(std::vector<store::SecretInfo>())) {
        keys_[{info.name_space, info.name}] = {info.keys.begin(), info.keys.end()};
      }
    }
    for (const spec::Manifest& m : documents.manifests) {
      if (m.kind != "Secret") continue;
      std::set<std::string>& keys = keys_[{space_of(m, name_space), m.name}];
      keys.clear();  // it replaces the stored one as a whole
      for (const char* field : {"data", "stringData"}) {
        for (const auto& [key, v] : m.object[field].map()) keys.insert(key);
      }
    }
  }

  void look(const spec::Manifest& m, const Value& v, const std::string& pointer,
            const std::string& space) {
    if (const Value& ref = v["secretKeyRef"]; ref.is_map()) {
      look_at(m, ref, pointer + "/secretKeyRef", space);
      return;
    }
    std::size_t i = 0;
    for (const Value& element : v.list()) {
      look(m, element, fmt::format("{}/{}", pointer, i++), space);
    }
    for (const auto& [key, member] : v.map()) look(m, member, pointer + "/" + key, space);
  }

  std::vector<diag::Diagnostic> findings;

 private:
  void look_at(const spec::Manifest& m, const Value& ref, const std::string& pointer,
               const std::string& space) {
    const std::string name(ref["name"].string_or(""));
    const std::string key(ref["key"].string_or(""));
    const auto known = keys_.find({space, name});
    if (known != keys_.end() && known->second.contains(key)) return;
    const bool has_secret = known != keys_.end();
    const std::string what =
        has_secret ? fmt::format("Secret '{}' in namespace '{}' has no key '{}'", name, space, key)
                   : fmt::format("there is no Secret '{}' in namespace '{}'", name, space);
    findings.push_back(
        {diag::Severity::kWarning,
         {diag::Code::kNotFound,
          fmt::format("channel '{}': {}: nothing can be sent without it", m.name, what),
          m.positions->value(pointer + (has_secret ? "/key" : "/name"))},
         ""});
  }

  std::map<std::pair<std::string, std::string>, std::set<std::string>> keys_;  // by space and name
};

}  // namespace

std::vector<diag::Diagnostic> missing_secrets(const Documents& documents,
                                              const std::string& secrets_path,
                                              const std::string& name_space) {
  const auto is_channel = [](const spec::Manifest& m) { return m.kind == "NotificationChannel"; };
  if (std::ranges::none_of(documents.manifests, is_channel)) return {};
  SecretCheck check(documents, secrets_path, name_space);
  for (const spec::Manifest& m : documents.manifests) {
    if (!is_channel(m)) continue;
    check.look(m, m.object["spec"]["config"], "/spec/config", space_of(m, name_space));
  }
  return std::move(check.findings);
}

std::vector<diag::Diagnostic> channel_mistakes(const Documents& documents) {
  std::vector<diag::Diagnostic> findings;
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind != "NotificationChannel") continue;
    for (diag::Error& mistake : mistakes_in(m)) {
      findings.push_back({diag::Severity::kError, std::move(mistake), ""});
    }
  }
  return findings;
}

std::vector<diag::Diagnostic> plain_secrets(const Documents& documents) {
  std::vector<diag::Diagnostic> findings;
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind != "NotificationChannel") continue;
    const Value& spec = m.object["spec"];
    for (const notify::LiteralSecret& literal :
         notify::literal_secrets(spec["kind"].string_or(""), spec["config"])) {
      findings.push_back(
          {diag::Severity::kWarning,
           {diag::Code::kInvalidManifest,
            fmt::format("channel '{}': {} {}: give it as secretKeyRef", m.name,
                        literal.pointer.substr(1),
                        literal.is_in_url ? "has a password in it" : "is a secret in plain text"),
            m.positions->value("/spec/config" + literal.pointer)},
           ""});
    }
  }
  return findings;
}

diag::Result<void> keep_channel(const spec::Manifest& m, const std::string& name_space,
                                store::Store& store) {
  if (Mistakes mistakes = mistakes_in(m); !mistakes.empty()) {
    return std::unexpected(std::move(mistakes.front()));
  }
  return store.put_object(
      {.kind = m.kind,
       .name_space = space_of(m, name_space),
       .name = m.name,
       .json = value::to_json(m.object, {.key_order = value::KeyOrder::kAsGiven}),
       .created_at = now()});
}

diag::Result<void> keep_channels(const Documents& documents, const std::string& name_space,
                                 store::Store& store) {
  for (const spec::Manifest& m : documents.manifests) {
    if (m.kind == "NotificationChannel") TRY_VOID(keep_channel(m, name_space, store));
    if (m.kind == "Notification") TRY_VOID(keep_rule(m, name_space, store));
  }
  return {};
}

}  // namespace tiphys::cli
