#include "executor/image_user.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "executor/preparation.h"

namespace tiphys::executor {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The first line of a file like /etc/passwd whose field `field` is `value`.
std::vector<std::string_view> line_with(std::string_view text, std::size_t field,
                                        std::string_view value) {
  for (const std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() > field && fields.size() > 2 && fields[field] == value) return fields;
  }
  return {};
}

// Groups that list the user as a member.
std::vector<std::uint32_t> groups_of(std::string_view file, std::string_view user) {
  std::vector<std::uint32_t> groups;
  for (const std::string_view line : split(file, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() < 4) continue;
    for (const std::string_view member : split(fields[3], ',')) {
      if (const auto gid = number_of(fields[2]); gid && member == user) groups.push_back(*gid);
    }
  }
  return groups;
}

}  // namespace

const value::Value& security_of(const Task& task, const char* member) {
  const value::Value& own = main_container(task.template_body)["securityContext"][member];
  return own.is_null() ? task.template_body["securityContext"][member] : own;
}

diag::Result<ImageUser> image_user(const Task& task, const ImageConfig& config,
                                   const ImageFile& file) {
  ImageUser user;
  std::string name = config.user.substr(0, config.user.find(':'));
  const value::Value& wanted = security_of(task, "runAsUser");
  const bool is_of_manifest = wanted.is_int();
  if (is_of_manifest) name = fmt::format("{}", wanted.as_int());
  if (name.empty()) name = "0";
  const std::string passwd = file("/etc/passwd");
  const std::string group_file = file("/etc/group");
  const auto number = number_of(name);
  const auto entry = line_with(passwd, number ? 2 : 0, name);
  if (!number && entry.empty()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("CreateContainerError: unable to find user {}: no matching "
                                  "entries in passwd file",
                                  name));
  }
  user.uid = number ? *number : number_of(entry[2]).value_or(0);
  if (entry.size() > 5) {
    user.gid = number_of(entry[3]).value_or(0);
    if (!entry[5].empty()) user.home = entry[5];
    user.groups = groups_of(group_file, entry[0]);
  }
  const std::size_t colon = config.user.find(':');
  if (colon != std::string::npos && !is_of_manifest) {
    const std::string group = config.user.substr(colon + 1);
    const auto gid = number_of(group);
    const auto found = gid ? std::vector<std::string_view>() : line_with(group_file, 0, group);
    if (!gid && found.empty()) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("CreateContainerError: unable to find group {}: no matching "
                                    "entries in group file",
                                    group));
    }
    user.gid = gid ? *gid : number_of(found[2]).value_or(0);
    user.groups.clear();
  }
  if (const value::Value& group = security_of(task, "runAsGroup"); group.is_int()) {
    user.gid = static_cast<std::uint32_t>(group.as_int());
  }
  const value::Value& pod = task.template_body["securityContext"];
  for (const value::Value& group : pod["supplementalGroups"].list()) {
    if (group.is_int()) user.groups.push_back(static_cast<std::uint32_t>(group.as_int()));
  }
  if (const value::Value& group = pod["fsGroup"]; group.is_int()) {
    user.groups.push_back(static_cast<std::uint32_t>(group.as_int()));
  }
  if (user.uid == 0 && security_of(task, "runAsNonRoot").bool_or(false)) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "CreateContainerConfigError: container has runAsNonRoot and image will run "
                      "as root");
  }
  return user;
}

}  // namespace tiphys::executor
