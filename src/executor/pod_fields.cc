#include "executor/pod_fields.h"

#include <unistd.h>

#include <map>

#include <fmt/format.h>

#include "value/json.h"

namespace tiphys::executor {
namespace {

using Texts = std::map<std::string, std::string>;

// The template's, and those that every pod of a workflow has.
Texts texts_of(const Task& task, std::string_view kind) {
  Texts texts;
  for (const auto& [key, v] : task.template_body["metadata"][kind].map()) {
    texts[key] = v.string_or("");
  }
  if (kind == "labels") {
    texts["workflows.argoproj.io/workflow"] = task.workflow;
    texts["workflows.argoproj.io/completed"] = "false";
  } else {
    texts["workflows.argoproj.io/node-name"] = task.node_name;
    texts["workflows.argoproj.io/node-id"] = task.key.substr(task.key.find('.') + 1);
  }
  return texts;
}

std::string one_of(const Texts& texts, std::string_view key) {
  const auto it = texts.find(std::string(key));
  return it == texts.end() ? "" : it->second;
}

std::string lines_of(const Texts& texts) {
  std::string lines;
  for (const auto& [key, text] : texts) {
    lines += fmt::format("{}{}={}", lines.empty() ? "" : "\n", key,
                         value::to_json(value::Value(text), {.escape_html = false}));
  }
  return lines;
}

}  // namespace

std::string pod_field(const Task& task, std::string_view path) {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  if (path == "metadata.name") return task.pod_name;
  if (path == "metadata.namespace") return task.name_space;
  if (path == "metadata.uid") return task.key;
  if (path == "spec.nodeName") return host;
  if (path == "spec.serviceAccountName") return "default";
  if (path.starts_with("status.")) return "127.0.0.1";
  for (const std::string_view kind : {"labels", "annotations"}) {
    const std::string field = fmt::format("metadata.{}", kind);
    if (path == field) return lines_of(texts_of(task, kind));
    const bool is_one = path.starts_with(field + "['") && path.ends_with("']");
    if (!is_one || path.size() < field.size() + 4) continue;
    return one_of(texts_of(task, kind),
                  path.substr(field.size() + 2, path.size() - field.size() - 4));
  }
  return "";
}

}  // namespace tiphys::executor
