#include "cli/channels.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/rules.h"
#include "notify/channel.h"
#include "spec/schema.h"
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

diag::Result<void> check(const spec::Manifest& m) {
  const Value& spec = m.object["spec"];
  const std::string_view kind = spec["kind"].string_or("");
  if (m.name.empty()) {
    return std::unexpected(diag::Error{diag::Code::kInvalidManifest,
                                       "a NotificationChannel needs metadata.name",
                                       m.positions->value("")});
  }
  const notify::Channel* channel = notify::find_channel(kind);
  if (channel == nullptr) {
    const std::string near = spec::nearest_name(kind, notify::channel_kinds());
    return std::unexpected(
        diag::Error{diag::Code::kInvalidManifest,
                    fmt::format("channel '{}': spec.kind '{}' is none{}", m.name, kind,
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
                    m.positions->value("/spec/kind")});
  }
  if (const auto problems = channel->problems(spec["config"]); !problems.empty()) {
    return std::unexpected(at_field(m, problems.front()));
  }
  for (const auto& [field, most] : {std::pair{"outageAfter", 1000}, std::pair{"atOnce", 256}}) {
    const Value& given = spec[field];
    if (given.is_null() || (given.is_int() && given.as_int() >= 1 && given.as_int() <= most)) {
      continue;
    }
    return std::unexpected(diag::Error{
        diag::Code::kInvalidManifest,
        fmt::format("channel '{}': {}: want a number from 1 to {}", m.name, field, most),
        m.positions->value(fmt::format("/spec/{}", field))});
  }
  const Value& told = spec["outageChannel"];
  if (!told.is_null() && (!told.is_string() || told.as_string() == m.name)) {
    return std::unexpected(diag::Error{
        diag::Code::kInvalidManifest,
        fmt::format("channel '{}': outageChannel: want the name of another channel", m.name),
        m.positions->value("/spec/outageChannel")});
  }
  return {};
}

}  // namespace

diag::Result<void> keep_channel(const spec::Manifest& m, const std::string& name_space,
                                store::Store& store) {
  TRY_VOID(check(m));
  std::string where = m.name_space.empty() ? name_space : m.name_space;
  if (where.empty()) where = "default";
  return store.put_object(
      {.kind = m.kind,
       .name_space = where,
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
