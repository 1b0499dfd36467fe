#include "runtime/object_requests.h"

#include <vector>

#include <fmt/format.h>

#include "net/http_text.h"
#include "resource/patch.h"
#include "value/json.h"

namespace tiphys::runtime {
namespace {

using value::Map;
using value::Value;

std::vector<std::string> parts_of(std::string_view path, char separator) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find(separator), path.size());
    if (end > 0) parts.push_back(net::uri_decoded(path.substr(0, end)));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

void take_query(std::string_view query, ObjectRequest& r) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string_view name = one.substr(0, equals);
    const std::string text = net::uri_decoded(one.substr(std::min(equals + 1, one.size())));
    if (name == "labelSelector") r.selector = text;
    if (name == "dryRun") r.is_dry = text == "All";
  }
}

struct Failure {
  int code;
  std::string_view reason;
};

Failure failure_of(diag::Code code) {
  switch (code) {
    case diag::Code::kNotFound:
      return {404, "NotFound"};
    case diag::Code::kAlreadyExists:
      return {409, "AlreadyExists"};
    case diag::Code::kConflict:
      return {409, "Conflict"};
    case diag::Code::kInvalidManifest:
    case diag::Code::kBadExpression:
      return {422, "Invalid"};
    default:
      return {500, "InternalError"};
  }
}

// The name of the kind as messages have it: `workflows.argoproj.io`.
std::string kinds_of(const resource::ObjectType& type) {
  return type.group.empty() ? type.plural : fmt::format("{}.{}", type.plural, type.group);
}

std::string message_of(const ObjectRequest& r, const diag::Error& error) {
  if (error.code == diag::Code::kNotFound && error.message.empty()) {
    return fmt::format("{} \"{}\" not found", kinds_of(r.type), r.name);
  }
  if (error.code == diag::Code::kAlreadyExists) {
    const std::string_view name = r.body["metadata"]["name"].string_or("");
    return fmt::format("{} \"{}\" already exists", kinds_of(r.type), name);
  }
  if (error.code == diag::Code::kInvalidManifest) {
    const std::string_view name =
        r.name.empty() ? r.body["metadata"]["name"].string_or("") : std::string_view(r.name);
    return fmt::format("{} \"{}\" is invalid: {}", r.type.kind, name, error.message);
  }
  return error.message;
}

}  // namespace

diag::Result<ObjectRequest> parse_request(const kube::Request& request) {
  const std::string_view whole = request.path;
  const std::size_t mark = std::min(whole.find('?'), whole.size());
  std::vector<std::string> parts = parts_of(whole.substr(0, mark), '/');
  ObjectRequest r{.method = request.method};
  if (mark < whole.size()) take_query(whole.substr(mark + 1), r);
  // api/VERSION or apis/GROUP/VERSION, then namespaces/NAMESPACE, then KINDS/NAME.
  std::size_t at = !parts.empty() && parts.front() == "apis" ? 3 : 2;
  if (at + 1 < parts.size() && parts[at] == "namespaces") {
    r.name_space = parts[at + 1];
    at += 2;
  }
  static const resource::ObjectTypes kTypes = resource::own_types(false);
  const resource::ObjectType* const type = at < parts.size() ? kTypes.of_word(parts[at]) : nullptr;
  if (type == nullptr) {
    return diag::fail(diag::Code::kNotFound, "the server could not find the requested resource");
  }
  r.type = *type;
  if (at + 1 < parts.size()) r.name = parts[at + 1];
  r.body_type = request.type;
  if (!request.body.empty()) {
    TRY(r.body, value::parse_json(request.body));
  }
  return r;
}

kube::Answer answer_of(const ObjectRequest& request, const diag::Result<Value>& result) {
  if (result) {
    const bool is_create = request.method == "POST";
    return {.status = is_create ? 201 : 200,
            .body = value::to_json(*result, {.key_order = value::KeyOrder::kAsGiven})};
  }
  const auto [code, reason] = failure_of(result.error().code);
  const Value status = Map{{"kind", "Status"},
                           {"apiVersion", "v1"},
                           {"status", "Failure"},
                           {"message", message_of(request, result.error())},
                           {"reason", std::string(reason)},
                           {"code", code}};
  return {.status = code, .body = value::to_json(status)};
}

diag::Result<Value> patched(const ObjectRequest& request, const Value& before) {
  if (request.method == "PUT") return request.body;
  if (request.body_type == "application/json-patch+json") {
    return resource::with_json_patch(before, request.body);
  }
  if (request.body_type == "application/strategic-merge-patch+json") {
    return diag::fail(
        diag::Code::kInvalidManifest,
        "its kind takes no strategic merge patch: set mergeStrategy to merge or json");
  }
  return resource::with_merge_patch(before, request.body);
}

}  // namespace tiphys::runtime
